"""The titles of the database, as the engine knows them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from psycopg2 import sql
from sqlalchemy import text

from marquee.catalogue.embeddings.kinds import MOVIES, TVSHOWS, Kind
from marquee.db import session
from marquee.taste.recommending.ages import age_of
from marquee.taste.recommending.binary import copied
from marquee.taste.recommending.titles import Floats, Titles, Whole

MOST_TITLES = 100_000
"""Beyond, those without signals that are least popular are not recommended."""
AT_ONCE = 20_000
SIGNS = ((MOVIES, 1), (TVSHOWS, -1))
FACTS = sql.SQL("""
SELECT {sign} * id, coalesce(vote_average, 'nan')::real, least(popularity, 100)::real,
    coalesce(known.age, -1)
FROM {table} LEFT JOIN unnest({names}::text[], {ages}::integer[]) AS known (name, age)
    ON known.name = age_rating
WHERE id = ANY ({ids})
    OR id IN (SELECT id FROM {table} ORDER BY popularity DESC, id DESC LIMIT {most})
""")
FACTS_COLUMNS = {"key": ">i8", "rating": ">f4", "popularity": ">f4", "age": ">i4"}
AGE_RATINGS = "SELECT DISTINCT age_rating FROM {} WHERE age_rating IS NOT NULL"
GENRES = sql.SQL("""
SELECT {sign} * titles.id, genres.id FROM {table} AS titles CROSS JOIN unnest(titles.genres) AS name
JOIN genres ON genres.name = name.name WHERE titles.id = ANY ({ids})
""")
VECTORS = sql.SQL("""
SELECT {sign} * {column}, vector FROM embeddings
WHERE model = {model} AND {column} = ANY ({ids}) AND vector_dims(vector) = {size}
""")
MODEL = text("SELECT model, vector_dims(vector) FROM embeddings ORDER BY embedded_at DESC LIMIT 1")


def titles(signalled: Whole) -> Titles:
    """The titles that there are signals of, and the most popular others, up to `MOST_TITLES`."""
    found = np.concatenate([_facts(*each, signalled) for each in SIGNS])
    with_signals = np.isin(found["key"], signalled)
    order = np.lexsort((-found["popularity"].astype(np.float64), ~with_signals))
    found = found[order[:MOST_TITLES]]
    found = found[np.argsort(found["key"])]
    keys = found["key"].astype(np.int64)
    return Titles(
        keys,
        _content(keys),
        _genres(keys),
        found["rating"].astype(np.float32),
        np.clip(found["popularity"].astype(np.float32), 0, 100),
        found["age"].astype(np.int64),
    )


def _facts(kind: Kind, sign: int, signalled: Whole) -> NDArray[Any]:
    of_kind = np.abs(signalled[signalled * sign > 0])
    names = session.scalars(text(AGE_RATINGS.format(kind.model.__tablename__)))
    ages = {name: age for name in names if (age := age_of(name)) is not None}
    values = {
        "ids": _ids(of_kind),
        "most": sql.Literal(MOST_TITLES),
        "names": sql.Literal(list(ages)),
        "ages": sql.Literal(list(ages.values())),
        **_named(kind, sign),
    }
    return copied(FACTS.format(**values), FACTS_COLUMNS)


def _genres(keys: Whole) -> sp.csr_matrix:
    columns = {"key": ">i8", "genre": ">i8"}
    parts = [copied(GENRES.format(**each), columns) for each in _slices(keys)]
    of, genre = (
        np.concatenate([[], *(part[name] for part in parts)]).astype(np.int64) for name in columns
    )
    genres, column = np.unique(genre, return_inverse=True)
    row = np.searchsorted(keys, of)
    ones = np.ones(len(row), np.float32)
    return sp.csr_matrix((ones, (row, column)), shape=(len(keys), len(genres)))


def _content(keys: Whole) -> Floats:
    """Vectors by the model of the latest; zeros where a title has none."""
    model = session.execute(MODEL).first()
    if model is None:
        return np.zeros((len(keys), 0), np.float32)
    name, size = model
    content = np.zeros((len(keys), size), np.float32)
    for each in _slices(keys):
        query = VECTORS.format(model=sql.Literal(name), size=sql.Literal(size), **each)
        # halfvec's own form: two numbers of two bytes before the halves.
        found = copied(query, {"key": ">i8", "vector": (">f2", (2 + size,))})
        content[np.searchsorted(keys, found["key"].astype(np.int64))] = found["vector"][:, 2:]
    return content


def _slices(keys: Whole) -> Iterator[dict[str, sql.Composable]]:
    for kind, sign in SIGNS:
        ids = np.abs(keys[keys * sign > 0])
        for start in range(0, len(ids), AT_ONCE):
            yield {"ids": _ids(ids[start : start + AT_ONCE]), **_named(kind, sign)}


def _named(kind: Kind, sign: int) -> dict[str, sql.Composable]:
    return {
        "table": sql.Identifier(kind.model.__tablename__),
        "column": sql.Identifier(kind.column),
        "sign": sql.Literal(sign),
    }


def _ids(ids: Whole) -> sql.Composable:
    return sql.SQL("{}::bigint[]").format(sql.Literal(ids.tolist()))
