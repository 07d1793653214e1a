"""Following the catalogue: what has changed since the index last looked is written anew."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import tantivy
from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT

from marquee.catalogue.search import documents, schema
from marquee.catalogue.search.folder import State

MOST = 50_000
"""With more changes than this, an index is built anew: that is done by another process."""
BATCH = 1_000
TOO_MUCH = "Too much has changed at once."
OLDEST = 20 * 3600.0
"""Seconds for which an index can be behind; changes are kept for a day."""

# A copy that was promoted, or a backup that was restored, has another timeline: transactions after
# that have numbers that others had before, of which it may know nothing.
PRESENT = text("""
SELECT pg_current_snapshot()::text AS snapshot,
       extract(epoch FROM clock_timestamp())::float8 AS time,
       (SELECT system_identifier FROM pg_control_system())
         || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
         || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) AS database,
       (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM search_generation) AS generation
""")
# The first condition is for the index; a transaction before the snapshot's first open one is seen.
CHANGES = text("""
SELECT kind, changed_id FROM title_changes
WHERE transaction_id >= pg_snapshot_xmin(CAST(:snapshot AS pg_snapshot))::text::bigint
  AND NOT pg_visible_in_snapshot(transaction_id::text::xid8, CAST(:snapshot AS pg_snapshot))
LIMIT :most
""")
TITLES_OF_PEOPLE = text("""
SELECT DISTINCT movie_id, tvshow_id FROM credits WHERE person_id = ANY(:ids) LIMIT :most
""").bindparams(bindparam("ids", type_=ARRAY(BIGINT)))
IS_AHEAD = text("""
SELECT pg_snapshot_xmax(CAST(:snapshot AS pg_snapshot)) > pg_snapshot_xmax(pg_current_snapshot())
""")


@dataclass(frozen=True)
class Present:
    """The database at this moment."""

    snapshot: str
    time: float
    database: str
    """Its cluster, its number there, and the timeline that it is on."""
    generation: int
    """The least that indexes are to be of."""


class TooFarBehind(Exception):
    """The index is to be built anew: it cannot, or should not, be followed up to the present."""


class Unusable(TooFarBehind):
    """Nobody should search it meanwhile."""


def present(connection: Connection) -> Present:
    """The database at this moment."""
    return Present(**connection.execute(PRESENT).one()._asdict())


def check(connection: Connection, state: State, now: Present) -> None:
    """Raise TooFarBehind if an index of this state cannot be followed in this database, Unusable if
    it is not of it.
    """
    if state.database != now.database:
        raise Unusable("It is of another database, or of another course of this one.")
    if now.time - state.followed_at > OLDEST:
        raise TooFarBehind("It has not been followed for too long.")
    if connection.execute(IS_AHEAD, {"snapshot": state.snapshot}).scalar():
        raise Unusable("It knows more than the database, which was restored.")


def check_generation(state: State, now: Present) -> None:
    """Raise TooFarBehind if a new index is asked for; the old one can be followed meanwhile."""
    if state.generation < now.generation:
        raise TooFarBehind("A new one is asked for.")


def catch_up(
    connection: Connection, writer: tantivy.IndexWriter, state: State, now: Present
) -> tuple[State, int]:
    """Write and commit what has changed; the new state, and how many documents were written.

    `now` was read before. Raises TooFarBehind, and OSError or ValueError where it cannot be
    written: then the writer is good for nothing any more.
    """
    changes, written = changed_since(connection, state)
    for kind, ids in changes.items():
        for batch in batches(sorted(ids)):
            keys = [schema.key_of(kind, number) for number in batch]
            # By query, as Tantivy's Python takes the number of a term for a signed one.
            old = tantivy.Query.term_set_query(schema.schema(), "key", keys)
            writer.delete_documents_by_query(old)
            for document in documents.read(
                connection, kind, batch, state.thresholds, schema.document
            ):
                writer.add_document(document)
    if written:
        writer.commit()
    return replace(state, snapshot=now.snapshot, followed_at=now.time), written


def changed_since(connection: Connection, state: State) -> tuple[dict[str, set[int]], int]:
    """The ids of what has changed since an index was as it is, by kind, and how many there are.

    Raises TooFarBehind.
    """
    found = connection.execute(CHANGES, {"snapshot": state.snapshot, "most": MOST}).all()
    if len(found) >= MOST:
        raise TooFarBehind(TOO_MUCH)
    changed: dict[str, set[int]] = defaultdict(set)
    for kind, number in found:
        changed[kind].add(number)
    _add_titles_of(connection, changed)
    number_of = sum(map(len, changed.values()))
    if number_of >= MOST:
        raise TooFarBehind(TOO_MUCH)
    return changed, number_of


def _add_titles_of(connection: Connection, changed: dict[str, set[int]]) -> None:
    """Titles are found by the names of their people."""
    people = sorted(changed.get("person", ()))
    if not people:
        return
    for movie_id, tvshow_id in connection.execute(TITLES_OF_PEOPLE, {"ids": people, "most": MOST}):
        if movie_id:
            changed["movie"].add(movie_id)
        if tvshow_id:
            changed["tvshow"].add(tvshow_id)


def batches(ids: list[int]) -> Iterable[list[int]]:
    """So many at a time."""
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
