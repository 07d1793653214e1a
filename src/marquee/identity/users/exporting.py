"""All that is stored about a user, as JSON lines.

It is written to a file on disk, within one transaction, and sent from there: however much it is, it
takes little memory, and however slow the client, no database connection.
"""

import asyncio
from tempfile import TemporaryFile
from typing import IO
from weakref import finalize

import orjson
from sqlalchemy import ColumnElement, Select, Table, Text, cast, func, select

from marquee import clock
from marquee.db import session
from marquee.identity.users import belongings

FETCHED = {"yield_per": 1000}
BYTES = 256 * 1024
"""How many rows, and how much of the file, are in memory at a time."""


def written(user_id: int) -> IO[bytes]:
    """A file, at its beginning, with one line for each row of the user, without secrets."""
    file = TemporaryFile()  # noqa: SIM115 - `Pieces` closes it
    file.write(orjson.dumps({"exported_at": clock.now(), "user_id": user_id}) + b"\n")
    for table, mine in belongings.of(user_id).items():
        start = b'{"table":%b,"row":' % orjson.dumps(table.name)
        for row in session.connection().execute(_rows(table, mine), execution_options=FETCHED):
            file.write(start + row[0].encode() + b"}\n")
    file.seek(0)
    return file


class Pieces:
    """The bytes of a file, which is closed, and so removed, whoever takes how many of them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        # Whoever asks for the headers alone takes no piece, and closes nothing.
        finalize(self, file.close)

    def __aiter__(self) -> "Pieces":
        """Itself."""
        return self

    async def __anext__(self) -> bytes:
        """The next bytes."""
        if piece := await asyncio.to_thread(self._file.read, BYTES):
            return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Take no more."""
        self._file.close()


def _rows(table: Table, mine: ColumnElement[bool]) -> Select[str]:
    """The rows as JSON, which PostgreSQL writes in a fraction of the time."""
    columns = [each for each in table.columns if belongings.shown(each)]
    row = select(*columns).where(mine).subquery("row")
    written = cast(func.row_to_json(row.table_valued()), Text)
    return select(written).order_by(*(row.c[each.name] for each in table.primary_key.columns))
