"""Finding films by names that are not their titles: original ones and those of other languages."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from tantivy import Query

from marquee.catalogue.search.index import reader
from marquee.catalogue.search.narrowing import MovieFilters, narrowing
from marquee.catalogue.search.outside import finding, queries, serves
from marquee.catalogue.search.outside.documents import key_of, mark
from marquee.catalogue.search.schema import schema
from marquee.catalogue.search.words import keys_of, narrowed, seen
from marquee.catalogue.titles import sort_title

Named: TypeAlias = Sequence[tuple[str, MovieFilters]]
"""A film's name, and what else has to hold for the film."""


def of_names(wanted: Named) -> list[int | None]:
    """The id of the most popular film for each. Raises Unavailable (SEARCH_UNAVAILABLE)."""
    return list((_outside if serves() else _inside)(wanted))


def _inside(wanted: Named) -> Iterable[int | None]:
    with reader.searching() as searcher:
        for name, filters in wanted:
            named = Query.term_query(schema(), "whole_other", sort_title(name), "basic")
            within = narrowing("movie", filters)
            query = narrowed(Query.const_score_query(named, 1.0), within)
            best = seen(searcher, query, limit=1, weight_by_field="weight").best
            yield next((id_ for _, id_ in keys_of(searcher, best)), None)


def _outside(wanted: Named) -> Iterable[int | None]:
    popular = {**finding.ID_AND_SCORE, "q": "", "limit": 1, "sort": ["popularity:desc"]}
    asked = [
        finding.narrowed(
            popular,
            [
                *queries.within(["movie"], filters),
                queries.one_of("marks", [mark("whole", sort_title(name))]),
            ],
        )
        for name, filters in wanted
    ]
    for found in finding.ask(*asked):
        yield next((key_of(hit.id)[1] for hit in found.hits), None)
