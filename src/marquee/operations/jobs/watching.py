"""Runs that are watched: what a server process reads once and tells all who listen.

A listener is a stream on the event loop, without a thread or a connection. Triggers of the database
tell every process which run has changed (`NOTIFY`); one thread of the process reads the runs that
somebody watches and wakes their listeners, who take the latest state and miss those in between.
While notices are not heard, it reads every second.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

import orjson
import structlog
from sqlalchemy import select

from marquee import notices
from marquee.db import session, transaction
from marquee.job_runs import ACTIVE, JobRun
from marquee.operations.jobs import service
from marquee.web.codec import WRITE

log = structlog.get_logger("marquee")

CHANNEL = "marquee_jobs"
HEARTBEAT, SILENCE = 15.0, b": heartbeat\n\n"
DEAF_SECONDS = 1.0
"""How often is read what changes unheard."""
COME_AGAIN = b"retry: 2000\n"


@dataclass(frozen=True)
class State:
    """A run at one moment."""

    version: int
    is_over: bool
    event: bytes

    @classmethod
    def of(cls, run: JobRun) -> Self:
        """What is shown of a run, as a server-sent event."""
        data = orjson.dumps(
            service.progress(run),
            default=WRITE["date-time"],
            option=orjson.OPT_PASSTHROUGH_DATETIME,
        )
        event = b"id: %d\n%sdata: %s\n\n" % (run.version, COME_AGAIN, data)
        return cls(run.version, run.status not in ACTIVE, event)


@dataclass
class _Watched:
    """A run that somebody watches."""

    latest: State | None = None
    listeners: dict[asyncio.Event, asyncio.AbstractEventLoop] = field(default_factory=dict)


class Watch:
    """All runs that are watched in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[int, _Watched] = {}
        self._to_read: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._hears = False
        self._reader: threading.Thread | None = None

    def heard(self, payload: str) -> None:
        """A run has changed."""
        run_id = int(payload)
        if run_id in self._watched:
            self._to_read.put(run_id)

    def hears(self, hears: bool) -> None:  # noqa: FBT001 - a subscriber's signature
        """Notices are heard from now on, or are not. What came in between was missed."""
        self._hears = hears
        for run_id in list(self._watched):
            self._to_read.put(run_id)

    @contextmanager
    def watching(self, run_id: int) -> Iterator[tuple[asyncio.Event, _Watched]]:
        """Listen to a run, on the running event loop: the event is set when `latest` is new."""
        woken = asyncio.Event()
        with self._lock:
            watched = self._watched.setdefault(run_id, _Watched())
            watched.listeners[woken] = asyncio.get_running_loop()
            if self._reader is None:
                self._reader = threading.Thread(target=self._read, name="job-watch", daemon=True)
                self._reader.start()
        if watched.latest is None:
            # What has changed since the caller read it was told to nobody.
            self._to_read.put(run_id)
        try:
            yield woken, watched
        finally:
            with self._lock:
                del watched.listeners[woken]
                if not watched.listeners:
                    self._watched.pop(run_id, None)

    def _read(self) -> None:
        while True:
            wanted = self._wanted()
            if not wanted:
                continue
            try:
                with transaction():
                    found = session.scalars(select(JobRun).where(JobRun.id.in_(wanted)))
                    states = {run.id: State.of(run) for run in found}
            except Exception as error:  # noqa: BLE001 - without this thread all streams are silent
                log.warning("job_watch_interrupted", error=str(error).strip()[:200])
                threading.Event().wait(DEAF_SECONDS)
                for run_id in wanted:
                    self._to_read.put(run_id)
                continue
            self._tell(states)

    def _wanted(self) -> set[int]:
        """The runs to be read: all that have changed since."""
        try:
            wanted = {self._to_read.get(timeout=DEAF_SECONDS)}
        except queue.Empty:
            return set() if self._hears else set(self._watched)
        with contextlib.suppress(queue.Empty):
            while True:
                wanted.add(self._to_read.get_nowait())
        return wanted & set(self._watched)

    def _tell(self, states: dict[int, State]) -> None:
        with self._lock:
            for run_id, state in states.items():
                watched = self._watched.get(run_id)
                if watched is None or watched.latest == state:
                    continue
                watched.latest = state
                for woken, loop in watched.listeners.items():
                    with contextlib.suppress(RuntimeError):  # a loop that has been closed
                        loop.call_soon_threadsafe(woken.set)


_watch = Watch()
notices.subscribe(notices.Subscriber(CHANNEL, _watch.heard, _watch.hears))


async def events(run_id: int, first: State, seen: int | None) -> AsyncIterator[bytes]:
    """The states of a run until it is over: the first at once, unless it is the version that was
    `seen`; and a comment where nothing has changed for 15 seconds.
    """
    sent = seen
    if first.version != sent:
        yield first.event
        sent = first.version
    if first.is_over:
        return
    with _watch.watching(run_id) as (woken, watched):
        while True:
            latest = watched.latest
            if latest is not None and latest.version > (sent or 0):
                yield latest.event
                sent = latest.version
                if latest.is_over:
                    return
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await woken.wait()
            except TimeoutError:
                yield SILENCE
            woken.clear()
