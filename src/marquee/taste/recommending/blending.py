"""How the parts of a score come together.

Each model's scores are brought to the same spread over the user's candidates (z-scores), weighted
and added; the sum is moved and stretched so that the worst candidate of all parts would have 0 and
the best 1. Order is that of the weighted z-scores; and since moving and stretching are done part by
part, the parts, each of 0 or more, add up to the score.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from marquee.taste.recommending.titles import Flags, Floats

PARTS = ("collaborative", "content", "popularity", "rating", "novelty", "dislikes")
"""Those of every candidate. `diversity` and `penalty` are added when a list is made."""
LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class Weights:
    """How much each part counts, before what is known of a user is taken into account."""

    collaborative: float = 1.0
    content: float = 0.2
    """Nearness to what the user likes."""
    popularity: float = 10.0
    """For who has said nothing; less with each like: see `of_users`."""
    rating: float = 0.05
    novelty: float = 0.05
    dislikes: float = 0.1
    """Distance from what the user dislikes."""
    diversity: float = 0.2
    """Of the final score, 0 to 1: how little a title resembles those above it; 1 - lambda of
    MMR."""
    ease: float = 1.0
    als: float = 0.5
    svd: float = 0.5
    """The three within `collaborative`."""
    half_known: float = 2.0
    """After so many likes popularity counts half."""
    half_shared: float = 5.0
    """Where so many others watched what the user likes, the two halves below meet."""
    content_alone: float = 1.0
    popularity_alone: float = 0.3
    rating_alone: float = 0.2
    """Of who is alone with these likes, as in a household: nobody else's tell what goes with
    them."""

    def of_users(self, likes: Floats, others: Floats) -> dict[str, Floats]:
        """The weights for users of so many likes, (users) each, which so many others share on
        average.
        """
        ones = np.ones_like(likes)
        unknown = 1 / (1 + (likes / np.float32(self.half_known)) ** 2)
        alone = np.where(likes > 0, 1 / (1 + (others / np.float32(self.half_shared)) ** 2), 0)
        company = 1 - alone
        return {
            "collaborative": self.collaborative * company,
            "content": company * self.content * (1 - unknown) + alone * self.content_alone,
            "popularity": company * self.popularity * unknown + alone * self.popularity_alone,
            "rating": company * self.rating + alone * self.rating_alone,
            "novelty": self.novelty * (1 - unknown),
            "dislikes": self.dislikes * ones,
        }


@dataclass(frozen=True)
class Blend:
    """Parts of scores, (users, n) each, and how they came from the models' own."""

    parts: dict[str, Floats]
    stretch: dict[str, Floats]
    """(users) A part grows by so much when the raw score grows by 1."""

    @property
    def total(self) -> Floats:
        """The scores without diversity and penalty, (users, n), 0 to 1."""
        found = sum(self.parts.values())
        return np.asarray(found, np.float32)


@dataclass
class Spread:
    """Mean and standard deviation of raw scores over candidates, (users, 1)."""

    mean: Floats
    deviation: Floats


def spread(raw: Floats, candidates: Flags) -> Spread:
    """How raw scores (users, n) are spread over the candidates; a deviation is never 0."""
    counts = np.maximum(candidates.sum(axis=1, keepdims=True), 1)
    mean = np.where(candidates, raw, 0).sum(axis=1, keepdims=True, dtype=np.float64) / counts
    away = np.where(candidates, raw - mean, 0)
    deviation = np.sqrt(np.square(away).sum(axis=1, keepdims=True) / counts)
    flat = deviation < LEAST_SPREAD * (1 + np.abs(mean))
    return Spread(mean.astype(np.float32), np.where(flat, np.inf, deviation).astype(np.float32))


@dataclass(frozen=True)
class Collaborative:
    """The three models' scores as one: raw scores (users, n) and how a model's score enters."""

    raw: Floats
    ease: Floats
    als: Floats
    svd: Floats
    """(users, 1): by how much the raw score of a title that EASE knows grows with the model's."""
    als_alone: Floats
    """(users, 1): the same for one that only iALS knows."""
    spreads: dict[str, Spread] = field(default_factory=dict)


def joined(
    scores: tuple[Floats, Floats, Floats], in_ease: Flags, candidates: Flags, weights: Weights
) -> Collaborative:
    """EASE's, iALS' and PureSVD's scores as one; titles that EASE does not know have iALS' for all
    three.
    """
    ease, als, svd = scores
    known = candidates & in_ease
    of = [spread(ease, known), spread(als, candidates), spread(svd, known)]
    by = [
        np.float32(weight) / each.deviation
        for weight, each in zip((weights.ease, weights.als, weights.svd), of, strict=True)
    ]
    alone = np.float32(weights.ease + weights.als + weights.svd) / of[1].deviation
    total = by[0] * (ease - of[0].mean)
    total += by[1] * (als - of[1].mean)
    total += by[2] * (svd - of[2].mean)
    raw = np.where(in_ease, total, alone * (als - of[1].mean))
    return Collaborative(raw, by[0], by[1], by[2], alone)


def blended(raws: Mapping[str, Floats], candidates: Flags, weights: Mapping[str, Floats]) -> Blend:
    """The parts of the scores of candidates; 0 for all others."""
    lows, reach, by = {}, {}, {}
    some = candidates.any(axis=1, keepdims=True)
    for name, raw in raws.items():
        by[name] = weights[name][:, None] / spread(raw, candidates).deviation
        least = np.where(candidates, raw, np.inf).min(axis=1, keepdims=True)
        most = np.where(candidates, raw, -np.inf).max(axis=1, keepdims=True)
        lows[name] = np.where(some, least, 0)
        reach[name] = by[name] * (np.where(some, most, 0) - lows[name])
    whole = np.asarray(sum(reach.values()))
    whole[whole == 0] = 1
    stretch = {name: by[name] / whole for name in raws}
    parts = {
        name: np.where(candidates, stretch[name] * (raw - lows[name]), 0).astype(np.float32)
        for name, raw in raws.items()
    }
    return Blend(parts, {name: each[:, 0] for name, each in stretch.items()})
