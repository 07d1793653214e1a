"""Following the catalogue: what has changed since the outside index last looked is written anew."""

from dataclasses import replace
from secrets import token_hex

from sqlalchemy import Connection

from marquee.catalogue.search import documents, following
from marquee.catalogue.search.folder import State
from marquee.catalogue.search.following import Present, TooFarBehind
from marquee.catalogue.search.outside.documents import (
    ALL_POPULAR,
    STATE,
    document,
    id_of,
    read_state,
    state_document,
)
from marquee.services.meilisearch import Meilisearch

PATIENCE = 60.0
"""Seconds that the engine may take to write what has changed."""
BESIDE = "_new_"
"""Between the name of an index and what sets a new one apart that is being built."""


def adopted(connection: Connection, engine: Meilisearch, index: str, now: Present) -> State:
    """How far the index has followed. Raises TooFarBehind where it cannot be followed on, or is not
    there, and Unavailable.
    """
    state = read_state(engine.document(index, STATE))
    if state is None:
        raise TooFarBehind("There is none that is known.")
    following.check(connection, state, now)
    return state


def catch_up(
    connection: Connection, engine: Meilisearch, index: str, state: State, now: Present
) -> tuple[State, int]:
    """Write what has changed, and wait until it is found; the new state, and how much there was.

    `now` was read before. What is found so is not yet said to be: `save` does that. Raises
    TooFarBehind and Unavailable.
    """
    changes, written = following.changed_since(connection, state)
    tasks: list[int] = []
    for kind, ids in changes.items():
        for batch in following.batches(sorted(ids)):
            made = documents.read(connection, kind, batch, ALL_POPULAR, document)
            gone = {id_of(kind, number) for number in batch} - {each["id"] for each in made}
            if gone:
                tasks.append(engine.remove(index, sorted(gone)))
            if made:
                tasks.append(engine.add(index, made))
    engine.wait(tasks, PATIENCE)
    return replace(state, snapshot=now.snapshot, followed_at=now.time), written


def save(engine: Meilisearch, index: str, state: State) -> None:
    """Say in the index itself how far it has followed. Raises Unavailable."""
    engine.wait([engine.add(index, [state_document(state)])], PATIENCE)


def new_name(index: str) -> str:
    """The name of a new index that is to be built beside this one."""
    return f"{index}{BESIDE}{token_hex(4)}"


def switch(engine: Meilisearch, index: str, new: str) -> State | None:
    """Let a new index be found by the name, if it is complete; its state. Raises Unavailable."""
    state = read_state(engine.document(new, STATE))
    if state is not None:
        if index not in engine.indexes():
            engine.wait([engine.create(index)], PATIENCE)
        engine.wait([engine.swap(index, new)], PATIENCE)
    return state


def clear(engine: Meilisearch, index: str) -> None:
    """Delete all indexes beside this one. Raises Unavailable."""
    names = [each for each in engine.indexes() if each.startswith(index + BESIDE)]
    engine.wait([engine.delete(each) for each in names], PATIENCE)
