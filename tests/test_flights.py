"""src/marquee/flights.py."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from marquee.flights import Flights


class Name(str):
    """A name that says when it is looked up: whoever asks has joined by then, or never does."""

    __slots__ = ("looked_up",)

    def __init__(self, _: str) -> None:
        self.looked_up = threading.Event()

    def __hash__(self) -> int:
        """As of any text."""
        self.looked_up.set()
        return super().__hash__()


def test_is_made_once_for_all_who_ask_meanwhile() -> None:
    flights: Flights[int] = Flights()
    begun, go_on, made = threading.Event(), threading.Event(), []
    names = [Name("a") for _ in range(3)]

    def make() -> int:
        begun.set()
        go_on.wait(60)
        made.append(1)
        return len(made)

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(flights.once, "a", make)
        begun.wait(20)
        others = [pool.submit(flights.once, name, make) for name in names]
        assert flights.once("b", lambda: 7) == 7
        for name in names:
            name.looked_up.wait(5)
        go_on.set()
        assert [each.result(20) for each in (first, *others)] == [1] * 4
    assert made == [1]
    assert flights.once("a", lambda: 9) == 9


def test_its_failure_is_everybodys() -> None:
    flights: Flights[int] = Flights()
    with pytest.raises(ZeroDivisionError):
        flights.once("a", lambda: 1 // 0)
    assert flights.once("a", lambda: 1) == 1
