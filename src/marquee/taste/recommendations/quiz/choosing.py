"""Which films are given: the best that may be, unlike each other, and one of them before all."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from marquee.taste.recommendations.quiz.candidates import Film, Pool
from marquee.taste.recommending.ages import age_of
from marquee.taste.recommending.diversity import diversified
from marquee.taste.recommending.titles import Floats, Whole

COUNT = 6
LEAST_SIMILARITY = 0.1
CONVINCING, ENOUGH = 0.4, 3
"""With fewer than `ENOUGH` films of at least this similarity the search goes on elsewhere."""
DIVERSITY = 0.1
LOOKED_AT = 20
"""Of so many of the best, films are chosen that are unlike each other."""
LEAST_SERIES = 4
"""Letters from which on a title that begins another is taken for the first of a series."""


@dataclass(frozen=True)
class Bounds:
    """What must not be given."""

    named: Sequence[Film]
    """The films that people named."""
    vetoed: Collection[int]
    max_age: int | None


def order(pool: Pool, scores: Floats, similarities: Floats, bounds: Bounds, seed: int) -> list[int]:
    """The rows of the films to give, the best first; a seeded draw between equals.

    `scores` are what they are ordered by, `similarities` how well they fit people on average.

    Another film of a series that somebody named comes only where there is nothing else, and of one
    series one film.
    """
    possible = [row for row, film in enumerate(pool.films) if _may(film, bounds)]
    possible = [row for row in possible if similarities[row] >= LEAST_SIMILARITY]
    draw = np.random.default_rng(seed).permutation(len(possible))
    ranked = [possible[at] for at in np.lexsort((draw, -scores[possible]))] if possible else []
    first = [row for row in ranked if not _belongs(pool.films[row], bounds.named)]
    chosen = _unlike(pool, scores, _one_of_each(pool, first), COUNT)
    if len(chosen) < COUNT:
        more = [row for row in ranked if row not in set(chosen)]
        chosen += _unlike(pool, scores, more, COUNT - len(chosen))
    return sorted(chosen, key=lambda row: -scores[row])


def is_weak(similarities: Sequence[float]) -> bool:
    """Whether too few of the films convince."""
    return sum(each >= CONVINCING for each in similarities) < ENOUGH


def _may(film: Film, bounds: Bounds) -> bool:
    if film.id in bounds.vetoed:
        return False
    if bounds.max_age is not None and (age_of(film.age_rating) or 0) > bounds.max_age:
        return False
    return not any(
        film.id == each.id or (film.search_title, film.year) == (each.search_title, each.year)
        for each in bounds.named
    )


def _belongs(film: Film, named: Sequence[Film]) -> bool:
    return any(_are_series(film, each) for each in named)


def _one_of_each(pool: Pool, ranked: Sequence[int]) -> list[int]:
    """Without those of which another of the series comes before."""
    kept: list[int] = []
    for row in ranked[: 2 * LOOKED_AT]:
        if not any(_are_series(pool.films[row], pool.films[each]) for each in kept):
            kept.append(row)
    return kept


def _are_series(film: Film, other: Film) -> bool:
    """Whether two films are of one series, by their collection or by their titles."""
    if film.collection_id is not None and film.collection_id == other.collection_id:
        return True
    shorter, longer = sorted((film.search_title, other.search_title), key=len)
    return len(shorter) >= LEAST_SERIES and f"{longer} ".startswith(f"{shorter} ")


def _unlike(pool: Pool, scores: Floats, ranked: Sequence[int], count: int) -> list[int]:
    """Some of the best, by maximal marginal relevance."""
    best: Whole = np.array(ranked[:LOOKED_AT], np.int64)
    if not len(best):
        return []
    looks = pool.vectors[best] - pool.vectors.mean(axis=0)
    lengths = np.linalg.norm(looks, axis=1, keepdims=True)
    looks = (looks / np.maximum(lengths, np.float32(1e-6))).astype(np.float32)
    positions, _ = diversified(scores[best], looks, DIVERSITY, count)
    return [int(best[at]) for at in positions[:count]]
