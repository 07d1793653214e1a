"""What the trained recommender says of films to who named some, or has watched and rated some."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import structlog

from marquee.errors import Unavailable
from marquee.taste.recommending import keeping, signals
from marquee.taste.recommending.blending import Weights
from marquee.taste.recommending.engine import Tastes, Wish
from marquee.taste.recommending.titles import Floats, Titles, Whole

log = structlog.get_logger("marquee")

WEIGHTS = Weights(popularity=1.0)
"""A film that somebody names says more than that a user has watched one."""


@dataclass(frozen=True)
class Taste:
    """The recommender's scores."""

    titles: Titles
    scores: Floats
    """(n) 0 to 1, the best 1; below zero for what is no candidate."""

    def best(self, count: int) -> list[int]:
        """The ids of the best films."""
        count = min(count, len(self.scores))
        top: Whole = np.argpartition(-self.scores, count - 1)[:count]
        keys = self.titles.keys[top]
        return [int(key) for key in keys[(self.scores[top] > 0) & (keys > 0)]]

    def of(self, ids: Sequence[int]) -> Floats:
        """The scores of films; 0 for those that it does not know."""
        at = self.titles.positions(np.array(ids, np.int64))
        found: Floats = np.where(at >= 0, np.maximum(self.scores[at], 0), 0).astype(np.float32)
        return found


def of(user_id: int | None, named: Sequence[int]) -> Taste | None:
    """The taste of a user, if one is told, who likes these films too; None where the recommender
    was not trained yet, or knows nothing that was liked.
    """
    try:
        held = keeping.current()
    except Unavailable as error:
        log.warning("quiz_without_recommender", error=error.message)
        return None
    if held is None or not len(held[0].titles.keys):
        return None
    engine, titles = held[0], held[0].titles
    users = [] if user_id is None else [user_id]
    own = signals.tastes(signals.of_users(users), [user_id or 0], titles)
    at = titles.positions(np.array(named, np.int64))
    at = at[at >= 0]
    ones = np.ones(len(at), np.float32)
    shape = (1, len(titles.keys))
    also = sp.csr_matrix((ones, (np.zeros(len(at), np.int64), at)), shape=shape)
    likes = sp.csr_matrix(own.likes + also)
    if not likes.nnz:
        return None
    wish = Wish(weights=WEIGHTS, among=titles.of_kind("movie"))
    scores = engine.scores(Tastes(likes, own.dislikes, own.vetoes + also), wish)[0]
    return Taste(titles, scores / max(float(scores.max()), 1e-6))
