"""All that is stored about a user, as JSON lines.

It is written to a file on disk, within one transaction, and sent from there: however much it is, it
takes little memory, and however slow the client, no database connection.
"""

import asyncio
from tempfile import TemporaryFile
from typing import IO, Any
from weakref import finalize

import orjson
from sqlalchemy import select

from marquee import clock
from marquee.db import session
from marquee.identity.users import belongings

ROWS, BYTES = 1000, 256 * 1024
"""How much is in memory at a time."""


def written(user_id: int) -> IO[bytes]:
    """A file, at its beginning, with one line for each row of the user, without secrets."""
    file = TemporaryFile()  # noqa: SIM115 - `Pieces` closes it
    file.write(_line({"exported_at": clock.now(), "user_id": user_id}))
    for table, mine in belongings.of(user_id).items():
        columns = [each for each in table.columns if belongings.shown(each)]
        query = select(*columns).where(mine).order_by(*table.primary_key.columns)
        options = {"yield_per": ROWS}
        for row in session.connection().execute(query, execution_options=options).mappings():
            file.write(_line({"table": table.name, "row": dict(row)}))
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


def _line(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, default=str, option=orjson.OPT_APPEND_NEWLINE)
