"""Making recommendations: for one user who asks, and every night for all whose taste has changed.

A list of films and one of series are made of what a user did with both.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from marquee.db import session, transaction
from marquee.errors import Unavailable
from marquee.progress import Progress
from marquee.taste.recommendations import runs
from marquee.taste.recommendations.runs import Asker, Kind, Made
from marquee.taste.recommending import keeping, signals, training
from marquee.taste.recommending.engine import Engine, Evidence, Scored, Tastes, Wish
from marquee.taste.recommending.signals import Signals

AT_ONCE = 250
"""Users, between two commits."""
EVIDENCE = 10
FEW_SIGNALS = 50_000
"""Of all users together: a household's, whose first hours must not be recommended from by what was
known before them."""
Group = tuple[Kind, int | None, bool]
"""What is asked for alike: a kind, up to an age, with dislikes excluded or not."""


def for_user(progress: Progress, user_id: int) -> dict[str, int]:
    """A run for each kind that the user is to be given. What stops it is told in the runs."""
    with transaction():
        one = runs.asker(user_id)
        begun = runs.begin(one) if one else {}
    if one is None or not begun:
        return {"users": 0, "runs": 0}
    try:
        engine, version = _engine(progress, anew=True)
        progress.step("Users", 1)
        with transaction():
            session.execute(runs.SLOW)
            said = signals.of_users([user_id])
        found = made(engine, [one], said)
    except Exception as error:
        with transaction():
            runs.fail(begun.values(), f"{type(error).__name__}: {error}")
        raise
    with transaction():
        runs.complete(begun, found, version)
    progress.advance()
    return {"users": 1, "runs": len(found)}


def for_all(progress: Progress) -> dict[str, int]:
    """Runs for all active users who are due, so many at a time. One that is broken off leaves to
    the next what it has not committed.
    """
    engine, version = _engine(progress)
    with transaction():
        users = runs.number_of_users()
    progress.step("Users", users)
    counted = {"users": 0, "runs": 0}
    last, looked_at = 0, AT_ONCE
    while looked_at == AT_ONCE:
        with transaction():
            askers, looked_at, last = runs.due(last, AT_ONCE)
            said = signals.of_users([each.user_id for each in askers])
        found = made(engine, askers, said)
        progress.check()
        if found:
            with transaction():
                runs.keep(found, version)
        counted["users"] += len(askers)
        counted["runs"] += len(found)
        progress.advance(looked_at)
    return counted


def made(engine: Engine, askers: Sequence[Asker], said: Signals) -> list[Made]:
    """What is found for users by what they did. Strangers with the same settings get the same."""
    users = [each.user_id for each in askers]
    tastes = signals.tastes(said, users, engine.titles)
    known = np.diff((tastes.likes + tastes.dislikes + tastes.vetoes).indptr) > 0
    groups: dict[Group, list[int]] = defaultdict(list)
    for row, each in enumerate(askers):
        for kind in each.kinds:
            groups[kind, each.max_age, each.excludes_dislikes].append(row)
    found = []
    for (kind, max_age, excludes), rows in groups.items():
        strangers = [row for row in rows if not known[row]]
        asked = [row for row in rows if known[row]] + strangers[:1]
        wish = Wish(
            excludes_dislikes=excludes,
            evidence=EVIDENCE,
            among=engine.titles.of_kind(kind) & engine.titles.fit_for(max_age),
        )
        started = time.perf_counter()
        lists = [_candidates(each) for each in engine.recommend(_rows(tastes, asked), wish)]
        took = round(1000 * (time.perf_counter() - started) / len(asked))
        lists += [lists[-1]] * len(strangers[1:])
        for row, candidates in zip(asked + strangers[1:], lists, strict=True):
            selected = min(wish.count, len(candidates))
            one = askers[row]
            found.append(Made(one.user_id, kind, one.signals, candidates, selected, took))
    return found


def _engine(progress: Progress, *, anew: bool = False) -> tuple[Engine, str]:
    """The engine that holds. The first one is trained here; and `anew`, if anything has changed,
    where that takes seconds.
    """
    held, state = keeping.current(), keeping.state()
    if held is None or (anew and state is not None and state.signals <= FEW_SIGNALS):
        training.train(progress)
        keeping.forget()
        held = keeping.current()
    if held is None:
        raise Unavailable("The trained recommender is not where it was stored.")
    return held


def _rows(tastes: Tastes, rows: Sequence[int]) -> Tastes:
    return Tastes(tastes.likes[rows], tastes.dislikes[rows], tastes.vetoes[rows])


def _candidates(scored: Iterable[Scored]) -> list[dict[str, Any]]:
    """As they are stored: see `RecommendationRun.candidates`."""
    return [
        {
            "id": abs(each.key),
            "score": each.score,
            "parts": each.parts,
            **({"evidence": [_evidence(one) for one in each.evidence]} if each.evidence else {}),
        }
        for each in scored
    ]


def _evidence(one: Evidence) -> dict[str, Any]:
    return {"id": one.key, "amount": one.amount, "likeness": one.likeness}
