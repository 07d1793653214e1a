"""Keeping the search index of this machine: one of its server processes follows the database.

Each process has a thread that looks every second, and at once when it hears that titles have
changed. Whoever holds the lock of the folder writes; the others read what was written. The kernel
gives the lock to another process when its holder dies.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog
import tantivy
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from marquee import db, notices
from marquee.catalogue.changes.models import CHANNEL
from marquee.catalogue.search import folder, following
from marquee.catalogue.search.folder import Folder, State
from marquee.catalogue.search.following import Present, TooFarBehind, Unusable
from marquee.catalogue.search.index import reader
from marquee.processes import PARENT, Lock

log = structlog.get_logger("marquee")

READ_SECONDS = 0.25
"""How often a process looks for what the keeper has written."""
FOLLOW_SECONDS = 1.0
TELL_SECONDS = 5.0
WRITE_SECONDS = 60.0
"""How often the state is written though nothing has changed."""
RETRY_SECONDS = 60.0
"""After a building that has failed, unless a new index is asked for."""
MEMORY = 15 * 2**20
NO_STATE = "What was built is not complete."
LAST_SAID = 4096
"""Bytes in which the last line is looked for of what a building that has failed has said."""

TELL = text("""
INSERT INTO search_indexes (place, generation, attempted, documents, error)
VALUES (:place, :generation, :attempted, :documents, :error)
ON CONFLICT (place) DO UPDATE SET
    generation = excluded.generation, attempted = excluded.attempted,
    documents = excluded.documents, error = excluded.error, seen_at = now(),
    building = CASE WHEN :is_building THEN search_indexes.building END
""")


@dataclass
class _Kept:
    """The index that holds, with what writes it."""

    path: Path
    state: State
    index: tantivy.Index
    writer: tantivy.IndexWriter
    written_at: float

    @classmethod
    def of(cls, path: Path, state: State) -> "_Kept":
        index = folder.open_index(path)
        return cls(path, state, index, index.writer(MEMORY, 1), time.monotonic())

    def documents(self) -> int:
        """How many it has."""
        self.index.reload()
        return int(self.index.searcher().num_docs)


class Building:
    """A process that builds an index, by a module of this program."""

    def __init__(
        self, module: str, *words: str, folder: Path, inherited: tuple[int, ...] = ()
    ) -> None:
        """Start it. What it says on stderr goes to a file of the folder without a name, as a pipe
        that nobody empties would stop it. Raises OSError.
        """
        self._said = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - end() closes it
        self._process = subprocess.Popen(  # noqa: S603 - this program
            [sys.executable, "-m", module, *words],
            env={**os.environ, PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            start_new_session=True,
            pass_fds=inherited,
        )

    @property
    def has_ended(self) -> bool:
        """Whether it builds no more."""
        return self._process.poll() is not None

    @property
    def failure(self) -> str | None:
        """The last line that it said, if it has failed; None if it has not."""
        if not self._process.returncode:
            return None
        size = self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, size - LAST_SAID))
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return (lines[-1] if lines else f"It ended with {self._process.returncode}.")[:500]

    def end(self) -> None:
        """Kill it if it still builds, and forget what it said."""
        self._process.kill()
        self._process.wait()
        self._said.close()


@dataclass
class _Build:
    """An index that is being built."""

    building: Building
    path: Path


class Keeper:
    """What the thread of one process knows."""

    def __init__(self, engine: Engine) -> None:
        url = engine.url.render_as_string(hide_password=False)
        self._engine = db.engine_for(url, pool_size=1)
        self._folder: Folder = folder.folder()
        self._lock = Lock(self._folder.lock)
        self._kept: _Kept | None = None
        self._build: _Build | None = None
        self._error: str | None = None
        self._attempted = 0
        self._warned = ""
        self._retry_at = self._told_at = self._followed_at = 0.0

    def run(self, woken: threading.Event) -> None:
        """Keep on; nothing that goes wrong ends it."""
        while True:
            heard = woken.wait(READ_SECONDS)
            woken.clear()
            try:
                self._turn(heard=heard)
                self._warned = ""
            except (SQLAlchemyError, OSError, ValueError) as error:
                self._warn(str(error).strip()[:200])
                self._forget()
                time.sleep(FOLLOW_SECONDS)
            except Exception:
                log.exception("search_index_not_followed")
                self._forget()
                time.sleep(FOLLOW_SECONDS)

    def _warn(self, error: str) -> None:
        """Say what is wrong, once for as long as it is."""
        if error != self._warned:
            log.warning("search_index_not_followed", error=error)
        self._warned = error

    def _forget(self) -> None:
        """Look at the folder anew: a writer that has failed is good for nothing."""
        self._kept = None

    def _begin_anew(self) -> None:
        """There is no lock, or no more: the folder was deleted, and may be another's by now."""
        self._forget()
        self._retry_at = 0.0
        build, self._build = self._build, None
        if build is not None:
            build.building.end()
        self._folder.path.mkdir(parents=True, exist_ok=True)

    def _turn(self, *, heard: bool) -> None:
        if not self._lock.held:
            self._begin_anew()
        now = time.monotonic()
        if self._lock.take() and (heard or now - self._followed_at >= FOLLOW_SECONDS):
            self._followed_at = now
            with self._engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                self._keep(connection)
        reader.refresh()

    def _keep(self, connection: Connection) -> None:
        present = following.present(connection)
        self._finish_building()
        if self._folder.suspected() or not self._stands():
            self._kept = None
        try:
            if self._kept is None:
                self._kept = self._adopted(connection, present)
            self._follow(connection, self._kept, present)
            following.check_generation(self._kept.state, present)
            folder.keep_up(self._kept.path)
        except TooFarBehind as reason:
            if isinstance(reason, Unusable):
                self._folder.drop()
            self._begin_building(connection, present, str(reason))
        self._tell(connection)

    def _stands(self) -> bool:
        """Whether the index that is kept is still there, and the one that holds."""
        return self._kept is None or self._folder.current() == self._kept.path

    def _adopted(self, connection: Connection, present: Present) -> _Kept:
        """The index that holds, if it is sound and can be followed. Raises TooFarBehind."""
        path = self._folder.current()
        state = folder.read_state(path) if path else None
        if path is None or state is None or not folder.is_sound(path):
            raise Unusable("There is none that is sound.")
        following.check(connection, state, present)
        return _Kept.of(path, state)

    def _follow(self, connection: Connection, kept: _Kept, present: Present) -> None:
        kept.state, written = following.catch_up(connection, kept.writer, kept.state, present)
        if written or time.monotonic() - kept.written_at >= WRITE_SECONDS:
            folder.write_state(kept.path, kept.state)
            kept.written_at = time.monotonic()

    def _begin_building(self, connection: Connection, present: Present, reason: str) -> None:
        asked_again = present.generation > self._attempted
        if self._build is not None or (time.monotonic() < self._retry_at and not asked_again):
            return
        self._retry_at = time.monotonic() + RETRY_SECONDS
        self._error, self._attempted = None, present.generation
        self._folder.clear(self._folder.current())
        path = self._folder.new()
        log.info("search_index_building", reason=reason, path=str(path))
        self._tell(connection, at_once=True)
        building = Building(
            "marquee.catalogue.search.building",
            *(str(path), str(present.generation), self._folder.place),
            folder=self._folder.path,
            # Nobody else builds in this folder before this one has ended.
            inherited=self._lock.inheritance(),
        )
        self._build = _Build(building, path)

    def _finish_building(self) -> None:
        """Let the new index hold, if it is complete."""
        build = self._build
        if build is None or not build.building.has_ended:
            return
        self._build, failure = None, build.building.failure
        build.building.end()
        state = folder.read_state(build.path)
        if failure or state is None:
            self._error = failure or NO_STATE
            log.error("search_index_not_built", error=self._error)
        else:
            self._error, self._retry_at = None, 0
            self._kept = _Kept.of(build.path, state)
            self._folder.switch(build.path)
            log.info("search_index_built", path=str(build.path))
        self._folder.clear(self._folder.current())
        self._told_at = 0

    def _tell(self, connection: Connection, *, at_once: bool = False) -> None:
        """Write the row of this machine's index."""
        if not at_once and time.monotonic() - self._told_at < TELL_SECONDS:
            return
        kept = self._kept
        values = {
            "place": self._folder.place,
            "generation": kept.state.generation if kept else 0,
            "attempted": self._attempted,
            "documents": kept.documents() if kept else 0,
            "error": self._error,
            "is_building": at_once or self._build is not None,
        }
        connection.execute(TELL, values)
        self._told_at = time.monotonic()


_woken = threading.Event()
_started = threading.Event()


def _heard(_payload: str) -> None:
    _woken.set()


class Runs(Protocol):
    """What keeps an index, in a thread of its own."""

    def run(self, woken: threading.Event) -> None:
        """Keep on, and look at once when woken."""


def subscribe(make: Callable[[Engine], Runs]) -> None:
    """Let the thread start in a process as soon as it listens to notices.

    They are listened to in every server process, and nowhere else: there indexes are read.
    """

    def hears(_hears: bool) -> None:  # noqa: FBT001 - a subscriber's signature
        _woken.set()
        if not _started.is_set():
            _started.set()
            keeper = make(db.engine())
            threading.Thread(target=keeper.run, args=(_woken,), name="search", daemon=True).start()

    notices.subscribe(notices.Subscriber(CHANNEL, _heard, hears))
