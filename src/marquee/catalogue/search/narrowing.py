"""What a search is narrowed by, sorted by and counted by, in Tantivy's words."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias, TypedDict

import tantivy
from tantivy import FieldType, Order, Query

from marquee.catalogue.search.schema import schema
from marquee.catalogue.search.words import only

ONE_OF: Final = {
    "genre": "genres",
    "age_rating": "age_rating",
    "status": "status",
    "resolution": "resolution",
    "network": "networks",
}
"""Filters with several values, any of which may hold, and their fields."""
ORDERS: Final = {
    "popularity": "popularity",
    "vote_average": "vote_average",
    "release_date": "released",
    "first_air_date": "released",
    "library_added_at": "added",
    "title": "sort_title",
}
MOST_VALUES: Final = {"genres": 50, "year": 300, "directors": 20, "networks": 20}
FEW_VALUES = 20
COUNTED: Final = {
    "movie": ("genres", "year", "status", "directors", "resolution", "has_file"),
    "tvshow": ("genres", "year", "status", "networks"),
}
SHOWN_AS: Final = {"year": "years"}


Filters: TypeAlias = Mapping[str, Any]
"""Those of `MovieFilters` or `TVShowFilters`."""


class TitleFilters(TypedDict, total=False):
    """What all searches for titles can be narrowed by; a list holds where any value does."""

    genre: list[str]
    year_from: int
    year_to: int
    min_score: float
    age_rating: list[str]
    original_language: str
    status: list[str]


class MovieFilters(TitleFilters, total=False):
    """Those of films."""

    has_file: bool
    resolution: list[str]


class TVShowFilters(TitleFilters, total=False):
    """Those of series."""

    network: list[str]


def narrowing(kind: str, filters: Filters) -> list[Query]:
    """What has to hold for titles of a kind that pass all filters."""
    queries = [only(kind)]
    for name, field in ONE_OF.items():
        if values := filters.get(name):
            queries.append(Query.term_set_query(schema(), field, values))
    if "year_from" in filters or "year_to" in filters:
        years = filters.get("year_from"), filters.get("year_to")
        queries.append(Query.range_query(schema(), "year", FieldType.Integer, *years))
    if "min_score" in filters:
        least = float(filters["min_score"])
        queries.append(Query.range_query(schema(), "vote_average", FieldType.Float, least))
    if "original_language" in filters:
        language = filters["original_language"]
        queries.append(Query.term_query(schema(), "language", language, "basic"))
    if "has_file" in filters:
        queries.append(Query.term_query(schema(), "has_file", filters["has_file"], "basic"))
    return queries


def ordering(sort_by: str) -> dict[str, Any]:
    """How Tantivy is to sort: `relevance`, or a field and a direction, `title:asc`."""
    if sort_by == "relevance":
        return {"weight_by_field": "weight"}
    name, _, direction = sort_by.partition(":")
    order = Order.Asc if direction == "asc" else Order.Desc
    return {"order_by_field": ORDERS[name], "order": order}


def counted(searcher: tantivy.Searcher, kind: str, query: Query) -> dict[str, list[dict[str, Any]]]:
    """How many finds have which values, the most frequent first; years from the latest."""
    asked = {
        field: {"terms": {"field": field, "size": MOST_VALUES.get(field, FEW_VALUES)}}
        for field in COUNTED[kind]
    }
    found = searcher.aggregate(query, asked)
    return {SHOWN_AS.get(field, field): _values(field, found[field]) for field in COUNTED[kind]}


def _values(field: str, aggregation: dict[str, Any]) -> list[dict[str, Any]]:
    kind = {"year": int, "has_file": bool}.get(field, str)
    values = [
        {"value": kind(each["key"]), "count": each["doc_count"]} for each in aggregation["buckets"]
    ]
    return sorted(values, key=lambda each: -each["value"]) if field == "year" else values
