"""Giving up on what takes too long: one timer of an event loop for all that wait.

`asyncio.timeout`, or a timer for each, costs as much as all else that a small body needs. This one
is late by up to a quarter of the time, and by no more than a second.
"""

import asyncio


class Patience:
    """So many seconds for each task that begins to wait; then it is cancelled."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._pause = min(seconds / 4, 1.0)
        self._waiting: dict[asyncio.Task[object], float] = {}
        self._given_up: set[asyncio.Task[object]] = set()
        self._looks: asyncio.AbstractEventLoop | None = None

    def begin(self) -> "asyncio.Task[object]":
        """The present task begins to wait."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None  # noqa: S101 - a coroutine is run by one
        self._waiting[task] = loop.time() + self.seconds
        if self._looks is not loop:
            self._looks = loop
            loop.call_later(self._pause, self._look, loop)
        return task

    def end(self, task: "asyncio.Task[object]") -> None:
        """It has what it waited for, or something else went wrong."""
        self._waiting.pop(task, None)
        self._given_up.discard(task)

    def is_over(self, task: "asyncio.Task[object]") -> bool:
        """Whether the task was cancelled because it waited too long, and for nothing else."""
        return task in self._given_up and not task.uncancel()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task, until in list(self._waiting.items()):
            if until > now:
                break  # They wait equally long, so those behind began later.
            del self._waiting[task]
            self._given_up.add(task)
            task.cancel()
        if self._waiting:
            loop.call_later(self._pause, self._look, loop)
        else:
            self._looks = None
