"""Where lists and details of films come from: TMDB where there is a key, else the catalogue itself.

Both give rows of the catalogue: what TMDB lists is imported as it is listed, so that every id in an
answer is one that other operations accept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import Any, Literal, Protocol, TypeAlias

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute

from marquee import settings
from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.metadata import columns, saving
from marquee.catalogue.metadata.columns import ATTRIBUTION
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.titles import search_title
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import checkpoint, session
from marquee.services.tmdb import Tmdb, TmdbPage, TmdbShowPage, TmdbTitle

PAGE_SIZE = 20
LAST_PAGE = 500
ENGLISH = ("en", "en-US")
"""The languages whose titles the catalogue takes."""
LISTED = (
    *(Movie.id, Movie.tmdb_id, Movie.title, Movie.original_title, Movie.original_language),
    *(Movie.year, Movie.release_date, Movie.overview, Movie.genres, Movie.popularity),
    *(Movie.vote_average, Movie.vote_count, Movie.poster_path, Movie.backdrop_path),
    poster_url(Movie),
)

Columns: TypeAlias = Sequence[ColumnElement[Any] | InstrumentedAttribute[Any]]


@dataclass(frozen=True)
class Listing:
    """A page of 20 films, with the columns of `LISTED`."""

    page: int
    total_pages: int
    total_results: int
    results: Sequence[Any]
    source: Literal["tmdb", "catalogue"] = "catalogue"
    attribution: str | None = None
    page_size: int = PAGE_SIZE
    total_is_estimate: bool = False


class Source(Protocol):
    """What a source of films can do. Raises Unavailable or TimedOut when it does not serve."""

    def popular(self, page: int) -> Listing:
        """The films that are popular now."""

    def search(self, query: str, page: int, year: int | None, language: str) -> Listing:
        """The films with these words in a title, of this year, told in a language."""

    def movie(self, tmdb_id: int) -> Movie | None:
        """A film by its TMDB id; None where there is none."""

    def recommended(self, tmdb_id: int, page: int) -> Listing | None:
        """The films for those who like one; None where nobody recommends any."""


class Catalogue:
    """The catalogue by itself."""

    def popular(self, page: int) -> Listing:
        """By the popularity that was imported."""
        return page_of(Movie, LISTED, page)

    def search(self, query: str, page: int, year: int | None, language: str) -> Listing:  # noqa: ARG002
        """By the words of the title, as it is stored."""
        return page_of(Movie, LISTED, page, titled(Movie, query, year))

    def movie(self, tmdb_id: int) -> Movie | None:
        """What the catalogue has under this id."""
        return session.scalar(select(Movie).where(Movie.tmdb_id == tmdb_id))

    def recommended(self, tmdb_id: int, page: int) -> None:  # noqa: ARG002
        """It recommends nothing by itself."""
        return


class ByTmdb:
    """TMDB, imported into the catalogue."""

    def __init__(self, tmdb: Tmdb) -> None:
        self._tmdb = tmdb

    def popular(self, page: int) -> Listing:
        """TMDB's own list, in its order."""
        return self._imported(waited_for(self._tmdb).popular(page))

    def search(self, query: str, page: int, year: int | None, language: str) -> Listing:
        """TMDB's own search, in its order."""
        found = waited_for(self._tmdb).search_movies(query, page, year, language)
        return self._imported(found, language)

    def movie(self, tmdb_id: int) -> Movie | None:
        """TMDB's details."""
        details = waited_for(self._tmdb).movie(tmdb_id)
        if details is None:
            return None
        movie_id = saving.save_movie(details)
        return session.get(Movie, movie_id, populate_existing=True)

    def recommended(self, tmdb_id: int, page: int) -> Listing | None:
        """What TMDB recommends, in its order."""
        found = waited_for(self._tmdb).recommended_movies(tmdb_id, page)
        return None if found is None else self._imported(found)

    @staticmethod
    def _imported(listing: TmdbPage, language: str = "en-US") -> Listing:
        return imported(
            Movie, LISTED, listing, map(columns.listed_movie, listing["results"]), language
        )


@cache
def source() -> Source:
    """The source that the settings ask for."""
    tmdb = client()
    return Catalogue() if tmdb is None else ByTmdb(tmdb)


def client() -> Tmdb | None:
    """TMDB where the settings have a key."""
    values = settings.current()
    if not values.tmdb_api_key:
        return None
    return _client(values.tmdb_api_key, values.tmdb_base_url, values.tmdb_timeout)


def waited_for(tmdb: Tmdb) -> Tmdb:
    """TMDB within a request: the transaction so far is committed, as no connection is held while an
    answer is waited for.
    """
    checkpoint()
    return tmdb


@lru_cache(maxsize=1)
def _client(key: str, base_url: str, timeout: float) -> Tmdb:
    """One for the process, so that all hear when TMDB is down."""
    return Tmdb(key, base_url, timeout=timeout)


def recommended(tmdb_id: int, page: int = 1) -> Listing | None:
    """The films that TMDB recommends to those who like one, imported, 20 a page; None without a
    key, and for a film that TMDB does not know. Raises Unavailable or TimedOut when TMDB does not
    serve, Invalid if page > 500.
    """
    return source().recommended(tmdb_id, page)


def imported(
    model: type[Movie | TVShow],
    listed: Columns,
    listing: TmdbPage | TmdbShowPage,
    titles: Iterable[dict[str, Any]],
    language: str,
) -> Listing:
    """A list of TMDB, whose `titles` are saved, in its order and its words: perhaps in another
    language.
    """
    found = listing["results"][:PAGE_SIZE]
    saving.save_listed(model, islice(titles, PAGE_SIZE), only_new=language not in ENGLISH)
    ids = [title["id"] for title in found]
    rows = session.execute(select(*listed).where(model.tmdb_id.in_(ids))).mappings()
    by_id = {row["tmdb_id"]: dict(row) for row in rows}
    results = [by_id[title["id"]] | _words(title) for title in found]
    numbers = listing["page"], listing["total_pages"], listing["total_results"]
    return Listing(*numbers, results, "tmdb", ATTRIBUTION)


def _words(title: TmdbTitle) -> dict[str, str]:
    overview = title["overview"][: columns.LONGEST_OVERVIEW]
    return {"title": title["title"]} | ({"overview": overview} if overview else {})


def titled(model: type[Movie | TVShow], query: str, year: int | None) -> ColumnElement[bool]:
    """That a title has these words, and is of this year."""
    words = func.plainto_tsquery("simple", search_title(query))
    found: ColumnElement[bool] = model.title_words.bool_op("@@")(words)
    return found if year is None else found & (model.year == year)


def page_of(
    model: type[Movie | TVShow], listed: Columns, page: int, *which: ColumnElement[bool]
) -> Listing:
    """Titles of the catalogue, the popular first."""
    counted = select(model.id).where(*which).limit(LAST_PAGE * PAGE_SIZE).subquery()
    total = session.scalar(select(func.count()).select_from(counted)) or 0
    ordered = select(*listed).where(*which).order_by(model.popularity.desc(), model.id.desc())
    rows = session.execute(ordered.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all()
    return Listing(page, -(-total // PAGE_SIZE), total, rows)
