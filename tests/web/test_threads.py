"""The handler threads."""

import asyncio
import threading
import time

import pytest

from marquee.web.threads import Busy, Threads


def test_many_calls_share_so_many_threads() -> None:
    threads = Threads(3, "test")

    def work(number: int) -> tuple[int, str]:
        time.sleep(0.001)
        return number, threading.current_thread().name

    async def run() -> list[tuple[int, str]]:
        return await asyncio.gather(*(threads.run(work, number) for number in range(30)))

    answers = asyncio.run(run())
    assert [number for number, _ in answers] == list(range(30))
    assert {name for _, name in answers} == {"test-1", "test-2", "test-3"}


def test_calls_that_wait_do_not_hold_up_one_another() -> None:
    threads = Threads(4, "test")
    together = threading.Barrier(4, timeout=10)

    async def run() -> list[int]:
        return await asyncio.gather(*(threads.run(together.wait) for _ in range(4)))

    assert sorted(asyncio.run(run())) == [0, 1, 2, 3]


def test_what_a_call_raises_is_raised_where_it_is_awaited() -> None:
    threads = Threads(1, "test")

    def fail() -> None:
        raise LookupError("no such thing")

    async def run() -> str:
        with pytest.raises(LookupError, match="no such thing"):
            await threads.run(fail)
        return await threads.run(str.upper, "still there")

    assert asyncio.run(run()) == "STILL THERE"


def test_a_call_that_was_in_line_for_too_long_is_refused() -> None:
    """What came after it is done: it is not as old."""
    threads = Threads(1, "test", longest=0.2)
    made: list[str] = []

    async def run() -> None:
        first = asyncio.create_task(threads.run(time.sleep, 0.4))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(threads.run(made.append, "second"))
        await asyncio.sleep(0.3)
        third = asyncio.create_task(threads.run(made.append, "third"))
        with pytest.raises(Busy):
            await second
        await asyncio.gather(first, third)

    asyncio.run(run())
    assert made == ["third"]


def test_a_call_that_nobody_waits_for_any_more_is_left_out() -> None:
    threads = Threads(1, "test")
    made: list[str] = []

    async def run() -> None:
        first = asyncio.create_task(threads.run(time.sleep, 0.1))
        second = asyncio.create_task(threads.run(made.append, "second"))
        await asyncio.sleep(0.01)
        second.cancel()
        await first
        await threads.run(made.append, "third")

    asyncio.run(run())
    assert made == ["third"]
