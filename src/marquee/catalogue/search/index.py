"""The search index as this process reads it."""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog
import tantivy

from marquee.catalogue.changes.models import CHANNEL
from marquee.catalogue.search import folder
from marquee.errors import Unavailable
from marquee.remembered import Remembered

log = structlog.get_logger("marquee")

RETRY_AFTER = 2
BEHIND = 30.0
"""Seconds without being followed after which the index does not tell of the present."""
FOUND: Remembered[Any] = Remembered(CHANNEL)
T = TypeVar("T")


@dataclass
class _Opened:
    path: Path
    index: tantivy.Index
    stamp: tuple[int, int]
    """Of Tantivy's list of segments, which each commit replaces."""


class Reader:
    """The index that this process searches, as it was when `refresh` was called last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: _Opened | None = None
        self._unreadable: Path | None = None

    def refresh(self) -> None:
        """See what has been written since; cheap where nothing was."""
        with self._lock:
            path = folder.folder().current()
            if path is None:
                self._opened = None
                return
            try:
                self._see(path)
                self._unreadable = None
            except FileNotFoundError:
                return  # it is being replaced at this moment: the next call sees the new one
            except (OSError, ValueError) as error:
                if self._unreadable != path:
                    log.warning("search_index_unreadable", path=str(path), error=str(error)[:200])
                    folder.folder().suspect()
                self._unreadable = path

    def _see(self, path: Path) -> None:
        status = (path / "meta.json").stat()
        stamp = status.st_mtime_ns, status.st_ino
        if self._opened is None or self._opened.path != path:
            self._opened = _Opened(path, folder.open_index(path), stamp)
            self._opened.index.reload()
        elif self._opened.stamp != stamp:
            self._opened.index.reload()
            self._opened.stamp = stamp

    def stamp(self) -> tuple[Path, tuple[int, int]] | None:
        """What tells this state of the index from any other; None while there is none."""
        opened = self._opened
        return (opened.path, opened.stamp) if opened else None

    def keeps_up(self) -> bool:
        """Whether there is an index that has all that the database has, or had a moment ago."""
        opened = self._opened
        try:
            return opened is not None and time.time() - folder.kept_up_at(opened.path) < BEHIND
        except OSError:
            return False

    @contextmanager
    def searching(self) -> Iterator[tantivy.Searcher]:
        """What to search with. Raises Unavailable (SEARCH_UNAVAILABLE) while there is no index, or
        where it turns out to be damaged.
        """
        opened = self._opened
        if opened is None:
            raise _unavailable("The search index is being built.")
        try:
            yield opened.index.searcher()
        except BaseException as error:
            # A panic of Tantivy is no Exception; refusals and bugs of ours pass.
            if (
                type(error) not in {ValueError, OSError}
                and type(error).__name__ != "PanicException"
            ):
                raise
            log.exception("search_failed", path=str(opened.path))
            folder.folder().suspect()
            raise _unavailable("The search index is being looked at.") from error

    def found(
        self, key: tuple[Hashable, ...], find: Callable[[tantivy.Searcher], T], weight: int
    ) -> T:
        """What `find` finds in the index as it is now, kept for others who ask for the same until
        the index changes; `weight` in bytes. Raises Unavailable.
        """
        opened = self._opened

        def make() -> T:
            with self.searching() as searcher:
                return find(searcher)

        if opened is None:
            return make()
        known: T = FOUND.find((opened.path, opened.stamp, *key), make, lambda _: weight)
        return known


def _unavailable(message: str) -> Unavailable:
    return Unavailable(message, "SEARCH_UNAVAILABLE", retry_after=RETRY_AFTER)


reader = Reader()
"""The one of this process."""
