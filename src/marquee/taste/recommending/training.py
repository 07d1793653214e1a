"""Training the engine on what all users did."""

import hashlib
from datetime import UTC

import numpy as np
import scipy.sparse as sp
from sqlalchemy import text

from marquee import clock
from marquee.db import session, transaction
from marquee.progress import Progress
from marquee.taste.recommending import keeping, reading, signals
from marquee.taste.recommending.engine import Engine
from marquee.taste.recommending.signals import Signals
from marquee.taste.recommending.titles import Titles

STEPS = ("Signals", "Titles", "EASE", "PureSVD", "iALS", "Storing")
USERS_AT_ONCE = 5000
SEED = 1
PATIENCE = text("SELECT set_config('statement_timeout', '600s', true)")
STATE_OF_DATABASE = text("""
SELECT concat_ws(';',
    (SELECT concat_ws(',', count(*), max(updated_at)) FROM ratings),
    (SELECT concat_ws(',', count(*), max(id)) FROM favorites),
    (SELECT concat_ws(',', count(*), max(updated_at)) FROM watches),
    (SELECT concat_ws(',', count(*), max(updated_at)) FROM movies),
    (SELECT concat_ws(',', count(*), max(updated_at)) FROM tvshows),
    (SELECT concat_ws(',', count(*), max(embedded_at)) FROM embeddings))
""")
LAST_USER = text("SELECT coalesce(max(id), 0) FROM users")


def train(progress: Progress) -> dict[str, int]:
    """Train the engine anew, unless nothing that it learns from has changed; what it was trained
    on. 10,000 users and 100,000 titles take some minutes. Raises Unavailable where it cannot be
    stored.
    """
    progress.plan(len(STEPS))
    with transaction():
        session.execute(PATIENCE)
        state = session.scalar(STATE_OF_DATABASE) or ""
    trained_of = hashlib.sha256(state.encode()).hexdigest()
    before = keeping.state()
    if before and before.trained_of == trained_of:
        progress.log("Nothing has changed since the last training.")
        return {"unchanged": 1, "users": before.users, "titles": before.titles}
    found = _signals(progress)
    progress.step("Titles")
    with transaction():
        session.execute(PATIENCE)
        titles = reading.titles(np.unique(found.keys))
    watched = _matrix(found, titles)
    engine = Engine.fit(titles, watched, seed=SEED, say=progress.step)
    progress.step("Storing")
    now = clock.now().astimezone(UTC)
    keeping.keep(
        engine,
        keeping.State(
            version=now.strftime("%Y%m%dT%H%M%S%f"),
            before=before.version if before else None,
            trained_at=now.isoformat(),
            trained_of=trained_of,
            users=watched.shape[0],
            titles=len(titles.keys),
            signals=int(watched.nnz),
        ),
    )
    return {"users": watched.shape[0], "titles": len(titles.keys), "signals": int(watched.nnz)}


def _signals(progress: Progress) -> Signals:
    with transaction():
        last = int(session.scalar(LAST_USER) or 0)
    progress.step("Signals", last)
    parts = []
    for start in range(1, last + 1, USERS_AT_ONCE):
        with transaction():
            session.execute(PATIENCE)
            parts.append(signals.between(start, start + USERS_AT_ONCE - 1))
        progress.advance(min(USERS_AT_ONCE, last + 1 - start))
    if not parts:
        return Signals(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
    return Signals(
        np.concatenate([each.users for each in parts]),
        np.concatenate([each.keys for each in parts]),
        np.concatenate([each.weights for each in parts]),
    )


def _matrix(found: Signals, titles: Titles) -> sp.csr_matrix:
    """What users did not dislike, 1 for each: (users with signals, titles).

    How much they liked it counts when they are asked for; as weights of EASE it made lists worse.
    """
    at = titles.positions(found.keys)
    liked = (at >= 0) & (found.weights > 0)
    users, row = np.unique(found.users[liked], return_inverse=True)
    ones = np.ones(len(row), np.float32)
    shape = (len(users), len(titles.keys))
    return sp.csr_matrix((ones, (row, at[liked])), shape=shape)
