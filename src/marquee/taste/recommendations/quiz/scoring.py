"""How well each film fits what people wish: parts of 0 to 1, weighted, and put together for a
group.

The weights of what a wish is made of: nearness to the films that were named 0.7, what is desired
0.55, bounds 0.5, what is avoided 0.75, what the user liked 1, and what a recommender makes of all
that the user did 0.55.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from marquee.catalogue.embeddings import vectors
from marquee.taste.recommendations.quiz.candidates import Pool, Sought
from marquee.taste.recommendations.quiz.tastes import Taste
from marquee.taste.recommendations.quiz.vocabulary import AGAINST, MOODS, TONES
from marquee.taste.recommendations.quiz.wishes import Wish
from marquee.taste.recommending.titles import Floats, rating_worth

REFERENCE, DESIRED, CONSTRAINT, AVOID, FEEDBACK, RECENT = 0.7, 0.55, 0.5, 0.75, 1.0, 0.55
WORTH = 0.5
"""How much it counts that a film is good and known: nobody names it, everybody means it."""
UNNAMED, ABOUT_ALONE = 0.2, 0.5
"""So much more it counts for who has named no film, as does what the film is to be like."""
STORY = (0.25, 0.72)
"""Between which cosines two films are nothing alike and very alike."""
BY_SENTENCE = 0.35
"""How much the nearest sentence of a plot counts, where the rest is for all of a film's text."""
BY_WORDS = 0.35
"""How much it counts what the search index makes of a description."""
LEAST_REACH = 0.15
"""Few words lie at very different distances from films, by their number and language: what counts
is how much nearer than the middle a film is, of all that the nearest is, or of so much."""
WRONG_MOOD, LIKED = -0.08, 0.03
"""What is added to a film that the user has called so before."""
MOST_SIDES = 0.85
"""How much of a wish for a genre a film can meet by one genre: the rest is for having several."""
NEW_YEARS, STILL_NEW = 5, 20
CLASSIC, HARDLY_CLASSIC = 2000, 2015
STEP = 0.05
"""Groups: who is served worst decides, in steps of so much; within a step, the average."""
FEW_VOTES, MEAN_VOTE, BAD = 10.0, 6.5, 6.0
"""So many votes are believed by half, and what others give below `BAD` of 10 speaks against it."""
MOST_POPULAR = 100.0
TOO_LONG = 30.0
"""So many minutes beyond a bound are as bad as what is avoided."""


@dataclass(frozen=True)
class Asked:
    """What one person wishes, and what it means in the catalogue."""

    wish: Wish
    sought: Sought
    actor_films: frozenset[int]
    taste: Taste | None
    """What a trained recommender gives films."""
    liked: Floats
    """(k, d) Whole vectors of what the person liked, the latest first."""
    described: Mapping[int, float]
    """How well films fit the description by its words and its meaning, 0 to 1, by id."""
    passages: Mapping[int, float]
    """How near the nearest sentence of films' plots is to what is wished."""


def scores(pool: Pool, asked: Sequence[Asked], year: int, *, worth_counts: float = WORTH) -> Floats:
    """(people, n) How well each film fits each person's wish, 0 to 1."""
    if not pool.films:
        return np.zeros((len(asked), 0), np.float32)
    good = worth_counts, worth(pool)
    return np.array([_of_one(pool, each, year, good) for each in asked], np.float32)


def together(each: Floats) -> Floats:
    """(n) For all people at once: maximin, then the average."""
    if len(each) == 1:
        alone: Floats = each[0]
        return alone
    worst, mean = each.min(axis=0), each.mean(axis=0)
    found: Floats = (np.floor(worst / STEP) * STEP + mean * STEP).astype(np.float32)
    return found


def remembered(pool: Pool, wrong_mood: Collection[int], liked: Collection[int]) -> Floats:
    """(n) What is added for what the user said of these very films."""
    said = [WRONG_MOOD * (id_ in wrong_mood) + LIKED * (id_ in liked) for id_ in pool.ids]
    return np.array(said, np.float32)


def mood_fit(genres: Collection[str], mood: str) -> float:
    """How much of what a mood wants a film of these genres has, 0 to 1."""
    wanted = MOODS[mood].genres
    lacking = 1.0
    for genre in genres:
        lacking *= 1 - MOST_SIDES * wanted.get(genre, 0.0)
    return min((1 - lacking) / MOST_SIDES, 1.0)


def tone_fit(genres: Collection[str], tone: str) -> float:
    """How well a film of these genres suits a tone, 0 to 1."""
    suits = TONES[tone]
    best = max((suits.get(genre, 0.0) for genre in genres), default=0.4)
    against = sum(AGAINST[tone].get(genre, 0.0) for genre in genres)
    return max(best - against, 0.0)


def era_fit(year: int | None, era: str, now: int) -> float:
    """How well the year of a film suits `new` or `classic`, 0 to 1."""
    if year is None:
        return 0.3
    if era == "new":
        return float(np.interp(now - year, (NEW_YEARS, STILL_NEW), (1.0, 0.0)))
    return float(np.interp(year, (CLASSIC, HARDLY_CLASSIC), (1.0, 0.0)))


def worth(pool: Pool) -> Floats:
    """(n) How good and how known films are, 1 at the most; what is bad may be below 0."""
    votes = np.array([film.vote_count or 0 for film in pool.films], np.float32)
    given = np.array([film.vote_average or np.nan for film in pool.films], np.float32)
    sure = votes / (votes + FEW_VOTES)
    ratings = np.where(np.isnan(given), np.nan, sure * given + (1 - sure) * MEAN_VOTE)
    popularity = np.array([film.popularity or 0.0 for film in pool.films], np.float32)
    known = np.clip(popularity, 0, MOST_POPULAR) / MOST_POPULAR
    bad = np.clip((BAD - np.nan_to_num(ratings, nan=BAD)) / BAD, 0, 1)
    found: Floats = (0.5 * rating_worth(ratings.astype(np.float32)) + 0.5 * known - bad).astype(
        np.float32
    )
    return found


def story_likeness(pool: Pool, others: Floats) -> Floats:
    """(n) How like the nearest of other films each is, 0 to 1."""
    products: Floats = (pool.vectors @ others.T).max(axis=1) / np.float32(vectors.WITH_ITSELF)
    return _between(products, STORY)


def _of_one(pool: Pool, asked: Asked, year: int, good: tuple[float, Floats]) -> Floats:
    wish, size = asked.wish, len(pool.films)
    parts = [good]
    if len(asked.sought.references):
        parts.append((REFERENCE, story_likeness(pool, asked.sought.references)))
    else:
        parts.append((UNNAMED, good[1]))
    if asked.sought.about is not None:
        alone = 0.0 if len(asked.sought.references) else ABOUT_ALONE
        parts.append((DESIRED + alone, _about(pool, asked.sought.about, asked)))
    if wish.desired:
        fits = [[mood_fit(film.genres, mood) for mood in wish.desired] for film in pool.films]
        parts.append((DESIRED, _array(fits).mean(axis=1)))
    if asked.taste is not None:
        parts.append((RECENT, asked.taste.of(pool.ids)))
    if len(asked.liked):
        share = len(asked.liked) / (len(asked.liked) + 5)
        parts.append((FEEDBACK * share, story_likeness(pool, asked.liked)))
    parts += [(CONSTRAINT, each) for each in _bounds(pool, asked, year)]
    whole = sum(weight for weight, _ in parts)
    total = sum((weight * part for weight, part in parts), np.zeros(size, np.float32)) / whole
    if wish.avoided:
        fits = [[mood_fit(film.genres, mood) for mood in wish.avoided] for film in pool.films]
        total -= AVOID * _array(fits).max(axis=1)
    if (most := wish.most_minutes) is not None:
        minutes = _array([film.runtime_minutes or most for film in pool.films])
        total -= AVOID * np.clip((minutes - most) / TOO_LONG, 0, 1)
    if "documentary" not in wish.desired:
        total -= 0.3 * _array(["Documentary" in film.genres for film in pool.films])
    found: Floats = np.clip(total, 0, 1).astype(np.float32)
    return found


def _about(pool: Pool, about: Floats, asked: Asked) -> Floats:
    """How near films are to some words: by all of their text, and by the nearest sentence."""
    text = pool.vectors[:, : -vectors.GENRE_NUMBERS] @ about
    nearest = _array([asked.passages.get(id_, -1.0) for id_ in pool.ids])
    near = (1 - BY_SENTENCE) * text + BY_SENTENCE * np.maximum(text, nearest)
    middle = float(np.median(near))
    likeness = _between(near, (middle, max(float(near.max()), middle + LEAST_REACH)))
    if not asked.described:
        return likeness
    told = _array([asked.described.get(id_, 0.0) for id_ in pool.ids])
    found: Floats = (1 - BY_WORDS) * likeness + BY_WORDS * told
    return found


def _bounds(pool: Pool, asked: Asked, year: int) -> list[Floats]:
    wish, found = asked.wish, []
    if wish.era != "both":
        found.append(_array([era_fit(film.year, wish.era, year) for film in pool.films]))
    if wish.tone != "balanced":
        found.append(_array([tone_fit(film.genres, wish.tone) for film in pool.films]))
    if asked.actor_films:
        found.append(_array([id_ in asked.actor_films for id_ in pool.ids]))
    return found


def _between(cosines: Floats, ends: tuple[float, float]) -> Floats:
    least, most = ends
    found: Floats = np.clip((cosines - least) / (most - least), 0, 1).astype(np.float32)
    return found


def _array(values: Any) -> Floats:  # noqa: ANN401 - whatever NumPy takes
    return np.array(values, np.float32)
