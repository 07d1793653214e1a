"""Searching films, series, people and collections together."""

import time
from collections import defaultdict
from functools import cache
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    func,
    null,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute
from tantivy import Query

from marquee.catalogue.collections.models import Collection
from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Person
from marquee.catalogue.search import narrowing, words
from marquee.catalogue.search.highlighting import Marker
from marquee.catalogue.search.index import reader
from marquee.catalogue.search.outside import finding, serves
from marquee.catalogue.search.schema import KINDS, schema
from marquee.catalogue.search.service import Page, highlights, milliseconds, window_of
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import as_dict, rows

NO_TEXT, NO_NUMBER = cast(null(), Text), cast(null(), Integer)
Column: TypeAlias = ColumnElement[Any] | InstrumentedAttribute[Any]
Shown: TypeAlias = dict[str, Column]


def _of_title(model: type[Movie | TVShow]) -> Shown:
    names = ("id", "title", "original_title", "year", "overview")
    columns: Shown = {name: getattr(model, name) for name in names}
    return columns | {"poster_url": poster_url(model), "profile_path": NO_TEXT}


def _of_name(model: type[Person | Collection], **more: Column) -> Shown:
    nothing: Shown = dict.fromkeys(
        ("original_title", "overview", "poster_url", "profile_path"), NO_TEXT
    )
    return {"id": model.id, "title": model.name, "year": NO_NUMBER, **nothing, **more}


SHOWN: Final[dict[str, tuple[type[Movie | TVShow | Person | Collection], Shown]]] = {
    "movie": (Movie, _of_title(Movie)),
    "tvshow": (TVShow, _of_title(TVShow)),
    "person": (Person, _of_name(Person, profile_path=Person.profile_path)),
    "collection": (Collection, _of_name(Collection, overview=Collection.overview)),
}


def search(q: str, *, page: int, page_size: int, kinds: list[str] | None = None) -> Page:
    """A page of what a query finds, of all kinds or of these.

    Raises Invalid for a page beyond the 10,000th find, and Unavailable (SEARCH_UNAVAILABLE).
    """
    window = window_of(page, page_size)
    started = time.perf_counter()
    query = words.words_of(q)
    best, total = (_outside if serves() else _inside)(query, kinds, window)
    shown, marker = _shown([key for key, _ in best]), Marker(query)
    hits = [
        {
            **shown[key],
            "kind": key[0],
            "score": round(score, 3),
            "highlights": highlights(marker, shown[key]),
        }
        for key, score in best
        if key in shown
    ]
    return Page(page, page_size, total, milliseconds(started), hits, None)


Looked: TypeAlias = tuple[list[tuple[tuple[str, int], float]], int]
"""Kind, id and score of the finds of a page, and how many finds there are."""


def _inside(query: words.Words, kinds: list[str] | None, window: dict[str, int]) -> Looked:
    within = [Query.term_set_query(schema(), "kind", kinds)] if kinds else []
    with reader.searching() as searcher:
        how = {**window, **narrowing.ordering("relevance")}
        found = words.search(searcher, query, within, **how)
        keys = words.keys_of(searcher, found.best)
    return list(zip(keys, (score for score, _ in found.best), strict=True)), found.total


def _outside(query: words.Words, kinds: list[str] | None, window: dict[str, int]) -> Looked:
    found = finding.search(kinds, query, {}, limit=window["limit"], offset=window["offset"])
    return found.best, found.total


def _shown(keys: list[tuple[str, int]]) -> dict[tuple[str, int], dict[str, Any]]:
    """The rows that are still there, by one query for each kind among them."""
    by_kind: dict[str, list[int]] = defaultdict(list)
    for kind, id_ in keys:
        by_kind[kind].append(id_)
    return {
        (kind, row.id): as_dict(row)
        for kind in KINDS
        if kind in by_kind
        for row in rows(_of(kind), {"ids": by_kind[kind]})
    }


@cache
def _of(kind: str) -> Select[Any]:
    """What is shown of one kind."""
    model, columns = SHOWN[kind]
    query: Select[Any] = select(*(each.label(name) for name, each in columns.items()))
    return query.where(model.id == func.any(bindparam("ids", type_=ARRAY(BigInteger))))
