"""How much what a user did says about the user's taste.

From what is measured of watching: plays, episodes and completion, favourites, the user's own
ratings, and how long ago it was (a half after 180 days, never less than a quarter).
"""

import numpy as np

from marquee.taste.recommending.titles import Flags, Floats, Whole

DISLIKED = 3.0
"""Ratings of so many of 10, or fewer, are dislikes."""
FAVORITE = 1.5
HALF_LIFE_DAYS = 180.0
LEAST_RECENT = 0.25
NEARLY_ALL, HALF = 0.9, 0.5
"""Of a series."""
MOST = 3.0
"""No title counts more than so many times the mean."""


def weights_of(
    *, scores: Floats, favorites: Flags, plays: Floats, shares: Floats, days: Floats
) -> Floats:
    """Weights of liked titles, 0 for those that are disliked; all of one length.

    `scores` are of 10, NaN where there is none: a better one always weighs more, and one of 6.7
    as much as none. `plays` are a film's, or the episodes of a series; `shares` how much of a
    series was watched, 0 to 1, NaN for films; `days` since it was.
    """
    is_series = ~np.isnan(shares)
    logarithm = np.log10(np.maximum(plays, 1))
    often = 1 + np.where(is_series, 1.0, 0.5) * logarithm
    completion = np.select([shares > NEARLY_ALL, shares > HALF], [1.5, 1.2], 1.0)
    rated = np.where(np.isnan(scores), 1.0, 0.5 + 0.075 * np.clip(scores, 0, 10))
    recent = np.maximum(0.5 ** (np.maximum(days, 0) / HALF_LIFE_DAYS), LEAST_RECENT)
    weights = often * completion * rated * np.where(favorites, FAVORITE, 1.0) * recent
    return np.where(scores <= DISLIKED, 0, weights).astype(np.float32)


def levelled(weights: Floats, row: Whole, users: int) -> Floats:
    """Weights around 1 for each user, whose `row` is told: so users who watched long ago are not
    known less. Those that are 0 stay so.
    """
    liked = weights > 0
    counts = np.maximum(np.bincount(row[liked], minlength=users), 1)
    mean = np.bincount(row[liked], weights[liked], minlength=users) / counts
    mean[mean == 0] = 1
    return np.minimum(weights / mean[row], MOST).astype(np.float32)
