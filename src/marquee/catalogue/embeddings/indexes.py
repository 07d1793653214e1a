"""The indexes of vectors: one for each model and kind, made when there are many.

PostgreSQL cannot be told of them beforehand: an index needs the number of dimensions, which is the
model's. Fewer vectors are as quickly compared one by one.
"""

import hashlib
from collections.abc import Callable

from sqlalchemy import Connection, text

from marquee import db, settings
from marquee.catalogue.embeddings.kinds import Kind

FEW = 2000
"""Up to so many vectors there is no index."""
COUNTED = "SELECT count(*) FROM (SELECT FROM embeddings WHERE model = :model AND {id} IS NOT NULL "
STATE = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"


def ensure(kind: Kind, model: str, say: Callable[[str], object]) -> bool:
    """Make the index of a model's vectors, if it is wanted and not there; whether it was made.

    Others read and write meanwhile. What an earlier attempt left behind is thrown away.
    """
    name = name_of(kind, model)
    with db.engine().execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        dimensions = _dimensions(connection, kind, model)
        if dimensions is None:
            return False
        valid = connection.scalar(text(STATE), {"name": name})
        if valid:
            return False
        if valid is not None:
            connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        say(f"Building the index {name}.")
        for setting in (
            "SET statement_timeout = 0",
            "SET lock_timeout = 0",
            f"SET maintenance_work_mem = '{settings.current().vector_index_bytes >> 10}kB'",
            # Helpers share memory, of which containers have little.
            "SET max_parallel_maintenance_workers = 0",
        ):
            connection.exec_driver_sql(setting)
        try:
            connection.execute(
                text(
                    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON embeddings USING hnsw "
                    f"((vector::halfvec({dimensions})) halfvec_ip_ops) "
                    f"WHERE model = {_quoted(model)} AND {kind.column} IS NOT NULL"
                )
            )
            connection.exec_driver_sql("ANALYZE embeddings")
        finally:
            connection.invalidate()  # its settings are not for the next who gets it
    return True


def drop(kind: Kind, model: str) -> None:
    """Remove the index of a model's vectors."""
    with db.engine().execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        name = name_of(kind, model)
        connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def name_of(kind: Kind, model: str) -> str:
    """The name of the index."""
    return f"embeddings_{kind.name}_{hashlib.sha256(model.encode()).hexdigest()[:12]}_hnsw"


def _dimensions(connection: Connection, kind: Kind, model: str) -> int | None:
    """Those of the vectors; None where these are few."""
    few = text(COUNTED.format(id=kind.column) + "LIMIT :limit) AS counted")
    values = {"model": model, "limit": FEW + 1}
    if (connection.scalar(few, values) or 0) <= FEW:
        return None
    one = "SELECT vector_dims(vector) FROM embeddings WHERE model = :model AND {id} IS NOT NULL "
    found: int | None = connection.scalar(
        text(one.format(id=kind.column) + "LIMIT 1"), {"model": model}
    )
    return found


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "''").replace(":", "\\:") + "'"
