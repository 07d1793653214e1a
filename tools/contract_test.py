"""Let Schemathesis loose on `marquee serve`: `python -m tools.contract_test [--long]`.

Starts an embedded PostgreSQL and the real server on 127.0.0.1, with a small catalogue and two users
who must not see each other's things; runs all checks in all phases; and fails on any finding, or
when too few requests got through for the run to mean anything.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from marquee import clock, db
from marquee.catalogue.collections.models import Collection
from marquee.catalogue.people.models import Credit, Person
from marquee.catalogue.tvshows.models import Episode, Season, TVShow
from marquee.identity.auth import passwords, tokens
from marquee.identity.auth.models import Session
from marquee.identity.users.models import Role, User, UserRole
from marquee.postgres import Postgres
from tests.committed import Committed, committed
from tests.contract.hooks import KNOWN_FILMS, KNOWN_SERIES, PASSWORD
from tests.live import Live, live, own_database

ROOT = Path(__file__).parents[1]
CONFIGURATION = ROOT / "tests/contract/schemathesis.toml"
REPORTS = ROOT / "build/contract-test"
SETTINGS = {
    "MARQUEE_SECRET_KEY": "the secret key of the contract's test, long enough",
    "RATE_LIMIT_DEFAULT": "1000000/minute",
    "RATE_LIMIT_AUTH": "1000000/minute",
    "SIGN_IN_ATTEMPTS": "1000000",
    "SESSION_MAX_PER_USER": "1000",
    "ACCESS_TOKEN_LIFETIME": "86400",
    "RATE_LIMIT_POSTERS": "1000000/minute",
    "RATE_LIMIT_RECOMMENDATIONS": "1000000/minute",
    "METRICS_ENABLED": "true",
    "METRICS_TOKEN": "the metrics token",
    "CRON_SECRET": "the cron secret",
    "ACCESS_LOG": "false",
}
FEWEST_REQUESTS = 1000
LEAST_SUCCESS = 0.15
"""Share of requests that must be answered by 2xx: below it, something refuses everything."""
SUCCESS = 2
SEED = 1
GENRES = ("Thriller", "Drama", "Comedy")


def main() -> int:
    """Run it; 0 where nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="more examples, with a new seed")
    parser.add_argument("--seed", type=int, help="the seed of an earlier run")
    parser.add_argument("--examples", type=int, help="examples of each operation")
    options = parser.parse_args()
    seed = options.seed or (random.SystemRandom().randrange(2**32) if options.long else SEED)
    examples = options.examples or (300 if options.long else 60)
    REPORTS.mkdir(parents=True, exist_ok=True)
    os.environ.update(SETTINGS)
    with running() as (server, rows, folder):
        environment = prepare(server, rows, folder)
        print(f"Schemathesis, seed {seed}, {examples} examples, against {server.url}", flush=True)
        found = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", *words(server, seed, examples)],
            env={**os.environ, **environment},
            cwd=ROOT,
            check=False,
        ).returncode
        log = server.log.read_text()
    if '"unhandled_exception"' in log:
        print("The server has logged exceptions:", log[-4000:], sep="\n")
        found = found or 1
    return found or judged(statuses(REPORTS / "events.ndjson"))


@contextmanager
def running() -> Iterator[tuple[Live, Committed, Path]]:
    """A server on a database with a catalogue, a maker of more rows, and a folder."""
    with (
        tempfile.TemporaryDirectory() as name,
        Postgres(Path(name) / "postgres") as postgres,
        own_database(postgres.url()) as url,
        live(url, Path(name), MARQUEE_DATA=name) as server,
    ):
        engine = db.engine_for(url)
        with committed(engine) as rows:
            yield server, rows, Path(name)
        engine.dispose()


def prepare(server: Live, rows: Committed, folder: Path) -> dict[str, str]:
    """Films, two users, and the files that name them; what the hooks must know."""
    together, somebody = rows.make(Collection, name="Films"), rows.make(Person, name="Somebody")
    for number in range(1, KNOWN_FILMS + 1):
        film = rows.movie(
            f"Film {number}",
            tmdb_id=number,
            collection_id=together.id,
            year=1950 + number,
            genres=[GENRES[number % len(GENRES)]],
            popularity=number,
        )
        rows.make(Credit, movie_id=film.id, person_id=somebody.id, job="actor", position=0)
    for number in range(1, KNOWN_SERIES + 1):
        _series(rows, f"Series {number}")
    # Ids that no made-up request will name: an administrator may disable whoever has one.
    rows.session.execute(text("alter table users alter column id restart with 1000000000000"))
    users = {name: rows.user() for name in ("alice", "bob", "carol", "dave")}
    # Permissions are taken from the roles that everybody knows, while it runs.
    role = rows.session.scalars(select(Role).where(Role.name == "user")).one()
    own = rows.make(Role, name="alone", permissions=list(role.permissions))
    for user in users.values():
        rows.make(UserRole, user_id=user.id, role_id=own.id)
    users["alice"].password_hash = users["dave"].password_hash = passwords.hashed(PASSWORD)
    rows.session.commit()
    entries: list[dict[str, Any]] = []
    for name, user in users.items():
        client = rows.client(server.url, user)
        client.post(f"/users/{user.id}/favorites", json={"movie_id": 1}).raise_for_status()
        client.post("/movies/ratings", json={"movie_id": 1, "rating": 4}).raise_for_status()
        header = {"name": "Authorization", "value": _token(rows, user)}
        entries.append({"name": name, "fixedHeaders": [header]})
    wfc = folder / "wfc.json"
    wfc.write_text(json.dumps({"auth": entries[:2]}))
    return {
        "SCHEMATHESIS_ADMIN": _token(rows, rows.user("admin")),
        "SCHEMATHESIS_LEAVING": users["dave"].username,
        "SCHEMATHESIS_OTHER_ID": str(users["carol"].id),
        "SCHEMATHESIS_USER": entries[0]["fixedHeaders"][0]["value"],
        "SCHEMATHESIS_USER_ID": str(users["alice"].id),
        "SCHEMATHESIS_USERNAME": users["alice"].username,
        "SCHEMATHESIS_WFC": str(wfc),
    }


def _series(rows: Committed, title: str) -> None:
    """A series of one season with one episode: all three have the same id."""
    words = {"search_title": title.lower(), "sort_title": title.lower()}
    show = rows.make(TVShow, title=title, **words)
    season = rows.make(Season, tvshow_id=show.id, season_number=1, name="Season 1", episode_count=1)
    of = {"tvshow_id": show.id, "season_id": season.id, "season_number": 1}
    rows.make(Episode, **of, episode_number=1, title="Episode 1")


def _token(rows: Committed, user: User) -> str:
    """The header of somebody who has signed in: keys do not open every operation."""
    later = clock.now() + timedelta(days=1)
    opened = rows.make(Session, id=user.id, user_id=user.id, expires_at=later)
    return f"Bearer {tokens.issue(user.id, opened.id)}"


def words(server: Live, seed: int, examples: int) -> list[str]:
    """The command line."""
    return [
        *("--config-file", str(CONFIGURATION), "run"),
        f"{server.url}/api/v1/openapi.json",
        *("--url", f"{server.url}/api/v1"),
        *("--phases", "examples,coverage,fuzzing,stateful"),
        *("--max-examples", str(examples), "--seed", str(seed)),
        *("--report", "ndjson,junit"),
        *("--report-ndjson-path", str(REPORTS / "events.ndjson")),
        *("--report-junit-path", str(REPORTS / "junit.xml")),
    ]


def statuses(events: Path) -> Counter[int]:
    """How often each status was answered."""
    seen: Counter[int] = Counter()

    def look(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(status := node.get("status_code"), int):
                seen[status] += 1
            for each in node.values():
                look(each)
        elif isinstance(node, list):
            for each in node:
                look(each)

    with events.open() as lines:
        for line in lines:
            look(json.loads(line))
    return seen


def judged(seen: Counter[int]) -> int:
    """Whether enough requests got through."""
    total = seen.total()
    good = sum(count for status, count in seen.items() if status // 100 == SUCCESS)
    print(f"{total} requests, {good / max(total, 1):.0%} of them 2xx: {dict(sorted(seen.items()))}")
    if total < FEWEST_REQUESTS or good < total * LEAST_SUCCESS:
        print(f"Fewer than {FEWEST_REQUESTS} requests, or than {LEAST_SUCCESS:.0%} of 2xx.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
