"""Keeping the outside index: one server process of all machines follows the database.

Of each machine one process asks for a lock of the database; who has it writes. It is given to
another when its holder dies, or loses its connection.
"""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from marquee import db, settings
from marquee.catalogue.search import folder
from marquee.catalogue.search.folder import State
from marquee.catalogue.search.following import (
    Present,
    TooFarBehind,
    check_generation,
    present,
)
from marquee.catalogue.search.keeping import (
    FOLLOW_SECONDS,
    NO_STATE,
    RETRY_SECONDS,
    TELL,
    TELL_SECONDS,
    WRITE_SECONDS,
    Building,
)
from marquee.catalogue.search.outside import following
from marquee.errors import Unavailable
from marquee.processes import Lock
from marquee.services import meilisearch

log = structlog.get_logger("marquee")

BUILDING = "marquee.catalogue.search.outside.building"
TRY_SECONDS = 5.0
"""How often a machine asks for the lock, and what the engine is left alone for when it fails."""
TAKE = text("SELECT pg_try_advisory_lock(hashtextextended('search:' || :place, 0))")


@dataclass
class _Build:
    """An index that is being built."""

    building: Building
    index: str


class Keeper:
    """What the thread of one process knows."""

    def __init__(self, engine: Engine) -> None:
        values = settings.current()
        url = engine.url.render_as_string(hide_password=False)
        self._database = db.engine_for(url, pool_size=1)
        self._engine = meilisearch.current()
        self._index = values.search_index
        self._place = place_of(values.search_url, values.search_index)
        self._machine = Lock(folder.folder().lock)
        self._connection: Connection | None = None
        self._state: State | None = None
        self._build: _Build | None = None
        self._error: str | None = None
        self._trouble: str | None = None
        self._documents = 0
        self._attempted = 0
        self._warned = ""
        self._retry_at = self._told_at = self._written_at = 0.0

    def run(self, woken: threading.Event) -> None:
        """Keep on; nothing that goes wrong ends it."""
        while True:
            woken.wait(FOLLOW_SECONDS)
            woken.clear()
            try:
                if connection := self._holder():
                    self._keep(connection)
                else:
                    time.sleep(TRY_SECONDS)
            except (SQLAlchemyError, OSError) as error:
                self._warn(str(error).strip()[:200])
                self._let_go()
                time.sleep(FOLLOW_SECONDS)
            except Exception:
                log.exception("search_index_not_followed")
                self._let_go()
                time.sleep(TRY_SECONDS)

    def _warn(self, error: str) -> None:
        """Say what is wrong, once for as long as it is."""
        if error != self._warned:
            log.warning("search_index_not_followed", error=error)
        self._warned = error

    def _holder(self) -> Connection | None:
        """The connection that has the lock, if this process is the one that writes."""
        self._machine.path.parent.mkdir(parents=True, exist_ok=True)
        if self._connection is not None:
            return self._connection
        if not self._machine.take():
            return None
        connection = self._database.connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.execute(TAKE, {"place": self._place}).scalar():
            self._connection = connection
            return connection
        connection.close()
        return None

    def _let_go(self) -> None:
        """Forget the connection, the lock with it, and what is built by its leave."""
        connection, self._connection, self._state = self._connection, None, None
        build, self._build = self._build, None
        if build is not None:
            build.building.end()
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.invalidate()
                connection.close()

    def _keep(self, connection: Connection) -> None:
        now = present(connection)
        try:
            self._look(connection, now)
            self._trouble, self._warned = None, ""
        except Unavailable as error:
            # What was asked for may be done in part: it is done again.
            self._state, self._trouble = None, error.message
            self._warn(error.message)
        self._tell(connection)
        if self._trouble:
            time.sleep(TRY_SECONDS)

    def _look(self, connection: Connection, now: Present) -> None:
        self._finish_building()
        try:
            if self._state is None:
                self._state = following.adopted(connection, self._engine, self._index, now)
            self._follow(connection, self._state, now)
            check_generation(self._state, now)
        except TooFarBehind as reason:
            self._begin_building(connection, now, str(reason))
        if self._is_time_to_tell():
            # One of them says how far it has followed.
            self._documents = max(0, self._engine.number_of_documents(self._index) - 1)

    def _follow(self, connection: Connection, state: State, now: Present) -> None:
        self._state, written = following.catch_up(connection, self._engine, self._index, state, now)
        if written or time.monotonic() - self._written_at >= WRITE_SECONDS:
            following.save(self._engine, self._index, self._state)
            self._written_at = time.monotonic()

    def _begin_building(self, connection: Connection, now: Present, reason: str) -> None:
        asked_again = now.generation > self._attempted
        if self._build is not None or (time.monotonic() < self._retry_at and not asked_again):
            return
        following.clear(self._engine, self._index)
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._error, self._attempted = None, now.generation
        new = following.new_name(self._index)
        log.info("search_index_building", reason=reason, index=new)
        self._tell(connection, at_once=True)
        words = (new, str(now.generation), self._place)
        self._build = _Build(Building(BUILDING, *words, folder=self._machine.path.parent), new)

    def _finish_building(self) -> None:
        """Let the new index be searched, if it is complete."""
        build = self._build
        if build is None or not build.building.has_ended:
            return
        state = following.switch(self._engine, self._index, build.index)
        self._build, self._told_at = None, 0
        failure = build.building.failure
        build.building.end()
        if failure or state is None:
            self._error = failure or NO_STATE
            log.error("search_index_not_built", error=self._error)
        else:
            self._error, self._retry_at, self._state = None, 0, state
            log.info("search_index_built", index=build.index)
        following.clear(self._engine, self._index)

    def _tell(self, connection: Connection, *, at_once: bool = False) -> None:
        """Write the row of this index."""
        if not at_once and not self._is_time_to_tell():
            return
        state = self._state
        values: dict[str, Any] = {
            "place": self._place,
            "generation": state.generation if state else 0,
            "attempted": self._attempted,
            "documents": self._documents,
            "error": self._error or self._trouble,
            "is_building": at_once or self._build is not None,
        }
        connection.execute(TELL, values)
        self._told_at = time.monotonic()

    def _is_time_to_tell(self) -> bool:
        return time.monotonic() - self._told_at >= TELL_SECONDS


def place_of(url: str, index: str) -> str:
    """The engine and the index, without a password that the address may have."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}/{index}"
