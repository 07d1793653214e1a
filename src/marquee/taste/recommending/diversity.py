"""Lists whose titles do not resemble each other: maximal marginal relevance, Carbonell and
Goldstein 1998.
"""

import numpy as np

from marquee.taste.recommending.titles import Floats, Whole


def diversified(scores: Floats, looks: Floats, weight: float, count: int) -> tuple[Whole, Floats]:
    """The order of a pool, of which the first `count` are chosen one by one, and how little each
    resembles those chosen before it, 0 to 1.

    `scores` (pool), `looks` (pool, d) of length 1. The score to be ordered by is
    `(1 - weight) * score + weight * unlikeness`; it falls along the order. Of equals the earlier
    comes first.
    """
    unlike = np.ones(len(scores), np.float32)
    left = np.ones(len(scores), bool)
    chosen = []
    for _ in range(min(count, len(scores))):
        value = np.where(left, (1 - weight) * scores + weight * unlike, -np.inf)
        best = int(np.argmax(value))
        chosen.append(best)
        left[best] = False
        likeness = np.clip(looks @ looks[best], 0, 1)
        unlike = np.where(left, np.minimum(unlike, 1 - likeness), unlike)
    rest = np.flatnonzero(left)
    value = (1 - weight) * scores[rest] + weight * unlike[rest]
    rest = rest[np.argsort(-value, kind="stable")]
    return np.concatenate([np.array(chosen, np.int64), rest]), unlike
