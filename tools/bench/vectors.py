"""Vectors of all films of a synthetic catalogue, in minutes instead of hours.

The embedder reads the plots of `READ` films. Every film's vector lies between those of three of
these, with its own genres behind it: as near to each other as vectors of real texts are, of which
many are of a kind. Loaded by COPY, as rows of one length (PostgreSQL's binary format).
"""

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, select, text

from marquee.catalogue.embeddings import indexes, vectors
from marquee.catalogue.embeddings.kinds import MOVIES, statement
from marquee.catalogue.embeddings.models import Embedding
from marquee.catalogue.embeddings.nearest import LEAST_WIDTH
from marquee.catalogue.embeddings.similar import LIKE
from marquee.catalogue.embeddings.vectors import GENRE_NUMBERS
from marquee.catalogue.movies.models import Movie
from marquee.services import embeddings

READ, BATCH = 10_000, 20_000
NEAREST, ASKED = 20, 50
COLUMNS = "movie_id, model, content_hash, vector, passages"
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
Floats = NDArray[np.float32]


def fill(engine: Engine, say: Callable[[str], object]) -> None:
    """Give each film a vector, and build their index, unless that was done before."""
    with engine.connect() as connection:
        known = connection.scalar(select(Embedding.id).limit(1))
        plots = connection.scalars(select(Movie.overview).limit(READ)).all()
        films = [] if known else connection.execute(select(Movie.id, Movie.genres)).all()
    if films:
        say(f"vectors: {READ:,} plots are read, {len(films):,} vectors written")
        _copy(engine, films, _read(plots))
    indexes.ensure(MOVIES, _model(), say)


def recall(engine: Engine) -> float:
    """Which part of the `NEAREST` films that are truly nearest to one the index finds."""
    model, shares = _model(), []
    nearest = statement(LIKE, MOVIES.column, int(model.rpartition("@")[2]) + GENRE_NUMBERS)
    with engine.connect() as connection:
        some = select(Embedding.movie_id).where(Embedding.movie_id % 9973 == 0).limit(ASKED)
        for film in connection.scalars(some).all():
            values = {"id": film, "model": model, "text": 1, "limit": NEAREST}
            found = []
            for setting in (f"hnsw.ef_search = {LEAST_WIDTH}", "enable_indexscan = off"):
                connection.rollback()
                connection.exec_driver_sql(f"SET LOCAL {setting}")
                found.append({row.id for row in connection.execute(nearest, values)})
            shares.append(len(found[0] & found[1]) / NEAREST)
    return sum(shares) / len(shares)


def _read(plots: Sequence[str | None]) -> Floats:
    embedder = embeddings.current()
    texts = [plot for plot in plots if plot]
    return np.concatenate([embedder.encode(some) for some in _batches(texts, 200)])


def _batches(things: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (things[start : start + size] for start in range(0, len(things), size))


def _model() -> str:
    embedder = embeddings.current()
    return embeddings.model_of(embedder, embedder.encode(["film"]))


def _copy(engine: Engine, films: Sequence[Any], read: Floats) -> None:
    draw = np.random.default_rng(1)
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        for rows in _rows(films, read, draw):
            cursor.copy_expert(f"COPY embeddings ({COLUMNS}) FROM STDIN (FORMAT binary)", rows)
        connection.commit()
    finally:
        connection.close()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as plain:
        plain.execute(text("VACUUM ANALYZE embeddings"))


def _rows(films: Sequence[Any], read: Floats, draw: np.random.Generator) -> Iterator[BytesIO]:
    """COPY's binary format, a batch at a time."""
    kind = _row(_model().encode(), read.shape[1])
    for some in _batches(films, BATCH):
        texts = _between(read, len(some), draw)
        made = np.zeros(len(some), kind)
        for field, value in _constants(kind).items():
            made[field] = value
        made["movie_id"] = [each.id for each in some]
        made["model"] = _model().encode()
        whole = [vectors.whole(one, film.genres) for one, film in zip(texts, some, strict=True)]
        made["vector"] = np.array(whole, np.float16).astype(">f2")
        made["passages"] = np.rint(texts / np.abs(texts).max(axis=1, keepdims=True) * vectors.BYTE)
        yield BytesIO(HEADER + made.tobytes() + END)


def _between(read: Floats, number: int, draw: np.random.Generator) -> Floats:
    """Unit vectors, each between three of those that were read."""
    weights = draw.dirichlet((0.5, 0.5, 0.5), number).astype(np.float32)
    three = read[draw.integers(len(read), size=(number, 3))]
    found = np.einsum("nk,nkd->nd", weights, three)
    found += draw.normal(0, 0.2 / np.sqrt(read.shape[1]), found.shape).astype(np.float32)
    unit: Floats = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def _row(model: bytes, dimensions: int) -> np.dtype[Any]:
    """A row: the number of its fields, then each one's length and value, the highest byte first."""
    whole = dimensions + vectors.GENRE_NUMBERS
    return np.dtype(
        [
            ("fields", ">i2"),
            ("movie_id_length", ">i4"),
            ("movie_id", ">i8"),
            ("model_length", ">i4"),
            ("model", f"S{len(model)}"),
            ("hash_length", ">i4"),
            ("hash", "S16"),
            ("vector_length", ">i4"),
            ("dimensions", ">i2"),
            ("unused", ">i2"),
            ("vector", ">f2", whole),
            ("passages_length", ">i4"),
            ("passages", "i1", dimensions),
        ]
    )


def _constants(kind: np.dtype[Any]) -> dict[str, int]:
    size = {name: kind[name].itemsize for name in kind.names or ()}
    return {
        "fields": len(COLUMNS.split(", ")),
        "movie_id_length": size["movie_id"],
        "model_length": size["model"],
        "hash_length": size["hash"],
        "vector_length": size["dimensions"] + size["unused"] + size["vector"],
        "dimensions": kind["vector"].shape[0],
        "passages_length": size["passages"],
    }
