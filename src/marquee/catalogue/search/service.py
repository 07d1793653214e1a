"""Searching: what the index finds, shown as the database has it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, Unpack

import tantivy
from sqlalchemy import ARRAY, BigInteger, Select, bindparam, func

from marquee.catalogue.listing import Listing
from marquee.catalogue.movies import service as movies
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.search import narrowing, words
from marquee.catalogue.search.highlighting import Marker
from marquee.catalogue.search.index import reader
from marquee.catalogue.search.narrowing import Filters, MovieFilters, TVShowFilters
from marquee.catalogue.search.outside import finding, serves
from marquee.catalogue.translations.languages import Asked
from marquee.catalogue.tvshows import service as tvshows
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import as_dict, rows
from marquee.errors import Invalid
from marquee.late import late
from marquee.remembered import key_of

if TYPE_CHECKING:
    from marquee.catalogue.search import blending
else:
    blending = late("marquee.catalogue.search.blending")

DEEPEST = 10_000
FACETS_BYTES = 50_000
Titles: TypeAlias = Literal["movie", "tvshow"]
LISTINGS: Final[dict[Titles, tuple[Listing, type[Movie | TVShow]]]] = {
    "movie": (movies.LISTING, Movie),
    "tvshow": (tvshows.LISTING, TVShow),
}


class MovieSearch(MovieFilters, Asked, total=False):
    """What a search for films can be narrowed by, and the language of the answer."""


class TVShowSearch(TVShowFilters, Asked, total=False):
    """What a search for series can be narrowed by, and the language of the answer."""


@dataclass(frozen=True)
class Page:
    """A page of finds. `facets` are None unless asked for."""

    page: int
    page_size: int
    total_results: int
    search_time_ms: float
    hits: Sequence[dict[str, Any]]
    facets: dict[str, list[dict[str, Any]]] | None

    @property
    def total_pages(self) -> int:
        """How many pages there are, with the last one's rest."""
        return -(-self.total_results // self.page_size)


def search(  # noqa: PLR0913 - what may be asked for
    kind: Titles,
    q: str,
    asked: MovieSearch | TVShowSearch,
    *,
    page: int,
    page_size: int,
    sort_by: str,
    facets: bool,
) -> Page:
    """A page of the titles of a kind that a query finds, as their list shows them.

    Raises Invalid for a page beyond the 10,000th find, and Unavailable (SEARCH_UNAVAILABLE).
    """
    window = window_of(page, page_size)
    started = time.perf_counter()
    query = words.words_of(q)
    languages: Asked = {}
    for name in ("language", "accept_language"):
        if name in asked:
            languages[name] = asked[name]
    look = _outside if serves() else _inside
    best, total, counts = look(kind, query, asked, sort_by, window, facets)
    shown = documents(kind, [id_ for id_, _ in best], **languages)
    marker = Marker(query)
    hits = [
        {"document": shown[id_], "score": score, "highlights": highlights(marker, shown[id_])}
        for id_, score in best
        if id_ in shown
    ]
    return Page(page, page_size, total, milliseconds(started), hits, counts)


Counts: TypeAlias = dict[str, list[dict[str, Any]]]
Looked: TypeAlias = tuple[list[tuple[int, float | None]], int, Counts | None]
"""The ids of a page with their scores, how many finds there are, and facets if asked for."""


def _inside(  # noqa: PLR0913, PLR0917 - what a search is
    kind: Titles,
    query: words.Words,
    filters: Filters,
    sort_by: str,
    window: dict[str, int],
    facets: bool,  # noqa: FBT001 - as above
) -> Looked:
    within = narrowing.narrowing(kind, filters)
    with reader.searching() as searcher:
        found = _found(searcher, kind, query, within, sort_by, window)
        best = _scored(searcher, found.best, sort_by)
        counts = narrowing.counted(searcher, kind, found.query) if facets else None
    return best, found.total, counts


def _outside(  # noqa: PLR0913, PLR0917 - what a search is
    kind: Titles,
    query: words.Words,
    filters: Filters,
    sort_by: str,
    window: dict[str, int],
    facets: bool,  # noqa: FBT001 - as above
) -> Looked:
    found = finding.search(
        [kind],
        query,
        filters,
        limit=window["limit"],
        offset=window["offset"],
        sort_by=sort_by,
        counted=kind if facets else None,
    )
    by_score = sort_by == "relevance"
    best = [(id_, round(score, 3) if by_score else None) for (_, id_), score in found.best]
    return best, found.total, found.counts


def _found(  # noqa: PLR0913, PLR0917 - what a search is
    searcher: tantivy.Searcher,
    kind: Titles,
    query: words.Words,
    within: Sequence[tantivy.Query],
    sort_by: str,
    window: dict[str, int],
) -> words.Found:
    """A page of finds. A description is ranked by its meaning too, as far as there are vectors."""
    how = {**window, **narrowing.ordering(sort_by)}
    if len(query.units) < words.LEAST_DESCRIPTION:
        return words.search(searcher, query, within, **how)
    found = blending.blended(searcher, kind, query, within)
    if isinstance(found, blending.Blend):
        if sort_by == "relevance":
            return found.window(searcher, **window)
        return words.seen(searcher, found.query, **how)
    end = window["offset"] + window["limit"]
    if sort_by == "relevance" and end <= blending.BY_WORDS:
        return replace(found, best=found.best[window["offset"] : end])
    return words.search(searcher, query, within, **how)


def count(kind: Titles, q: str | None, filters: Filters) -> dict[str, Any]:
    """How many titles of a kind have which values, of those that a query finds or of all."""
    if serves():
        return finding.count(kind, q, filters)

    def counts(searcher: tantivy.Searcher) -> dict[str, Any]:
        within = narrowing.narrowing(kind, filters)
        if q is None:
            return narrowing.counted(searcher, kind, words.all_of(within))
        first = {"limit": 1, "offset": 0}
        found = _found(searcher, kind, words.words_of(q), within, "relevance", first)
        return narrowing.counted(searcher, kind, found.query)

    return reader.found(("facets", kind, q, key_of(filters)), counts, FACETS_BYTES)


def window_of(page: int, page_size: int) -> dict[str, int]:
    """The finds of a page. Raises Invalid for one that lies beyond the 10,000th."""
    if page * page_size > DEEPEST:
        raise Invalid.value(
            "query", "/page", f"reaches beyond result {DEEPEST}: narrow it by a filter"
        )
    return {"limit": page_size, "offset": (page - 1) * page_size}


def _scored(
    searcher: tantivy.Searcher, best: words.Best, sort_by: str
) -> list[tuple[int, float | None]]:
    """The ids that were found, with their scores where they are sorted by it."""
    keys = words.keys_of(searcher, best)
    return [
        (id_, round(score, 3) if sort_by == "relevance" else None)
        for (_, id_), (score, _) in zip(keys, best, strict=True)
    ]


def documents(kind: Titles, ids: list[int], **languages: Unpack[Asked]) -> dict[int, Any]:
    """The rows of `GET /movies` or `GET /tvshows` for these ids; those that are still there."""
    listing, model = LISTINGS[kind]
    listed = listing.listed("popularity", "desc", **languages)
    found = rows(_with_ids(listed["shown"], model), {"hit_ids": ids}) if ids else []
    return {each["id"]: each for each in map(as_dict, listed["finish"](found))}


@lru_cache(maxsize=8)
def _with_ids(shown: Select[Any], model: type[Movie | TVShow]) -> Select[Any]:
    return shown.where(model.id == func.any(bindparam("hit_ids", type_=ARRAY(BigInteger))))


def highlights(marker: Marker, shown: dict[str, Any]) -> dict[str, str | None]:
    """Where a title has the words of the query."""
    return {
        "title": marker.name(shown["title"]),
        "original_title": marker.name(shown["original_title"]),
        "overview": marker.plot(shown["overview"]),
    }


def milliseconds(started: float) -> float:
    """How long it is since `time.perf_counter()` said so."""
    return round((time.perf_counter() - started) * 1000, 3)
