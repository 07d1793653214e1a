"""What users did, of the database: ratings, watching, favourites, what they said of films.

A film's key is its id, a series' key its id below zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from psycopg2 import sql

from marquee.taste.recommending.binary import copied
from marquee.taste.recommending.doings import DOINGS
from marquee.taste.recommending.engine import Tastes
from marquee.taste.recommending.titles import Flags, Floats, Titles, Whole
from marquee.taste.recommending.weighing import DISLIKED, levelled, weights_of

COLUMNS = {
    "user": ">i8",
    "key": ">i8",
    "score": ">f4",
    "favorite": ">i4",
    "plays": ">f4",
    "share": ">f4",
    "days": ">f4",
    "unwanted": ">i4",
}
QUERY = """
SELECT user_id, key, coalesce(max(score), 'nan')::real, max(favorite)::integer,
    max(plays)::real, coalesce(max(share), 'nan')::real,
    (extract(epoch FROM now() - coalesce(max(at), now())) / 86400)::real, max(unwanted)::integer
FROM ({doings}) AS signals GROUP BY user_id, key ORDER BY user_id, key
"""


@dataclass(frozen=True)
class Signals:
    """Rows of signals, by user and key."""

    users: Whole
    keys: Whole
    weights: Floats
    """0 for what is disliked or not wanted."""


def of_users(users: Sequence[int]) -> Signals:
    """The signals of some users."""
    ids = sql.SQL(",").join(sql.Literal(int(each)) for each in users) if users else sql.SQL("NULL")
    return _read(sql.SQL("user_id IN ({})").format(ids))


def between(first: int, last: int) -> Signals:
    """The signals of users from one id to another, both inclusive."""
    bounds = sql.Literal(first), sql.Literal(last)
    return _read(sql.SQL("user_id BETWEEN {} AND {}").format(*bounds))


def tastes(signals: Signals, users: Sequence[int], titles: Titles) -> Tastes:
    """The tastes of users, in this order. What they watched or keep is vetoed;
    whether what they dislike is, a wish decides.
    """
    ids, order = np.unique(np.array(users, np.int64), return_index=True)
    found = np.minimum(np.searchsorted(ids, signals.users), max(0, len(ids) - 1))
    at = titles.positions(signals.keys)
    here = (at >= 0) & (ids[found] == signals.users) if len(ids) else np.zeros(len(at), bool)
    at, row, weights = at[here], order[found[here]], signals.weights[here]

    def matrix(values: Floats, kept: Flags) -> sp.csr_matrix:
        shape = (len(users), len(titles.keys))
        return sp.csr_matrix((values[kept], (row[kept], at[kept])), shape=shape, dtype=np.float32)

    ones, liked = np.ones(len(at), np.float32), weights > 0
    level = levelled(weights, row, len(users))
    return Tastes(matrix(level, liked), matrix(ones, ~liked), matrix(ones, liked))


def _read(of_users: sql.Composable) -> Signals:
    found = copied(sql.SQL(QUERY.replace("{doings}", DOINGS)).format(of_users=of_users), COLUMNS)
    scores = found["score"].astype(np.float32)
    weights = weights_of(
        scores=scores,
        favorites=found["favorite"] > 0,
        plays=found["plays"].astype(np.float32),
        shares=found["share"].astype(np.float32),
        days=found["days"].astype(np.float32),
    )
    weights[(found["unwanted"] > 0) & ~(scores > DISLIKED)] = 0
    users, keys = found["user"].astype(np.int64), found["key"].astype(np.int64)
    return Signals(users, keys, weights)
