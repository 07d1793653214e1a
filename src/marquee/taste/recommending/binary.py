"""Rows of PostgreSQL as arrays, by COPY in its binary format: millions of them in seconds.

Each row must have the same size: no column may be NULL, and vectors are of one length.
https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4
"""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg2 import sql

from marquee.catalogue.importing import cursor_of
from marquee.db import session

HEADER, TRAILER = 19, 2
Format = str | tuple[str, tuple[int, ...]]


def copied(query: sql.Composable, columns: Mapping[str, Format]) -> NDArray[Any]:
    """The rows of a query, a field of a structured array for each column, in their order.

    Formats are NumPy's, big-endian: `>i8` is bigint, `>f4` real, `>i4` integer.
    """
    fields: list[tuple[Any, ...]] = [("fields", ">i2")]
    for name, form in columns.items():
        fields += [(f"{name} size", ">i4"), (name, *(form if isinstance(form, tuple) else (form,)))]
    stream = BytesIO()
    session.flush()
    with cursor_of(session.connection()) as cursor:
        copy = sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(query)
        cursor.copy_expert(copy.as_string(cursor), stream)
    whole = stream.getbuffer()
    layout = np.dtype(fields)
    if (len(whole) - HEADER - TRAILER) % layout.itemsize:
        raise ValueError("The rows are not of the size that their columns have.")
    return np.frombuffer(whole[HEADER:-TRAILER], layout)
