"""Films and series, as vectors are made and looked for of either."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from sqlalchemy import TextClause, text
from sqlalchemy.orm import InstrumentedAttribute

from marquee.catalogue.embeddings.models import Embedding
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit
from marquee.catalogue.tvshows.models import TVShow

Source: TypeAlias = Literal["vector", "tmdb"]
"""Who says what is similar."""


@dataclass(frozen=True)
class Kind:
    """One of the two, and where it is named."""

    name: str
    model: type[Movie] | type[TVShow]
    embedded: InstrumentedAttribute[Any]
    credited: InstrumentedAttribute[Any]

    @property
    def column(self) -> str:
        """Of the table `embeddings`."""
        return self.embedded.key


MOVIES = Kind("movie", Movie, Embedding.movie_id, Credit.movie_id)
TVSHOWS = Kind("tvshow", TVShow, Embedding.tvshow_id, Credit.tvshow_id)
BY_NAME = {each.name: each for each in (MOVIES, TVSHOWS)}


@lru_cache(maxsize=100)
def statement(sql: str, column: str, dimensions: int) -> TextClause:
    """A statement on `embeddings` with `{id}` and `{vector}`: the column of a kind, and vectors as
    they are indexed.
    """
    return text(sql.format(id=column, vector=f"vector::halfvec({dimensions})"))
