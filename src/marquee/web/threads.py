"""The handler threads: a call costs one queue and one wake-up of the event loop.

`run_in_executor` does the same by two futures that watch each other, for twice the time.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
Call = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]]


class Threads:
    """So many threads at the most, started as calls come in."""

    def __init__(self, number: int, name: str) -> None:
        self._number, self._name, self._started = number, name, 0
        self._calls: SimpleQueue[Call] = SimpleQueue()

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """What the function returns or raises, called in one of the threads."""
        if self._started < self._number:
            self._started += 1
            name = f"{self._name}-{self._started}"
            threading.Thread(target=self._work, name=name, daemon=True).start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._calls.put((loop, future, function, arguments))
        return await future

    def _work(self) -> None:
        while True:
            loop, future, function, arguments = self._calls.get()
            if future.cancelled():
                continue
            result = error = None
            try:
                result = function(*arguments)
            except BaseException as raised:  # noqa: BLE001 - it is raised where it is awaited
                error = raised
            # Nobody waits on a loop that has been closed.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, future, result, error)
            del loop, future, function, arguments, result, error


def _settle(future: "asyncio.Future[T]", result: T, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
