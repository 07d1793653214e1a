"""Recommending: what the nightly job and one user cost, on 100,000 titles.

    python -m tools.bench --part recommending              100,000 titles
    python -m tools.bench.recommending --titles 20000      fewer

The catalogue, its users and their ratings are invented, and the recommender is trained on them
once: all of it stays below build/bench/recommending-N for the next run. Titles get vectors drawn at
random: no time depends on what they are. Then some users are recommended films and series as `POST
/users/{user_id}/recommendations` does, each for itself; and the nightly job is done for a sample of
the users, from reading what they did to storing their lists. What counts is CPU time, PostgreSQL's
too, so that it holds on a busy machine; the job's is told for 10,000 users.

The peer, in the same run and for the same users, is `implicit`'s iALS alone, which works out a
user's factors and gives the best hundred: one model of the three, neither blended, diversified, nor
explained. Needs Linux. Exits with 1 where a target is missed.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC
from statistics import median

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from sqlalchemy import Engine as Database
from sqlalchemy import func, select, text
from threadpoolctl import threadpool_limits

from marquee import clock, db, settings
from marquee.catalogue.demo import synthetic
from marquee.catalogue.movies.models import Movie
from marquee.identity.users.models import User
from marquee.migrations import running
from marquee.postgres import Postgres
from marquee.progress import Progress
from marquee.taste.recommendations import generating
from marquee.taste.recommending import keeping, signals, training
from marquee.taste.recommending.engine import Engine, Tastes
from tools.bench import places
from tools.bench.machine import cpu_seconds, tree

PART = "recommending"
TITLES, SAMPLE, ALONE = 100_000, 400, 15
MADE, USERS = 2000, 10_000
"""Users who are there, and for how many the job is told."""
NUMBERS = 128
MOST_ALONE_MS, MOST_JOB_MINUTES = 300, 10
STORED = 100


@dataclass(frozen=True)
class Cost:
    """CPU time of this process and of PostgreSQL, and the time that passed; seconds."""

    ours: float
    postgres: float
    passed: float

    @property
    def cpu(self) -> float:
        """Of both."""
        return self.ours + self.postgres


def main() -> int:
    """Run it; 1 where a target is missed, 2 where it cannot be run."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench.recommending",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--titles", type=int, default=TITLES)
    parser.add_argument("--sample", type=int, default=SAMPLE, help="users of the job; 400")
    options = parser.parse_args()
    folder = places.WORK / f"{PART}-{options.titles}"
    folder.mkdir(parents=True, exist_ok=True)
    with Postgres(folder / "postgres") as postgres:
        os.environ |= {"DATABASE_URL": postgres.url(), "MARQUEE_DATA": str(folder)}
        settings.current.cache_clear()
        database = db.engine_for(postgres.url(), statement_timeout=0)
        running.migrate(database)
        db.connect(database)
        _fill(database, options.titles)
        engine = _trained()
        found = _measured(engine, options.sample)
        database.dispose()
    return found


def apart() -> int:
    """The same in a process of its own, which has a database of its own."""
    command = [sys.executable, "-m", "tools.bench.recommending"]
    return subprocess.run(command, cwd=places.ROOT, check=False).returncode


def _fill(database: Database, titles: int) -> None:
    with database.connect() as connection:
        if connection.scalar(select(Movie.id).limit(1)) is not None:
            return
    synthetic.generate(database, titles, users=MADE, ratings=100 * MADE, progress=places.say)


def _trained() -> Engine:
    """The engine that holds, with vectors."""
    held = keeping.current()
    if held is None:
        cost = _cost(lambda: training.train(Progress()))
        places.say(f"Trained in {cost.ours:.0f} s of CPU time.")
        keeping.forget()
        held = keeping.current()
        state = keeping.state()
        if held is None or state is None:
            raise places.Missing("The engine is not where it was stored.")
        draw = np.random.default_rng(1)
        looks = draw.normal(size=(len(held[0].titles.keys), NUMBERS)).astype(np.float32)
        looks /= np.linalg.norm(looks, axis=1, keepdims=True)
        version = clock.now().astimezone(UTC).strftime("%Y%m%dT%H%M%S%f")
        keeping.keep(replace(held[0], looks=looks), replace(state, version=version))
        keeping.forget()
        held = keeping.current()
    if held is None:
        raise places.Missing("The engine is not where it was stored.")
    return held[0]


def _measured(engine: Engine, sample: int) -> int:
    with db.transaction():
        db.session.execute(text("DELETE FROM recommendation_runs"))
        users = int(db.session.scalar(select(func.count()).select_from(User)) or 0)
        every = max(1, users // sample)
        chosen = {"every": every}
        db.session.execute(text("UPDATE users SET is_active = id % :every = 0"), chosen)
        active = select(User.id).where(User.is_active).order_by(User.id)
        ids = list(db.session.scalars(active))
    generating.for_user(Progress(), ids[0])
    alone = [_cost(_for_one(each)) for each in ids[1 : ALONE + 1]]
    with db.transaction():
        db.session.execute(text("DELETE FROM recommendation_runs"))
    job = _cost(lambda: generating.for_all(Progress()))
    with db.transaction():
        tastes = signals.tastes(signals.of_users(ids), ids, engine.titles)
    peer = _cost(lambda: _peer(engine, tastes))
    return _tell(engine, alone, (job, peer), len(ids))


def _for_one(user_id: int) -> Callable[[], object]:
    return lambda: generating.for_user(Progress(), user_id)


def _peer(engine: Engine, tastes: Tastes) -> None:
    """What `implicit` alone does for films and series, with this engine's factors."""
    factors = engine.models.factors
    model = AlternatingLeastSquares(
        factors=factors.shape[1],
        alpha=engine.models.als_alpha,
        regularization=engine.models.als_l2,
        num_threads=1,
    )
    model.item_factors = factors
    model.user_factors = np.zeros((tastes.count, factors.shape[1]), np.float32)
    films = np.flatnonzero(engine.titles.of_kind("movie"))
    series = np.flatnonzero(engine.titles.of_kind("tvshow"))
    with threadpool_limits(1, "blas"):
        for items in (series, films):
            model.recommend(
                np.arange(tastes.count),
                tastes.likes,
                N=STORED,
                items=items,
                recalculate_user=True,
            )


def _cost(work: Callable[[], object]) -> Cost:
    before, ours, started = _of_postgres(), time.process_time(), time.monotonic()
    work()
    passed, spent = time.monotonic() - started, time.process_time() - ours
    theirs = sum(each - before.get(pid, 0) for pid, each in _of_postgres().items())
    return Cost(spent, theirs, passed)


def _of_postgres() -> dict[int, float]:
    """What each of its processes has used, which are this one's children; they come and go."""
    found = {}
    for pid in tree(os.getpid())[1:]:
        with suppress(OSError):
            found[pid] = cpu_seconds([pid])
    return found


def _tell(engine: Engine, alone: Sequence[Cost], both: tuple[Cost, Cost], sample: int) -> int:
    job, peer = both
    films = int(engine.titles.of_kind("movie").sum())
    series = len(engine.titles.keys) - films
    minutes = job.cpu / sample * USERS / 60
    one = 1000 * median(each.cpu for each in alone)
    lines = [
        "# Recommending",
        "",
        f"{films:,} films, {series:,} series; a list of each kind for each user.",
        "",
        "| | CPU ms a user | of which PostgreSQL | over implicit's |",
        "|---|---|---|---|",
    ]
    postgres = 1000 * median(each.postgres for each in alone)
    lines.append(_row("one user, who asks", one, postgres, peer, sample))
    lines.append(
        _row(
            f"the job, {sample} users",
            1000 * job.cpu / sample,
            1000 * job.postgres / sample,
            peer,
            sample,
        )
    )
    lines.append(_row("implicit's iALS alone", 1000 * peer.cpu / sample, 0, peer, sample))
    whole = f"{USERS:,} users in {minutes:.1f} minutes of one core"
    verdicts = [
        (one < MOST_ALONE_MS, f"one user in {one:.0f} ms, below {MOST_ALONE_MS}"),
        (minutes < MOST_JOB_MINUTES, f"the job for {whole}, below {MOST_JOB_MINUTES}"),
    ]
    lines += ["", *(f"- {'met' if met else '**missed**'}: {words}" for met, words in verdicts)]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if all(met for met, _ in verdicts) else 1


def _row(name: str, cpu: float, postgres: float, peer: Cost, sample: int) -> str:
    over = cpu / (1000 * peer.cpu / sample)
    return f"| {name} | {cpu:.1f} | {postgres:.1f} | {over:.2f} |"


if __name__ == "__main__":
    sys.exit(main())
