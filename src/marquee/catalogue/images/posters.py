"""Posters of films that are popular, and of films that a client knows by name."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import Any, NotRequired, TypedDict

import structlog
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Row,
    Select,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    null,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute

from marquee.catalogue.images.addresses import POSTERS, poster_url
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.sources import Catalogue, client, source
from marquee.catalogue.search import naming
from marquee.catalogue.search.narrowing import MovieFilters
from marquee.catalogue.titles import search_title, sort_title
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.translations.service import STORED, translated
from marquee.db import as_dict, checkpoint, rows
from marquee.errors import Refusal, Unavailable
from marquee.services.tmdb import Tmdb, TmdbMovie

log = structlog.get_logger("marquee")

MOST_CALLS, SECONDS = 20, 4.0
"""What one batch may ask of TMDB: so many calls, in so much time for all of them together."""
NEAR = 1
"""Years that two sources may differ by."""

_calls = ThreadPoolExecutor(8, "posters")


class Wanted(TypedDict):
    """A film as a client knows it; `id` is the client's own."""

    id: str
    name: str
    year: NotRequired[int]
    tmdb_id: NotRequired[int]


class Resolved(TypedDict):
    """What was found of it, perhaps nothing."""

    id: str
    poster_url: str | None
    localized_name: str | None
    localized_overview: str | None


def popular() -> tuple[Sequence[Any], bool]:
    """The films that are popular now with their posters, 20 at the most, and whether the list is
    the one that was asked for: where TMDB fails, it is the catalogue's own.
    """
    try:
        return source().popular(1).results, True
    except Unavailable:
        return Catalogue().popular(1).results, False


def resolved(movies: Sequence[Wanted], locale: str) -> list[Resolved]:
    """What the catalogue knows of these films, else TMDB, in their order.

    By `tmdb_id`, else by name, in whatever language, and year. What cannot be found in time is left
    without a poster.
    """
    values = {
        "numbers": list(range(len(movies))),
        "tmdb_ids": [each.get("tmdb_id") for each in movies],
        "words": [search_title(each["name"]) for each in movies],
        "sorting": [sort_title(each["name"]) for each in movies],
        "years": [each.get("year") for each in movies],
    }
    films = {row.number: row for row in rows(_matching(), values)}
    films |= _by_other_names(movies, [each for each in range(len(movies)) if each not in films])
    language = locale.lower()
    told = translated(list(films.values()), Translation.movie_id, (language,))
    known = {
        number: _known(movies[number], text, language)
        for number, text in zip(films, map(as_dict, told), strict=True)
    }
    lacking = [number for number in range(len(movies)) if number not in known]
    if lacking and (tmdb := client()):
        checkpoint()
        known |= _by_tmdb(tmdb, movies, lacking, locale)
    return [known.get(number) or _unknown(each) for number, each in enumerate(movies)]


@cache
def _matching() -> Select[Any]:
    """The best film of the catalogue for each, by one query."""
    wanted = (
        func.unnest(
            bindparam("numbers", type_=ARRAY(Integer)),
            bindparam("tmdb_ids", type_=ARRAY(BigInteger)),
            bindparam("words", type_=ARRAY(Text)),
            bindparam("sorting", type_=ARRAY(Text)),
            bindparam("years", type_=ARRAY(Integer)),
        )
        .table_valued(
            column("number", Integer),
            column("tmdb_id", BigInteger),
            column("words", Text),
            column("sorting", Text),
            column("year", Integer),
            name="wanted",
        )
        .render_derived()
    )
    asked = wanted.c
    shown = _shown()
    order = (
        (Movie.search_title == asked.words).label("same"),
        func.abs(Movie.year - asked.year).label("apart"),
        Movie.popularity,
    )
    by_id = select(*shown, literal_column("1").label("sure"), *order).where(
        Movie.tmdb_id == asked.tmdb_id
    )
    by_name = select(*shown, literal_column("0"), *order).where(
        Movie.sort_title == asked.sorting,
        or_(
            asked.year.is_(None),
            Movie.year.is_(None),
            Movie.year.between(asked.year - NEAR, asked.year + NEAR),
        ),
        or_(asked.tmdb_id.is_(None), Movie.tmdb_id.is_(None)),
    )
    best = (
        union_all(by_id.correlate(wanted), by_name.correlate(wanted))
        .order_by(text("sure DESC, same DESC, apart NULLS LAST, popularity DESC, id"))
        .limit(1)
        .lateral("best")
    )
    columns = [best.c[each.name] for each in shown]
    return select(asked.number, *columns).select_from(wanted.join(best, true()))


def _shown() -> tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...]:
    """What is told of a film: texts as they are stored, and room for translations."""
    return (
        Movie.id,
        Movie.title.label("stored_title"),
        Movie.overview.label("stored_overview"),
        *(cast(null(), Text).label(name) for name in ("title", "overview")),
        poster_url(Movie),
    )


def _by_other_names(movies: Sequence[Wanted], lacking: list[int]) -> dict[int, Row[Any]]:
    """Those of some films that the catalogue has by a name in another language."""
    named = [number for number in lacking if "tmdb_id" not in movies[number]]
    if not named:
        return {}
    wanted = [(movies[number]["name"], _near(movies[number])) for number in named]
    try:
        ids = naming.of_names(wanted)
    except Unavailable:
        return {}
    known = {row.id: row for row in rows(_with_ids(), {"ids": [id_ for id_ in ids if id_]})}
    return {number: known[id_] for number, id_ in zip(named, ids, strict=True) if id_ in known}


def _near(wanted: Wanted) -> MovieFilters:
    if "year" not in wanted:
        return {}
    return {"year_from": wanted["year"] - NEAR, "year_to": wanted["year"] + NEAR}


@cache
def _with_ids() -> Select[Any]:
    these = Movie.id == func.any(bindparam("ids", type_=ARRAY(BigInteger)))
    return select(*_shown()).where(these)


def _known(wanted: Wanted, film: dict[str, Any], language: str) -> Resolved:
    """A film of the catalogue; each of its texts only where there is one in the language."""
    is_stored = language.partition("-")[0] == STORED
    return {
        "id": wanted["id"],
        "poster_url": film["poster_url"],
        "localized_name": film["title"] or (film["stored_title"] if is_stored else None),
        "localized_overview": film["overview"] or (film["stored_overview"] if is_stored else None),
    }


def _by_tmdb(
    tmdb: Tmdb, movies: Sequence[Wanted], lacking: list[int], locale: str
) -> dict[int, Resolved]:
    """What TMDB knows of some of them: as many as it may be asked for, and as it tells in time."""
    asked: dict[int, Future[TmdbMovie | None]] = {
        number: _calls.submit(_sought, tmdb, movies[number], locale)
        for number in lacking[:MOST_CALLS]
    }
    wait(asked.values(), SECONDS)
    found = {}
    for number, future in asked.items():
        if not future.done():
            future.cancel()
        elif isinstance(future.exception(), Refusal):
            log.info("poster_not_resolved", error=str(future.exception()))
        elif film := future.result():
            found[number] = _told(movies[number], film)
    return found


def _sought(tmdb: Tmdb, wanted: Wanted, locale: str) -> TmdbMovie | None:
    if "tmdb_id" in wanted:
        return tmdb.movie(wanted["tmdb_id"], locale)
    results = tmdb.search_movies(wanted["name"], year=wanted.get("year"), language=locale)
    return next(iter(results["results"]), None)


def _told(wanted: Wanted, film: TmdbMovie) -> Resolved:
    path = film["poster_path"]
    return {
        "id": wanted["id"],
        "poster_url": f"{POSTERS}{path.removeprefix('/')}" if path else None,
        "localized_name": film["title"],
        "localized_overview": film["overview"][:5000] or None,
    }


def _unknown(wanted: Wanted) -> Resolved:
    return {
        "id": wanted["id"],
        "poster_url": None,
        "localized_name": None,
        "localized_overview": None,
    }
