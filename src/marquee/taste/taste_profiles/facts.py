"""What there is to say of a user's taste: figures and words, without the name of any title."""

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from math import log
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    Float,
    Integer,
    Select,
    bindparam,
    func,
    literal,
    null,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.types import NullType

from marquee.db import rows
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from marquee.taste.taste_profiles.kinds import MOVIE, Kind
from marquee.watching.progress.models import Watch

DISLIKED, LIKED = 4.0, 8.0
"""Scores, of 10: up to the first a title says nothing of what is loved; from the second on it says
more.
"""
MOST_GENRES, MOST_THEMES, MOST_COUNTRIES = 6, 5, 4
Facts: TypeAlias = Mapping[str, Any]
FEWEST_RATED = 3
"""So many ratings say whether somebody is strict, and so many of a genre how it is liked."""
WHOLE = 0.9
"""So much of a series is all of it but what is still to come."""
OLD, NEW = 1980, 2015


class Known(NamedTuple):
    """A title that the user has watched, keeps or has rated."""

    title: str
    original_title: str | None
    year: int | None
    genres: list[str]
    keywords: list[str]
    countries: list[str]
    minutes: int | None
    vote_average: float | None
    score: float | None
    """Of the user, of 10."""
    is_kept: bool
    plays: int
    """How often it was watched to its end; of a series, how many of its episodes."""
    total_episodes: int

    @property
    def weight(self) -> int:
        """How much it says of what the user loves."""
        if self.score is not None and self.score <= DISLIKED:
            return 0
        return 1 + self.is_kept + (self.score is not None and self.score >= LIKED)


def known(user_id: int, kind: Kind) -> list[Known]:
    """All titles of a kind that a user has to do with, by one statement."""
    return [Known(*each) for each in rows(_known(kind), {"user_id": user_id})]


def of(titles: Sequence[Known], kind: Kind) -> dict[str, Any]:
    """The facts, as a writer is told them. Shares are of 0 to 1, `stars` of 0 to 5."""
    loved = [each for each in titles if each.weight]
    scores = [each.score for each in titles if each.score is not None]
    genres = _shares(loved, lambda each: each.genres)
    return {
        "about": kind.many,
        "titles": len(loved),
        "watched": sum(each.plays > 0 for each in titles),
        "rated": len(scores),
        "favorites": sum(each.is_kept for each in titles),
        "genres": dict(genres[:MOST_GENRES]),
        "breadth": _breadth([share for _, share in genres]),
        "themes": _themes(titles, loved),
        "decades": dict(sorted(_shares(loved, _decade))),
        "share_before_1980": _share(loved, lambda each: (each.year or OLD) < OLD),
        "share_since_2015": _share(loved, lambda each: (each.year or 0) >= NEW),
        "countries": dict(_shares(loved, lambda each: each.countries)[:MOST_COUNTRIES]),
        "average_stars": round(statistics.fmean(scores) / 2, 1) if scores else None,
        "stars_above_the_public": _above(titles),
        "genre_rated_best": _best(titles),
        "usual_minutes": _middle(each.minutes for each in loved),
        "share_watched_again": _share(loved, lambda each: each.plays > 1)
        if kind is MOVIE
        else None,
        "share_watched_whole": None if kind is MOVIE else _share(loved, _is_whole),
    }


def _shares(
    loved: Sequence[Known], named: Callable[[Known], Iterable[str]]
) -> list[tuple[str, float]]:
    """Names with the weight of the titles that have them, the heaviest first."""
    counts: Counter[str] = Counter()
    for each in loved:
        for name in set(named(each)):
            counts[name] += each.weight
    all_of_it = sum(each.weight for each in loved)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(name, round(count / all_of_it, 2)) for name, count in ordered]


def _share(loved: Sequence[Known], test: Callable[[Known], bool]) -> float | None:
    return round(sum(map(test, loved)) / len(loved), 2) if loved else None


def _decade(title: Known) -> list[str]:
    return [f"{title.year // 10 * 10}s"] if title.year else []


def _is_whole(title: Known) -> bool:
    return 0 < title.total_episodes * WHOLE <= title.plays


def _breadth(shares: Sequence[float]) -> float | None:
    """The evenness of genres: their entropy as a part of that of a dozen equal ones, at most 1."""
    total = sum(shares)
    if not total:
        return None
    parts = [share / total for share in shares if share]
    return round(min(1.0, -sum(part * log(part) for part in parts) / log(12)), 2)


def _themes(titles: Sequence[Known], loved: Sequence[Known]) -> list[str]:
    """What favourites have in common, else what all titles have; never the name of one."""
    names = {each.title.lower() for each in titles}
    dear = [each for each in loved if each.weight > 1]
    for among in (dear, loved):
        counts = Counter(chain.from_iterable(set(each.keywords) for each in among))
        found = [(-count, word) for word, count in counts.items() if count > 1]
        themes = [word for _, word in sorted(found) if word.lower() not in names]
        if themes:
            return themes[:MOST_THEMES]
    return []


def _above(titles: Sequence[Known]) -> float | None:
    """How many stars more than everybody the user gives, on average; below 0, fewer."""
    rated = [
        each.score - each.vote_average
        for each in titles
        if each.score is not None and each.vote_average
    ]
    return round(statistics.fmean(rated) / 2, 1) if len(rated) >= FEWEST_RATED else None


def _best(titles: Sequence[Known]) -> str | None:
    """The genre that is rated clearly better than the rest."""
    scores: dict[str, list[float]] = {}
    for each in titles:
        for genre in each.genres if each.score is not None else ():
            scores.setdefault(genre, []).append(each.score or 0)
    means = {
        genre: statistics.fmean(found)
        for genre, found in sorted(scores.items())
        if len(found) >= FEWEST_RATED
    }
    if len(means) <= 1:
        return None
    first, second, *_ = sorted(means, key=lambda genre: -means[genre])
    return first if means[first] >= means[second] + 0.5 else None


def _middle(values: Iterable[int | None]) -> int | None:
    there = [each for each in values if each]
    return round(statistics.median(there)) if there else None


def _raw(column: Any) -> Any:  # noqa: ANN401 - columns
    """An array as the driver gives it: to look at each word of it again takes most of the time."""
    return type_coerce(column, NullType())


@cache
def _known(kind: Kind) -> Select[*tuple[Any, ...]]:
    nothing = null().cast(Float)
    plays = func.max(Watch.watch_count) if kind is MOVIE else func.count()
    signals = [
        select(
            kind.watched.label("title_id"),
            nothing.label("score"),
            literal(0).label("kept"),
            plays.cast(Integer).label("plays"),
        )
        .where(*kind.seen)
        .group_by(kind.watched),
        select(kind.rated, Rating.score, literal(0), literal(0)).where(kind.of_user),
    ]
    if kind is MOVIE:
        kept = select(Favorite.movie_id, nothing, literal(1), literal(0))
        signals.append(kept.where(Favorite.user_id == bindparam("user_id")))
    each = union_all(*signals).subquery("signals")
    model: Any = kind.model
    named = (model.genres, model.keywords, model.countries)
    about = (
        select(
            each.c.title_id,
            func.max(each.c.score).label("score"),
            (func.max(each.c.kept) > 0).label("kept"),
            func.max(each.c.plays).label("plays"),
        )
        .group_by(each.c.title_id)
        .subquery("about")
    )
    return (
        select(
            *(model.title, model.original_title, model.year, *map(_raw, named)),
            *(kind.minutes, model.vote_average),
            *(about.c.score, about.c.kept, about.c.plays),
            literal(0) if kind is MOVIE else model.total_episodes,
        )
        .join(about, about.c.title_id == model.id)
        .order_by(model.id)
    )
