"""src/marquee/flights.py."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from marquee.flights import Flights


def test_is_made_once_for_all_who_ask_meanwhile() -> None:
    flights: Flights[int] = Flights()
    begun, go_on, made = threading.Event(), threading.Event(), []

    def make() -> int:
        begun.set()
        go_on.wait(5)
        made.append(1)
        return len(made)

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(flights.once, "a", make)
        begun.wait(5)
        others = [pool.submit(flights.once, "a", make) for _ in range(3)]
        assert flights.once("b", lambda: 7) == 7
        go_on.set()
        assert {each.result(5) for each in (first, *others)} <= {1, 2, 3, 4}
    assert first.result() == 1
    assert flights.once("a", lambda: 9) == 9


def test_its_failure_is_everybodys() -> None:
    flights: Flights[int] = Flights()
    with pytest.raises(ZeroDivisionError):
        flights.once("a", lambda: 1 // 0)
    assert flights.once("a", lambda: 1) == 1
