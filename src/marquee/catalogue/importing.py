"""Loading titles from files of JSON lines, by `marquee import titles` and for the demo."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import cast

import orjson
from psycopg2 import extensions
from sqlalchemy import Connection, text

from marquee.catalogue import title_merge
from marquee.catalogue.line_checks import BadLine
from marquee.catalogue.title_lines import MAX_LINE, Title, read_title

BATCH_LINES = 5_000
BATCH_BYTES = 4 * 2**20
GZIP = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

PREPARE = """
SELECT set_config('statement_timeout', '0', true),
       set_config('idle_in_transaction_session_timeout', '0', true),
       pg_advisory_xact_lock(hashtextextended('import titles', 0))
"""


@dataclass(frozen=True)
class Report:
    """What an import did: lines read, titles added and changed, and the lines it left out.

    `skipped` has the number of each such line, from 1, and why. A title that is as the line says
    already counts nowhere, nor does a line that a later one of the same title replaced.
    """

    read: int = 0
    inserted: int = 0
    updated: int = 0
    skipped: list[tuple[int, str]] = field(default_factory=list)


def import_titles(lines: Iterable[bytes], connection: Connection) -> Report:
    """Load titles, one JSON object a line, in the transaction of this connection.

    `title_lines` tells what a line may say. It is matched with the catalogue by imdb_id, else by
    tmdb_id, else by tvdb_id, else, if it has none, by words of the title and year. What it does not
    say stays as it is: empty text and empty lists say nothing. The people of a job, the seasons,
    the episodes and the translations that it does name replace those that are there. So a second
    run changes nothing. Episodes of which only the number in their season is known are "Episode 1"
    and so on, until another line says more.

    The caller commits. Lines are read as they come and kept in temporary tables; statements of
    this transaction may then run for as long as they take.
    """
    connection.execute(text(PREPARE))
    with cursor_of(connection) as cursor:
        cursor.execute(title_merge.CREATE_DOCUMENTS)
        read, skipped = _copy(lines, cursor)
        merged = [title_merge.merge(cursor, table) for table in TABLES]
        cursor.execute("DROP TABLE pg_temp.incoming_documents")
    for one in merged:
        skipped.extend(one.skipped)
    return Report(
        read=read,
        inserted=sum(one.inserted for one in merged),
        updated=sum(one.updated for one in merged),
        skipped=sorted(skipped),
    )


def cursor_of(connection: Connection) -> extensions.cursor:
    """A cursor of psycopg2's own on a connection: SQLAlchemy has no COPY."""
    raw: extensions.connection = cast(
        "extensions.connection", connection.connection.driver_connection
    )
    return raw.cursor()


TABLES = (title_merge.MOVIES, title_merge.TVSHOWS)


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, gzipped or not, whatever its name.

    Of a line that is too long only the beginning is given, so that none takes all the memory.
    Raises OSError for a file that cannot be read, or not to its end.
    """
    try:
        yield from _unpacked(path)
    except (EOFError, zlib.error) as error:
        raise OSError(f"{path} is a damaged gzip file: {error}") from error


def _unpacked(path: Path) -> Iterator[bytes]:
    with path.open("rb") as raw:
        packed = raw.read(len(GZIP)) == GZIP
        raw.seek(0)
        with gzip.open(raw) if packed else raw as file:
            while line := file.readline(MAX_LINE + 2):
                yield line
                while len(line) > MAX_LINE + 1 and not line.endswith(b"\n"):
                    line = file.readline(MAX_LINE + 2)


def _copy(lines: Iterable[bytes], cursor: extensions.cursor) -> tuple[int, list[tuple[int, str]]]:
    """Send the good lines to the temporary table; return how many were read, and the bad ones."""
    read, skipped = 0, []
    batch = BytesIO()
    held = 0
    for number, line in enumerate(lines, start=1):
        content = line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
        content = content.strip()
        if not content:
            continue
        read += 1
        try:
            title = read_title(content)
        except BadLine as error:
            skipped.append((number, str(error)))
            continue
        batch.write(_row(number, title))
        held += 1
        if held == BATCH_LINES or batch.tell() >= BATCH_BYTES:
            _send(batch, cursor)
            batch, held = BytesIO(), 0
    _send(batch, cursor)
    return read, skipped


def _row(number: int, title: Title) -> bytes:
    """A row of COPY's text format, in which only the backslash has to be doubled here."""
    document = orjson.dumps({"line": number, **title.values}).replace(b"\\", rb"\\")
    return b"%b\t%b\n" % (title.kind.encode(), document)


def _send(batch: BytesIO, cursor: extensions.cursor) -> None:
    batch.seek(0)
    cursor.copy_expert(title_merge.COPY_DOCUMENTS, batch)
