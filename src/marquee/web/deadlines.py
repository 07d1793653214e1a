"""Giving up on what takes too long: one timer of an event loop for all that wait equally long.

`asyncio.timeout`, or a timer for each, costs as much as all else that a small body needs. This one
is late by up to a quarter of the time, and by no more than a second.
"""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Deadlines(Generic[T]):
    """So many seconds for each that begins to wait; then `expire` is called with it."""

    def __init__(self, seconds: float, expire: Callable[[T], object]) -> None:
        self.seconds = seconds
        self._expire = expire
        self._pause = min(seconds / 4, 1.0)
        self._waiting: dict[T, float] = {}
        self._looks: asyncio.AbstractEventLoop | None = None

    def begin(self, waiting: T) -> None:
        """It begins to wait, or begins again."""
        loop = asyncio.get_running_loop()
        self._waiting.pop(waiting, None)
        self._waiting[waiting] = loop.time() + self.seconds
        if self._looks is not loop:
            self._looks = loop
            loop.call_later(self._pause, self._look, loop)

    def end(self, waiting: T) -> None:
        """It has what it waited for, or something else went wrong."""
        self._waiting.pop(waiting, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for waiting, until in list(self._waiting.items()):
            if until > now:
                break  # They wait equally long, so those behind began later.
            del self._waiting[waiting]
            self._expire(waiting)
        if self._waiting:
            loop.call_later(self._pause, self._look, loop)
        else:
            self._looks = None
