"""How many titles pass filters, by the search index: its columns are a tenth as dear to count as
rows of the database are, and its sample a tenth of that.
"""

from typing import Any, Final, Literal

from tantivy import Query

from marquee.catalogue.search.index import reader
from marquee.catalogue.search.narrowing import MovieFilters, TVShowFilters, narrowing
from marquee.catalogue.search.schema import IN_SAMPLE, SAMPLED, schema
from marquee.catalogue.search.words import all_of, number
from marquee.errors import Unavailable

KNOWN: Final = {
    "movie": frozenset(MovieFilters.__annotations__),
    "tvshow": frozenset(TVShowFilters.__annotations__),
}
"""The filters that the index knows; they are those of the lists, by name and meaning."""
ENOUGH: Final = 220
"""Of 10,000 the sample has 156, and so many by chance once in ten million times (five standard
deviations of 12.4): there are more then, which need not be counted one by one."""


def number_of(kind: Literal["movie", "tvshow"], filters: dict[str, Any]) -> int | None:
    """The number, as it was a moment ago, or `index.BEHIND` seconds at the most: exact to 10,000,
    and a sample's estimate beyond. None where the index cannot tell: there is none yet, it lags
    behind, or it does not know a filter.
    """
    if not filters.keys() <= KNOWN[kind] or not reader.keeps_up():
        return None
    passing = narrowing(kind, filters)
    sample = Query.term_query(schema(), "sample", IN_SAMPLE, "basic")
    try:
        with reader.searching() as searcher:
            sampled = number(searcher, all_of([sample, *passing]))
            return sampled * SAMPLED if sampled >= ENOUGH else number(searcher, all_of(passing))
    except Unavailable:
        return None
