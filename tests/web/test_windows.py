"""Counters of rate limits in one process."""

import threading
import time
from types import SimpleNamespace

import pytest

from marquee.web import windows
from marquee.web.windows import ProcessStorage


def test_counts_each_key_by_itself_until_its_window_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(windows, "time", SimpleNamespace(time=lambda: now))
    storage = ProcessStorage()
    assert [storage.incr("a", 10), storage.incr("a", 10, 2), storage.incr("b", 60)] == [1, 3, 1]
    assert storage.get("a") == 3
    assert storage.get_expiry("a") == now + 10
    now += 9.9
    assert (storage.get("a"), storage.get_expiry("a")) == (3, 1010)
    now += 0.1
    assert (storage.get("a"), storage.get_expiry("a")) == (0, 1010)
    assert storage.incr("a", 10) == 1
    assert storage.get_expiry("a") == now + 10
    assert storage.get("b") == 1


def test_forgets_one_or_all() -> None:
    storage = ProcessStorage()
    for key in "abc":
        storage.incr(key, 5)
    storage.clear("a")
    assert [storage.get(key) for key in "abc"] == [0, 1, 1]
    assert storage.reset() == 2
    assert [storage.get(key) for key in "abc"] == [0, 0, 0]
    assert storage.check()


def test_no_count_is_lost_between_threads() -> None:
    storage = ProcessStorage()

    def hit() -> None:
        for _ in range(2000):
            storage.incr("a", 60)

    threads = [threading.Thread(target=hit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert storage.get("a") == 8000


def test_windows_that_have_ended_take_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "TIDY_SECONDS", 0.05)
    storage = ProcessStorage()
    for number in range(100):
        storage.incr(f"short-{number}", 0.01)
    time.sleep(0.1)
    storage.incr("new", 60)
    assert storage.reset() == 1
