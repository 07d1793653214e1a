"""marquee/remembered.py."""

from collections.abc import Iterator
from itertools import count

import pytest

from marquee import notices, remembered
from marquee.remembered import Remembered

FIRST, SECOND = 1, 2


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> Remembered[int]:
    """A store that hears, of a process of its own."""
    monkeypatch.setattr(notices, "_subscribers", [])
    monkeypatch.setattr(remembered, "DEAR", 60)
    made: Remembered[int] = Remembered("numbers")
    made.set_hears(hears=True)
    return made


def finder(numbers: Remembered[int], weight: int = 1) -> "Iterator[int]":
    """What is found under one key, time and again. What is made is 1, then 2, and so on."""
    made = count(1)
    while True:
        yield numbers.find("key", lambda: next(made), lambda _: weight)


def test_a_value_is_made_once(numbers: Remembered[int]) -> None:
    found = finder(numbers)
    assert (next(found), next(found)) == (FIRST, FIRST)


def test_until_something_changes(numbers: Remembered[int]) -> None:
    found = finder(numbers)
    next(found)
    numbers.heard("")
    assert (next(found), next(found)) == (SECOND, SECOND)


def test_who_is_deaf_remembers_nothing(numbers: Remembered[int]) -> None:
    found = finder(numbers)
    next(found)
    numbers.set_hears(hears=False)
    assert next(found) == SECOND
    numbers.set_hears(hears=True)
    assert next(found) == SECOND + 1


def test_what_changed_while_it_was_made_is_made_again(numbers: Remembered[int]) -> None:
    def made() -> int:
        numbers.heard("")
        return FIRST

    assert numbers.find("key", made, lambda _: 1) == FIRST
    assert numbers.find("key", lambda: SECOND, lambda _: 1) == SECOND


def test_what_is_dear_is_believed_for_a_moment(
    numbers: Remembered[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "DEAR", 0)
    monkeypatch.setattr(remembered, "REPAID", 1e9)
    found = finder(numbers)
    next(found)
    numbers.heard("")
    assert next(found) == FIRST


def test_the_oldest_makes_room(numbers: Remembered[int]) -> None:
    found = finder(numbers, weight=remembered.LARGEST)
    next(found)
    assert numbers.find("other", lambda: FIRST, lambda _: 1) == FIRST
    assert next(found) == SECOND
