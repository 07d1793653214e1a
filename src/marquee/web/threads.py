"""The handler threads: a call costs one lock and one wake-up of the event loop.

`run_in_executor` does the same by two futures that watch each other, for twice the time. Of the
threads that wait, the one that waits least long is woken: what it needs is still in the caches.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from marquee.errors import Unavailable

T = TypeVar("T")
Call = tuple[
    asyncio.AbstractEventLoop, float, "asyncio.Future[Any]", Callable[..., Any], tuple[Any, ...]
]
LONGEST = 20.0
"""Seconds in line for a thread; then clients have given up, and what they asked is not worth the
time of those who have not.
"""


class Busy(Unavailable):
    """All threads have been at work for too long (503)."""

    def __init__(self) -> None:
        super().__init__("The server has more to do than it can.", "SERVER_BUSY", retry_after=5)


class Threads:
    """So many threads at the most, started as calls come in."""

    def __init__(self, number: int, name: str, longest: float = LONGEST) -> None:
        self._number, self._name, self._started = number, name, 0
        self._longest = longest
        self._calls: deque[Call] = deque()
        self._waiting: list[threading.Lock] = []
        self._waking = False

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """What the function returns or raises, called in one of the threads. Raises Busy."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._calls.append((loop, time.monotonic() + self._longest, future, function, arguments))
        if self._started < self._number:
            self._started += 1
            name = f"{self._name}-{self._started}"
            threading.Thread(target=self._work, name=name, daemon=True).start()
        else:
            self._wake()
        return await future

    def _wake(self) -> None:
        """Let one more thread look for calls, unless one that has been woken is yet to do so."""
        if self._waking:
            return
        try:
            awake = self._waiting.pop()
        except IndexError:
            return  # All are at work, and look when they are done.
        self._waking = True
        awake.release()

    def _work(self) -> None:
        awake = threading.Lock()
        awake.acquire()
        while True:
            try:
                call = self._calls.popleft()
            except IndexError:
                self._wait(awake)
                continue
            if self._calls:
                self._wake()
            _perform(*call)
            del call

    def _wait(self, awake: threading.Lock) -> None:
        self._waiting.append(awake)
        # For a call that came before this thread was seen to wait, nobody has been woken.
        if self._calls:
            self._wake()
        awake.acquire()
        self._waking = False


def _perform(
    loop: asyncio.AbstractEventLoop,
    until: float,
    future: "asyncio.Future[Any]",
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    if future.cancelled():
        return
    result = error = None
    try:
        result = _too_late() if time.monotonic() > until else function(*arguments)
    except BaseException as raised:  # noqa: BLE001 - it is raised where it is awaited
        error = raised
    try:
        loop.call_soon_threadsafe(_settle, future, result, error)
    except RuntimeError:
        pass  # Nobody waits on a loop that has been closed.
    finally:
        del error  # It knows this frame, which knows it.


def _too_late() -> NoReturn:
    raise Busy


def _settle(future: "asyncio.Future[T]", result: T, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
