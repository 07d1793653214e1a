"""Rules of the memory: what is in it, and what could be."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    any_,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
)

from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.movies import service as movies
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.sources import client, source
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.translations.service import named
from marquee.db import checkpoint, first, missing, rows, session
from marquee.errors import Invalid, NotFound, Unavailable
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from marquee.viewer import Viewer
from marquee.watching.progress.models import Watch
from marquee.watching.progress.remembering import IS_SAID, KIND, WATCHED, forget_said, remember

Statement: TypeAlias = Select[*tuple[Any, ...]]
Languages: TypeAlias = tuple[str, ...]
Answer: TypeAlias = dict[str, Any]
MOST_FOUND = 20
TMDB_PAGES = 3
"""How many pages of TMDB's popular films are imported where the catalogue has too few."""
MOVIE_KEY = case(
    (Movie.tmdb_id.is_not(None), func.concat("tmdb:", Movie.tmdb_id)),
    else_=func.concat(
        "title:", Movie.search_title, ":", func.coalesce(cast(Movie.year, Text), "na")
    ),
).label("movie_key")
FILM = (
    *(Movie.id, Movie.id.label("movie_id"), Movie.tmdb_id, MOVIE_KEY, Movie.title),
    *(Movie.title.label("movie_name"), Movie.year.label("movie_year"), poster_url(Movie)),
)
MINE: ColumnElement[bool] = Watch.user_id == bindparam("user_id")
OF_MOVIE = (Watch.movie_id == Movie.id) & MINE
LISTED = select(*FILM, KIND, Watch.updated_at).join(Watch, OF_MOVIE).where(IS_SAID)
TOTAL = select(func.count().label("total")).where(MINE, IS_SAID)
KNOWN = select(Movie.id, Movie.tmdb_id).where(
    or_(
        Movie.id == any_(bindparam("movie_ids", type_=ARRAY(BigInteger))),
        Movie.tmdb_id == any_(bindparam("tmdb_ids", type_=ARRAY(BigInteger))),
    )
)


def _unsaid() -> Statement:
    """Films of which the user has said nothing, by watching, remarking, rating or keeping them."""
    said = (
        select(model.id).where(model.movie_id == Movie.id, model.user_id == bindparam("user_id"))
        for model in (Watch, Rating, Favorite)
    )
    nothing: tuple[ColumnElement[Any], ...] = (
        cast(None, Text).label("kind"),
        cast(None, Watch.updated_at.type).label("updated_at"),
    )
    return select(*FILM, *nothing).where(*(~each.exists() for each in said))


CANDIDATES = _unsaid()
MODES: dict[str, tuple[Statement, tuple[ColumnElement[Any], ...]]] = {
    "list": (LISTED, (Watch.id.expression,)),
    "candidates": (CANDIDATES, (Movie.popularity.expression, Movie.id.expression)),
}
"""What each mode lists of the user `user_id`, and by what, descending."""
NUMBER_OF_CANDIDATES = select(func.count().label("number")).select_from(
    CANDIDATES.with_only_columns(Movie.id).limit(bindparam("enough")).subquery()
)


def total(viewer: Viewer) -> int:
    """How many films the viewer's memory holds."""
    found = first(TOTAL, {"user_id": viewer.id})
    return int(found.total) if found else 0


def sought(query: str | None, q: str | None, cursor: str | None) -> str | None:
    """The words to search for, by the first of their two names. Raises Invalid for a cursor beside
    them.
    """
    words = q if query is None else query
    if words is not None and cursor is not None:
        raise Invalid.value("query", "/cursor", "is not for a search")
    return words


def search(viewer: Viewer, words: str, limit: int, languages: Languages) -> list[Answer]:
    """Films with these words in the title, the best first, and what the viewer said of them: TMDB's
    where there is a key and it serves, else the catalogue's.
    """
    return items(viewer, _found(words)[: min(limit, MOST_FOUND)], languages)


def items(viewer: Viewer, movie_ids: Sequence[int], languages: Languages) -> list[Answer]:
    """These films and what the viewer said of them, in this order."""
    values = {"user_id": viewer.id, "movie_ids": list(movie_ids)}
    return localized(rows(_items(), values), languages)


def localized(found: Sequence[Any], languages: Languages) -> list[Answer]:
    """Rows of films with their `localized_name`: None where there is none in these languages."""
    return named(found, Translation.movie_id, languages)


def provide_candidates(viewer: Viewer, limit: int) -> None:
    """See that there are so many candidates, if TMDB knows any: its popular films are imported."""
    if client() is None:
        return
    with suppress(Unavailable):
        for page in range(1, TMDB_PAGES + 1):
            found = first(NUMBER_OF_CANDIDATES, {"user_id": viewer.id, "enough": limit})
            if found is None or found.number >= limit:
                return
            source().popular(page)


def save(viewer: Viewer, body: Answer, languages: Languages) -> Answer:
    """Remember one film, or up to 50; those that nobody knows are left out.

    Raises NotFound where none is known, Invalid for a body that names no film or too many.
    """
    wanted = _wanted(body)
    ids = _ids(wanted)
    said: dict[int, str] = {}
    for each in wanted:
        movie_id = ids.get(next(iter(_name(each).items())))
        if movie_id is not None:
            said.pop(movie_id, None)
            said[movie_id] = each.get("kind", WATCHED)
    if not said:
        raise missing(Movie, next(iter(_name(wanted[0]).values())))
    remember(viewer, said)
    saved = items(viewer, list(said), languages)
    return {"status": "saved", "requested": len(wanted), "items": saved}


def delete(viewer: Viewer, movie_key: str) -> None:
    """Forget what the viewer said of a film. Raises NotFound (MOVIE_MEMORY_NOT_FOUND)."""
    kind, _, rest = movie_key.partition(":")
    mine = select(Movie.id).join(Watch, Watch.movie_id == Movie.id)
    mine = mine.where(Watch.user_id == viewer.id, IS_SAID)
    if kind == "tmdb":
        mine = mine.where(Movie.tmdb_id == int(rest))
    else:
        title, _, year = rest.rpartition(":")
        of_year = Movie.year.is_(None) if year == "na" else Movie.year == int(year)
        mine = mine.where(Movie.search_title == title, of_year)
    found = session.scalars(mine).all()
    if not found:
        message = f"You have said nothing of {movie_key}."
        raise NotFound(message, "MOVIE_MEMORY_NOT_FOUND")
    forget_said(viewer, found)


def _found(words: str) -> list[int]:
    if client() is not None:
        with suppress(Unavailable):
            return [film["id"] for film in source().search(words, 1, None, "en-US").results]
    listed = movies.LISTING.matching(words)
    return [row.id for row in rows(listed["query"].limit(MOST_FOUND), listed["values"])]


@cache
def _items() -> Statement:
    ids = bindparam("movie_ids", type_=ARRAY(BigInteger))
    said = (
        case((IS_SAID, KIND)).label("kind"),
        case((IS_SAID, Watch.updated_at)).label("updated_at"),
    )
    films = select(*FILM, *said).outerjoin(Watch, OF_MOVIE).where(Movie.id == any_(ids))
    return films.order_by(func.array_position(ids, Movie.id))


def _wanted(body: Answer) -> list[Answer]:
    """Each film that a body names, by just one of its ids."""
    if ("items" in body) == bool(_name(body)) or ("items" in body and "kind" in body):
        message = "names one film by `movie_id` or `tmdb_id`, or several by `items`"
        raise Invalid.value("body", "", message)
    wanted: list[Answer] = body.get("items", [body])
    for number, each in enumerate(wanted):
        if len(_name(each)) != 1:
            path = f"/items/{number}" if "items" in body else ""
            raise Invalid.value("body", path, "names its film by one of `movie_id` and `tmdb_id`")
    return wanted


def _name(item: Answer) -> dict[str, int]:
    return {name: item[name] for name in ("movie_id", "tmdb_id") if name in item}


def _ids(wanted: Iterable[Answer]) -> dict[tuple[str, int], int]:
    """Our ids of those films that are known, by how they were named."""
    movie_ids = {each["movie_id"] for each in wanted if "movie_id" in each}
    tmdb_ids = {each["tmdb_id"] for each in wanted if "tmdb_id" in each}
    known = rows(KNOWN, {"movie_ids": list(movie_ids), "tmdb_ids": list(tmdb_ids)})
    ids = {("movie_id", row.id): row.id for row in known}
    ids |= {("tmdb_id", row.tmdb_id): row.id for row in known}
    if client() is not None:
        for tmdb_id in sorted(tmdb_ids - {row.tmdb_id for row in known}):
            # While TMDB is asked no connection is held.
            checkpoint()
            if (film := source().movie(tmdb_id)) is not None:
                ids["tmdb_id", tmdb_id] = film.id
    return ids
