"""Building the whole outside index: in a process of its own, so that the server's keeps its memory
and its time. `python -m marquee.catalogue.search.outside.building INDEX GENERATION PLACE` builds
one beside that which is searched.
"""

import os
import sys
from collections import deque
from collections.abc import Callable

from sqlalchemy import Connection

from marquee import db, settings
from marquee.catalogue.search import documents, following, schema
from marquee.catalogue.search.building import TELL
from marquee.catalogue.search.folder import State
from marquee.catalogue.search.outside.documents import (
    ALL_POPULAR,
    SETTINGS,
    document,
    state_document,
)
from marquee.processes import PARENT, follow_parent
from marquee.services import meilisearch
from marquee.services.meilisearch import Meilisearch

BATCH = 2_000
AHEAD = 4
"""So many batches may be on their way: the engine takes them faster than it writes them."""
PATIENCE = 1800.0
"""Seconds that one batch may take."""


def build(
    connection: Connection,
    engine: Meilisearch,
    index: str,
    generation: int,
    tell: Callable[[int], object],
) -> State:
    """Build a new index of all that the database has; its state is written last.

    What changes meanwhile is to be followed from the state's snapshot on. `tell` hears how many
    documents there are so far. Raises Unavailable.
    """
    now = following.present(connection)
    engine.wait([engine.create(index), engine.configure(index, SETTINGS)], PATIENCE)
    tasks: deque[int] = deque()
    built = 0
    for kind in schema.KINDS:
        for batch in documents.read_all(connection, kind, ALL_POPULAR, BATCH, document):
            tasks.append(engine.add(index, batch))
            while len(tasks) > AHEAD:
                engine.wait([tasks.popleft()], PATIENCE)
            built += len(batch)
            tell(built)
    engine.wait(tasks, PATIENCE)
    state = State(now.database, generation, now.snapshot, now.time, ALL_POPULAR)
    engine.wait([engine.add(index, [state_document(state)])], PATIENCE)
    return state


def main(index: str, generation: str, place: str) -> None:
    """Build one on the database and for the engine of the settings."""
    follow_parent()
    if os.environ.get(PARENT, parent := str(os.getppid())) != parent:
        raise SystemExit("The server that asked for it has gone.")
    database = db.engine_for(settings.current().database_url, pool_size=1, statement_timeout=0)
    # Each batch sees what is there when it is read: no transaction stays open for minutes.
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        build(
            connection,
            meilisearch.current(),
            index,
            int(generation),
            lambda built: connection.execute(TELL, {"built": built, "place": place}),
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
