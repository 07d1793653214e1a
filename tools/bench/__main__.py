"""Marquee against FastAPI, Fastify, stock Connexion and its own server's bare cost.

    python -m tools.bench            about seven minutes; `--rounds` changes it
    python -m tools.bench --quick    about a minute, without stock Connexion and the access log

All servers speak the same operations, in a contract of 330: the real one, four operations without a
database (memory.yaml), and synthetic ones. Before anything is measured each server must answer each
operation as Marquee does; the SQL is taken down as Marquee sends it, and the others send the same.

One run alternates between all servers in rounds: one server process on core 0; wrk with 16
connections, and PostgreSQL, on core 1. The figure that counts is the server's CPU time a request,
by the scheduler's account of its process tree: waiting for a core, for wrk or for PostgreSQL is not
in it, so it holds on a busy machine too, where requests a second and latencies only compare rows.
Ratios are taken within each round; of figures and ratios the medians are shown.

In memory, films are JSON, as a cache or a document has it. Marquee runs as `marquee serve` runs it:
rate limits, metrics, request ids and the validation of answers are on; the access log is off, as
the others'. Stock Connexion does not validate answers. FastAPI does (`response_model`); with the
database it sends ready-made text through SQLAlchemy, so that building statements costs it nothing.

The part `sessions` compares callers instead of servers: see sessions.py. The part `meaning` asks
how well films are found by descriptions, where MARQUEE_BENCH_TITLES names files of plots: see
meaning.py. The part `catalogue` fills a database with a million titles; it runs only when asked
for: see catalogue.py. So does `recommending`, what recommendations cost: see recommending.py.

Needs Linux with two cores, wrk, Node and npm. Writes below build/ only: the peers' environments, a
PostgreSQL, logs, and the report as build/bench/report.md. Exits with 1 where a target is missed.
"""

import argparse
import asyncio
import hashlib
import os
import platform
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import orjson

from marquee import db, settings
from marquee.web import logs
from marquee.web.app import App, create_app
from tools.bench import (
    agreement,
    catalogue,
    contract,
    films,
    load,
    machine,
    meaning,
    operations,
    peers,
    places,
    recommending,
    report,
    sessions,
    statements,
)
from tools.bench.database import KEYS, READER, WRITER, Database, opened
from tools.bench.operations import CACHED, DATABASE, MEMORY, SESSIONS, Operation
from tools.bench.peers import Running

APART = {catalogue.PART: catalogue.apart, recommending.PART: recommending.apart}
"""What runs only when asked for."""
PARTS = [MEMORY, DATABASE, CACHED, SESSIONS, meaning.PART, *APART]
ROUNDS = {False: 7, True: 1}
SETTLING = 0.5
"""Seconds after which the writes that wrk left behind in another server are done."""
SETTINGS = {
    "MARQUEE_SECRET_KEY": "a key of the benchmark, of fifty characters .......",
    "MARQUEE_DATA": str(places.WORK),
    "ACCESS_LOG": "false",
    "RATE_LIMIT_DEFAULT": "1000000000/minute",
}


def main() -> int:
    """Run it; 1 where a target is missed, 2 where it cannot be run."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int, default=1, help="of each run; 1 by default")
    parser.add_argument("--part", choices=PARTS, action="append")
    options = parser.parse_args()
    found = 0
    if not options.part or meaning.PART in options.part:
        found = meaning.apart(asked=bool(options.part))
    for part, apart in APART.items():
        if options.part and part in options.part:
            found = apart() or found
    if options.part and set(options.part) <= {meaning.PART, *APART}:
        return found
    try:
        return _run(options) or found
    except (places.Missing, load.Failed, statements.OtherStatements) as error:
        places.say(f"bench: {error}")
        return 2


def _run(options: argparse.Namespace) -> int:
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) <= machine.LOAD_CORE:
        raise places.Missing("The benchmark needs Linux with two cores.")
    load.check()
    places.WORK.mkdir(parents=True, exist_ok=True)
    peers.install()
    options.rounds = options.rounds or ROUNDS[options.quick]
    os.environ |= SETTINGS
    logs.configure("ERROR")
    with ExitStack() as stack:
        with machine.on_core(machine.LOAD_CORE):
            database = stack.enter_context(opened())
        common = _environment(database)
        parts = _prepare(database)
        started = [
            stack.enter_context(peers.running(each, common))
            for each in peers.servers(quick=options.quick)
        ]
        started += _compared(stack, started, parts, common, database)
        results = {
            part: _measure(part, listed, started, database, options)
            for part, listed in parts.items()
            if not options.part or part in options.part
        }
        callers = (
            sessions.measured(_knowing(started), database, options.rounds, options.seconds)
            if not options.part or SESSIONS in options.part
            else None
        )
    return _tell(results, callers, options.rounds)


def _knowing(started: list[Running]) -> Running:
    """The server that knows callers for seconds, as in life."""
    return next(each for each in started if SESSIONS in each.server.parts)


def _environment(database: Database) -> dict[str, str]:
    """What all servers are started with."""
    return {
        **SETTINGS,
        "PYTHONPATH": str(places.ROOT),
        "DATABASE_URL": database.url,
        "NODE_ENV": "production",
        "BENCH_DATABASE": database.url,
        "BENCH_SHARED": str(places.SHARED),
        "BENCH_CONTRACT": str(places.CONTRACT),
        "BENCH_NPM": str(places.NPM),
    }


def _prepare(database: Database) -> dict[str, list[Operation]]:
    """Write what the servers read; the operations of each part."""
    document = contract.padded()
    places.CONTRACT.write_bytes(orjson.dumps(document))
    db.connect(database.engine)
    app = create_app(settings.current(), orjson.loads(orjson.dumps(document)))
    etag = _etag(app)
    parts = {
        MEMORY: operations.memory(),
        DATABASE: operations.database(
            database.reader, KEYS[READER], KEYS[WRITER], database.first_movie
        ),
        CACHED: operations.cached(etag),
    }
    database.forget_writes()
    database.note_use()
    shared: dict[str, Any] = {
        "routes": contract.routes(document),
        "films": films.films(),
        "token": films.TOKEN,
        "statements": {
            each.name: statements.of(app, database.engine, each, _call(database, each))
            for each in parts[DATABASE]
        },
    }
    places.SHARED.write_bytes(orjson.dumps(shared))
    return parts


def _call(database: Database, operation: Operation) -> statements.Call:
    name, user = (WRITER, database.writer) if operation.counting else (READER, database.reader)
    return statements.Call(user, name, database.first_movie, KEYS[name])


def _etag(app: App) -> str:
    (asked, _) = operations.cached("")
    _, headers, body = asyncio.run(statements.answer(app, asked))
    assert hashlib.blake2b(body, digest_size=12).hexdigest() in headers["etag"]  # noqa: S101
    return headers["etag"]


def _compared(
    stack: ExitStack,
    started: list[Running],
    parts: dict[str, list[Operation]],
    common: dict[str, str],
    database: Database,
) -> list[Running]:
    """See that all servers agree and warm them up; then start the raw ones on Marquee's answers."""
    ours: dict[str, dict[str, Any]] = {}
    for server in started:
        for part, listed in parts.items():
            if part in server.server.parts:
                database.forget_writes()
                found = agreement.answers(server, listed)
                agreement.check(ours.setdefault(part, found), found, server.server.name)
                agreement.warm(server, [each for each in listed if not each.counting])
    recorded = {
        each.url.partition("?")[0]: {
            "status": each.status,
            "body": orjson.dumps(ours[part][each.name]).decode(),
        }
        for part in (MEMORY, CACHED)
        for each in parts[part]
        if ours[part][each.name] is not None
    }
    shared = orjson.loads(places.SHARED.read_bytes())
    places.SHARED.write_bytes(orjson.dumps(shared | {"answers": recorded}))
    return [stack.enter_context(peers.running(each, common)) for each in peers.raw()]


def _measure(
    part: str,
    listed: list[Operation],
    started: list[Running],
    database: Database,
    options: argparse.Namespace,
) -> report.Runs:
    """All rounds of one part, each beginning with another server."""
    running = [each for each in started if part in each.server.parts]
    runs: report.Runs = {
        (server.server.name, operation.name): [] for server in running for operation in listed
    }
    for number in range(options.rounds):
        places.say(f"{part}: round {number + 1} of {options.rounds}")
        turned = running[number % len(running) :] + running[: number % len(running)]
        for operation in listed:
            lua = load.script(operation, database.first_movie, database.movies)
            for server in turned:
                figures = _patiently(operation, lua, server, database, options.seconds)
                runs[server.server.name, operation.name].append(figures)
    return runs


def _patiently(
    operation: Operation, lua: Path, server: Running, database: Database, seconds: int
) -> load.Figures:
    """One run; a longer one where a server had no time to answer."""
    for longer in (1, 3, 10):
        if operation.counting:
            time.sleep(SETTLING)
            database.forget_writes()
        with suppress(load.Silent):
            return load.run(operation, lua, server, seconds * longer)
    raise load.Failed(f"{server.server.name} does not answer {operation.name}.")


def _tell(results: dict[str, report.Runs], callers: sessions.Runs | None, rounds: int) -> int:
    where = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    load_ = f"load average {machine.load_average():.1f} at the end, of which the benchmark is 2"
    lines = ["# Benchmark", "", f"{rounds} rounds, alternating; medians. {where}, {load_}.", ""]
    verdicts = []
    for part, runs in results.items():
        lines.append(report.tables(part, runs))
        verdicts += report.verdicts(part, runs)
    if callers is not None:
        lines.append(sessions.table(callers))
        verdicts += sessions.verdicts(callers)
    lines += ["## Targets: CPU time a request", "", *(words for _, words in verdicts)]
    text = "\n".join(lines) + "\n"
    (places.WORK / "report.md").write_text(text)
    sys.stdout.write(text)
    return 0 if all(met for met, _ in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
