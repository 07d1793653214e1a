"""Titles that are near a text in meaning."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import structlog
from sqlalchemy import Row, TextClause, text

from marquee.catalogue.embeddings import vectors
from marquee.catalogue.embeddings.kinds import Kind, statement
from marquee.db import session
from marquee.errors import Unavailable
from marquee.services import embeddings

log = structlog.get_logger("marquee")

LONGEST_QUERY = 500
NEAREST = """
SELECT {id} AS id FROM embeddings WHERE model = :model AND {id} IS NOT NULL
ORDER BY {vector} <#> CAST(:query AS halfvec) LIMIT :limit
"""
COSINES = """
SELECT {id} AS id, -({vector} <#> CAST(:query AS halfvec)) AS cosine FROM embeddings
WHERE {id} = ANY(:ids) AND model = :model
"""
PASSAGES = "SELECT {id} AS id, passages FROM embeddings WHERE {id} = ANY(:ids) AND model = :model"
SEARCH_WIDTH = text("SELECT set_config('hnsw.ef_search', :width, true)")
LEAST_WIDTH, MOST_WIDTH = 100, 1000


@dataclass(frozen=True)
class Meaning:
    """A text as a vector, and what made it."""

    model: str
    vector: embeddings.Floats
    whole: str
    """As PostgreSQL compares it with whole vectors."""


def meaning_of(words: str) -> Meaning | None:
    """The meaning of a query; None where the embedder does not serve."""
    try:
        return _meaning_of(embeddings.current(), words[:LONGEST_QUERY])
    except Unavailable as error:
        log.warning("query_not_embedded", error=str(error))
        return None


def nearest(kind: Kind, meaning: Meaning, limit: int) -> list[int]:
    """The ids of the titles that are nearest, the nearest first; none where no title has a vector
    of this model.
    """
    widen(limit * 2)  # a short query lies farther from titles than these from each other
    found = _result(NEAREST, kind, meaning, limit=limit)
    return [row.id for row in found]


def cosines(kind: Kind, meaning: Meaning, ids: Iterable[int]) -> dict[int, float]:
    """How near titles are by all of their text, by id: cosines, of -1 to 1.

    What has no vector of this model is left out, here and in `passages`.
    """
    found = _result(COSINES, kind, meaning, ids=list(ids))
    return {row.id: row.cosine for row in found}


def passages(kind: Kind, meaning: Meaning, ids: Iterable[int]) -> dict[int, float]:
    """How near the nearest sentence of titles is, by id: cosines; -1 where there is no sentence."""
    found = _result(PASSAGES, kind, meaning, ids=list(ids))
    near = vectors.nearest_passages(meaning.vector, [bytes(row.passages) for row in found])
    return {row.id: float(each) for row, each in zip(found, near, strict=True)}


def widen(limit: int) -> None:
    """Let the index look at more than it is asked for, for the rest of the transaction."""
    width = min(max(LEAST_WIDTH, limit), MOST_WIDTH)
    session.connection().execute(SEARCH_WIDTH, {"width": str(width)})


def _result(sql: str, kind: Kind, meaning: Meaning, **values: Any) -> list[Row[Any]]:  # noqa: ANN401
    dimensions = len(meaning.vector) + vectors.GENRE_NUMBERS
    query: TextClause = statement(sql, kind.column, dimensions)
    asked = {"model": meaning.model, "query": meaning.whole, **values}
    return list(session.connection().execute(query, asked).all())


@lru_cache(maxsize=2000)
def _meaning_of(embedder: embeddings.Embedder, words: str) -> Meaning:
    vector = embedder.query(words)
    whole = vectors.text_of(vectors.padded(vector))
    return Meaning(embeddings.model_of(embedder, vector), vector, whole)
