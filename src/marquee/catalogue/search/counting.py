"""How many titles pass filters, by the search index: its columns are a tenth as dear to count as
rows of the database are.
"""

from typing import Any, Final, Literal

from tantivy import Occur, Query

from marquee.catalogue.search.index import reader
from marquee.catalogue.search.narrowing import MovieFilters, TVShowFilters, narrowing
from marquee.errors import Unavailable

KNOWN: Final = {
    "movie": frozenset(MovieFilters.__annotations__),
    "tvshow": frozenset(TVShowFilters.__annotations__),
}
"""The filters that the index knows; they are those of the lists, by name and meaning."""


def number_of(kind: Literal["movie", "tvshow"], filters: dict[str, Any]) -> int | None:
    """The number, as it was a moment ago, or `index.BEHIND` seconds at the most; None where the
    index cannot tell: there is none yet, it lags behind, or it does not know a filter.
    """
    if not filters.keys() <= KNOWN[kind] or not reader.keeps_up():
        return None
    query = Query.boolean_query([(Occur.Must, each) for each in narrowing(kind, filters)])
    try:
        with reader.searching() as searcher:
            found: Any = searcher.search(query, limit=1)
            return int(found.count)
    except Unavailable:
        return None
