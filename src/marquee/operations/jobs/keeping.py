"""What a worker does beside its jobs, in one thread: it writes down how far they are, tells them to
stop, starts what is due and takes up what dead workers left.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from marquee import jobs
from marquee.db import transaction
from marquee.operations.jobs import runs, schedules
from marquee.progress import Progress

log = structlog.get_logger("marquee")

TURN, AFTER_TROUBLE = 0.25, 2.0
TICK = 1.0
SWEEP = 4.0
"""Seconds between two looks at what is running, at what is due, and at what is left behind."""


class Keeper:
    """Looks after the jobs of one worker process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[int, tuple[int, Progress]] = {}
        self._next_tick = self._next_sweep = 0.0

    def start(self) -> None:
        """Begin, in a thread of its own, and go on while the process lives."""
        threading.Thread(target=self._keep, name="jobs", daemon=True).start()

    @contextmanager
    def holding(self, run_id: int, attempt: int, progress: Progress) -> Iterator[None]:
        """Look after a run while the block lasts."""
        with self._lock:
            self._held[run_id] = attempt, progress
        try:
            yield
        finally:
            with self._lock:
                if self._held.get(run_id) == (attempt, progress):
                    del self._held[run_id]

    def _keep(self) -> None:
        while True:
            pause = TURN
            try:
                self._turn()
            except SQLAlchemyError as error:
                log.warning("jobs_not_kept", error=str(error).strip()[:200])
                pause = AFTER_TROUBLE
            except Exception:
                # Without this thread nothing would be due any more: it goes on.
                log.exception("jobs_not_kept")
                pause = AFTER_TROUBLE
            time.sleep(pause)

    def _turn(self) -> None:
        self._write_and_hear()
        now = time.monotonic()
        if now >= self._next_tick:
            self._next_tick = now + TICK
            with transaction():
                schedules.start_due()
        if now >= self._next_sweep:
            self._next_sweep = now + SWEEP
            with transaction():
                schedules.ensure()
                jobs.take_up_stalled()
                runs.give_up_lost()

    def _write_and_hear(self) -> None:
        with self._lock:
            held = dict(self._held)
        if not held:
            return
        with transaction():
            for run_id, (attempt, progress) in held.items():
                if (values := progress.changes()) is not None:
                    runs.write(run_id, attempt, values)
            stopping = runs.to_stop({run_id: attempt for run_id, (attempt, _) in held.items()})
        for run_id in stopping:
            held[run_id][1].cancel()
