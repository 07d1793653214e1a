"""Building a whole index: in a process of its own, so that the server's keeps its memory and its
time. `python -m marquee.catalogue.search.building FOLDER GENERATION PLACE` builds one.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import tantivy
from sqlalchemy import Connection, text

from marquee import db, settings
from marquee.catalogue.search import documents, following, schema
from marquee.catalogue.search.folder import State, write_state
from marquee.processes import PARENT, follow_parent

MEMORY = 80 * 2**20
"""Bytes of documents that are held before they are written as a segment."""
BATCH = 2_000
TELL = text("UPDATE search_indexes SET building = :built, seen_at = now() WHERE place = :place")


def build(
    connection: Connection, path: Path, generation: int, tell: Callable[[int], object]
) -> State:
    """Build the index of all that the database has, in an empty folder; its state is written last.

    What changes meanwhile is to be followed from the state's snapshot on. `tell` hears how many
    documents there are so far. Raises OSError or ValueError, e.g. where the disk is full.
    """
    now = following.present(connection)
    popular = documents.thresholds(connection)
    index = schema.opened(tantivy.Index(schema.schema(), str(path)))
    writer = index.writer(MEMORY, 1)
    built = 0
    for kind in schema.KINDS:
        for batch in documents.read_all(connection, kind, popular, BATCH, schema.document):
            for document in batch:
                writer.add_document(document)
            built += len(batch)
            tell(built)
    writer.commit()
    writer.wait_merging_threads()
    state = State(now.database, generation, now.snapshot, now.time, popular)
    write_state(path, state)
    return state


def main(path: str, generation: str, place: str) -> None:
    """Build one on the database of the settings."""
    values = settings.current()
    follow_parent()
    if os.environ.get(PARENT, parent := str(os.getppid())) != parent:
        raise SystemExit("The server that asked for it has gone.")
    engine = db.engine_for(values.database_url, pool_size=1, statement_timeout=0)
    # Each batch sees what is there when it is read: no transaction stays open for minutes.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        build(
            connection,
            Path(path),
            int(generation),
            lambda built: connection.execute(TELL, {"built": built, "place": place}),
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
