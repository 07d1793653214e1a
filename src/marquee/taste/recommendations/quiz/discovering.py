"""Films that TMDB finds for wishes, where the catalogue has too little."""

from collections import Counter
from collections.abc import Sequence

from marquee import clock
from marquee.catalogue.metadata import columns
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.sources import LISTED, client, imported, waited_for
from marquee.catalogue.titles import search_title
from marquee.taste.recommendations.quiz.vocabulary import MOODS, SAFE, SURPRISING
from marquee.taste.recommendations.quiz.wishes import Wish

MOST_MOODS, MOST_GENRES = 3, 2
"""So many of the moods are asked for, by so many genres each."""
WANTED = 0.7
"""How much a mood must want a genre."""
UNWANTED = 0.8
VOTES, SAFE_VOTES, SURPRISING_VOTES = 100, 500, 50
NEW_YEARS, MORE_NEW_YEARS = 5, 10
CLASSIC, MORE_CLASSIC_YEARS = 2000, 20
NUMBERS = {name: number for number, name in columns.GENRES.items() if "&" not in name}
"""Genres of films by name."""


def found(wishes: Sequence[Wish], page: int = 1, *, more: bool = False) -> list[int]:
    """The ids of the films that TMDB finds, which are imported; none without a key. `more` looks
    farther. Raises Unavailable, and TimedOut where TMDB takes too long.
    """
    tmdb = client()
    if tmdb is None:
        return []
    listed = waited_for(tmdb).discover_movies(wanted(wishes, more=more), page)
    films = map(columns.listed_movie, listed["results"])
    return [film["id"] for film in imported(Movie, LISTED, listed, films, "en-US").results]


def wanted(wishes: Sequence[Wish], *, more: bool = False) -> dict[str, str | int]:
    """The parameters of TMDB's `/discover/movie` for wishes."""
    year = clock.now().year
    asked: dict[str, str | int] = {"vote_count.gte": _votes(wishes)}
    if genres := _genres(wishes):
        asked["with_genres"] = "|".join(map(str, genres))
    if without := _without(wishes):
        asked["without_genres"] = "|".join(map(str, without))
    eras = {wish.era for wish in wishes}
    if eras == {"new"}:
        first = year - (MORE_NEW_YEARS if more else NEW_YEARS)
        asked["primary_release_date.gte"] = f"{first}-01-01"
    elif eras == {"classic"}:
        last = year - MORE_CLASSIC_YEARS if more else CLASSIC
        asked["primary_release_date.lte"] = f"{last}-12-31"
    grave = sum(wish.tone in {"serious", "dark"} for wish in wishes)
    by_votes = 2 * grave > len(wishes)
    asked["sort_by"] = "vote_average.desc" if by_votes else "popularity.desc"
    if minutes := [wish.most_minutes for wish in wishes if wish.most_minutes is not None]:
        asked["with_runtime.lte"] = min(minutes)
    return asked


def _genres(wishes: Sequence[Wish]) -> list[int]:
    """TMDB's numbers of the genres that the moods of most people want."""
    counted = Counter(mood for wish in wishes for mood in wish.desired)
    unwanted = set(_without(wishes))
    numbers: dict[int, None] = {}
    for mood, _ in counted.most_common(MOST_MOODS):
        genres = sorted(MOODS[mood].genres.items(), key=lambda each: -each[1])[:MOST_GENRES]
        for name, weight in genres:
            if weight >= WANTED and name in NUMBERS and NUMBERS[name] not in unwanted:
                numbers[NUMBERS[name]] = None
    return list(numbers)


def _without(wishes: Sequence[Wish]) -> list[int]:
    names = {
        name: None
        for wish in wishes
        for mood in wish.avoided
        for name, weight in MOODS[mood].genres.items()
        if weight >= UNWANTED and name in NUMBERS
    }
    return sorted(NUMBERS[name] for name in names)


def _votes(wishes: Sequence[Wish]) -> int:
    said = search_title(". ".join(wish.about for wish in wishes))
    if SAFE.search(said):
        return SAFE_VOTES
    return SURPRISING_VOTES if SURPRISING.search(said) else VOTES
