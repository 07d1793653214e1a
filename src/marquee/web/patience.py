"""Cancelling a task that waits too long for its client."""

import asyncio

from marquee.web.deadlines import Deadlines


class Patience:
    """So many seconds for each task that begins to wait; then it is cancelled."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._deadlines = Deadlines[asyncio.Task[object]](seconds, self._give_up)
        self._given_up: set[asyncio.Task[object]] = set()

    def begin(self) -> "asyncio.Task[object]":
        """The present task begins to wait."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine is run by one
        self._deadlines.begin(task)
        return task

    def end(self, task: "asyncio.Task[object]") -> None:
        """It has what it waited for, or something else went wrong."""
        self._deadlines.end(task)
        self._given_up.discard(task)

    def is_over(self, task: "asyncio.Task[object]") -> bool:
        """Whether the task was cancelled because it waited too long, and for nothing else."""
        return task in self._given_up and not task.uncancel()

    def _give_up(self, task: "asyncio.Task[object]") -> None:
        self._given_up.add(task)
        task.cancel()
