"""What it costs to know who is calling: the same operation for nobody, for an API key, for an
access token that the process knows, and for another session's at each request.

One process of Marquee on its core; PostgreSQL, which is asked for each session that the process
does not know, is on the other. Sessions are so many that none comes back while it is known.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median

from sqlalchemy import delete, insert

from marquee import clock
from marquee.identity.auth import known, tokens
from marquee.identity.auth.models import Session
from tools.bench import load, places
from tools.bench.database import KEYS, READER, Database
from tools.bench.load import Figures
from tools.bench.operations import BASE, Operation
from tools.bench.peers import Running

NOBODY, KEY, KNOWN, UNKNOWN = "nobody", "API key", "access token", "another session each time"
LEAST = 1000
"""Sessions that one core must check in a second."""
MANY = 2 * known.MOST
EACH_IN_TURN = """\
local headers = {}
for token in io.lines(%s) do
  headers[#headers + 1] = {["Authorization"] = "Bearer " .. token}
end
local turn = 0
request = function()
  turn = turn %% #headers + 1
  return wrk.format(nil, nil, headers[turn])
end
"""
Runs = dict[str, list[Figures]]


def measured(server: Running, database: Database, rounds: int, seconds: int) -> Runs:
    """The figures of each round, by who calls."""
    with _sessions(database) as written:
        callers = {
            NOBODY: Operation("nobody", "GET", f"{BASE}/memory/ping"),
            KEY: _signed_in("api_key", KEYS[READER]),
            KNOWN: _signed_in("access_token", written[0]),
            UNKNOWN: _signed_in("sessions", written[0]),
        }
        scripts = {who: load.script(each, 0, 0) for who, each in callers.items()}
        _in_turn(scripts[UNKNOWN], written)
        runs: Runs = {who: [] for who in callers}
        for number in range(rounds):
            places.say(f"sessions: round {number + 1} of {rounds}")
            for who, operation in callers.items():
                database.note_use()
                runs[who].append(load.run(operation, scripts[who], server, seconds))
    return runs


def table(runs: Runs) -> str:
    """Medians of all rounds, and the cost over that of nobody in the same round."""
    lines = [
        "## Who is calling",
        "",
        "| who calls | CPU µs a request | a second and core | over nobody |",
        "|---|---|---|---|",
    ]
    for who, figures in runs.items():
        cost = median(each.cpu_us for each in figures)
        over = median(
            mine.cpu_us / theirs.cpu_us for mine, theirs in zip(figures, runs[NOBODY], strict=True)
        )
        lines.append(f"| {who} | **{cost:.0f}** | {1e6 / cost:,.0f} | {over:.2f} |")
    return "\n".join([*lines, ""])


def verdicts(runs: Runs) -> list[tuple[bool, str]]:
    """Whether a core checks enough sessions that it did not know."""
    each_second = 1e6 / median(each.cpu_us for each in runs[UNKNOWN])
    met = each_second >= LEAST
    words = f"Sessions: at least {LEAST:,} a second and core, none known ({each_second:,.0f})"
    return [(met, f"- {'met' if met else '**missed**'}: {words}")]


def _signed_in(name: str, token: str) -> Operation:
    headers = {"Authorization": f"Bearer {token}"}
    return Operation(name, "GET", f"{BASE}/memory/ping/signed-in", headers=headers)


@contextmanager
def _sessions(database: Database) -> Iterator[list[str]]:
    """So many sessions of the reader; an access token of each."""
    row = {"user_id": database.reader, "expires_at": clock.now() + timedelta(days=1)}
    with database.engine.begin() as connection:
        new = insert(Session).returning(Session.id)
        ids = connection.scalars(new, [row] * MANY).all()
    try:
        yield [tokens.issue(database.reader, each) for each in ids]
    finally:
        with database.engine.begin() as connection:
            connection.execute(delete(Session).where(Session.user_id == database.reader))


def _in_turn(script: Path, written: list[str]) -> None:
    """Make a script send these tokens one after the other."""
    listed = places.WORK / "tokens.txt"
    listed.write_text("\n".join(written))
    script.write_text(script.read_text() + EACH_IN_TURN % json.dumps(str(listed)))
