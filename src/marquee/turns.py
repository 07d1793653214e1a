"""Turns at heavy work: so many do it at a time, a few more wait, and the rest are sent away.

So it never takes all handler threads of a process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from marquee.errors import Unavailable


class Turns:
    """The places of one kind of work, for all threads of a process."""

    def __init__(self, at_a_time: int, *, waiting: int, refusal: str, retry_after: int) -> None:
        """`waiting` counts those who work as well; who comes beyond it is told the `refusal`, and
        to come again in so many seconds.
        """
        self._running = BoundedSemaphore(at_a_time)
        self._here = BoundedSemaphore(max(1, waiting))
        self._refusal, self._retry_after = refusal, retry_after

    @contextmanager
    def one(self) -> Iterator[None]:
        """Wait for a turn, and have it. Raises Unavailable (OVERLOADED) where too many wait."""
        if not self._here.acquire(blocking=False):
            raise Unavailable(self._refusal, "OVERLOADED", retry_after=self._retry_after)
        try:
            with self._running:
                yield
        finally:
            self._here.release()
