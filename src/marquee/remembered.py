"""What a process remembers of the database until it hears that this has changed.

Only while notices are heard (`marquee.notices`): whoever is deaf asks the database every time.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

from marquee import notices, settings
from marquee.waiting import may_wait

LARGEST = 16 * 2**20
DEAR = 0.05
"""Seconds from which on something is too dear to be looked up after every change."""
REPAID, LONGEST_REPAID = 100, 5.0
"""What is dear is believed for so many times its cost, and so many seconds at the most."""
LOCKS = 64

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    value: T
    notices_before: int
    good_until: float
    repaid_until: float
    weight: int


def key_of(values: Mapping[str, Any]) -> tuple[tuple[str, Hashable], ...]:
    """Values by name, some of them lists, as part of a key."""
    return tuple(
        (name, tuple(value) if isinstance(value, list) else value)
        for name, value in sorted(values.items())
    )


class Remembered(Generic[T]):
    """Values by key, for as long as no notice comes on a channel, and for the settings'
    `cache_duration_seconds` at the most.

    Where changes come all the time, what is dear to look up is believed for a moment longer, so
    that it takes about one part in `REPAID` of the time. Bounded by the bytes that values weigh.
    """

    def __init__(self, channel: str) -> None:
        """Subscribe to a channel; a process does that once, before it listens."""
        self.hears = False
        self._notices = 0
        self._weight = 0
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()
        self._lock = Lock()
        self._making = [Lock() for _ in range(LOCKS)]
        notices.subscribe(notices.Subscriber(channel, self.heard, self.set_hears))

    def find(self, key: Hashable, make: Callable[[], T], weigh: Callable[[T], int]) -> T:
        """The value of a key, made where it is not known: by one of all who ask at once.

        Raises WouldWait where it would have to be made, and nothing may wait.
        """
        if (entry := self._entry(key)) is not None:
            return entry.value
        may_wait()
        if not self.hears:
            return make()
        with self._making[hash(key) % LOCKS]:
            if (entry := self._entry(key)) is not None:
                return entry.value
            before, started = self._notices, time.monotonic()
            value = make()
            ended = time.monotonic()
            took = ended - started
            repaid = min(took * REPAID, LONGEST_REPAID) if took > DEAR else 0
            good_until = ended + settings.current().cache_duration_seconds
            self._put(key, _Entry(value, before, good_until, ended + repaid, weigh(value)))
            return value

    def _entry(self, key: Hashable) -> _Entry[T] | None:
        entry = self._entries.get(key)
        if entry is None or not self.hears:
            return None
        now = time.monotonic()
        unchanged = entry.notices_before == self._notices and now < entry.good_until
        return entry if unchanged or now < entry.repaid_until else None

    def _put(self, key: Hashable, entry: _Entry[T]) -> None:
        with self._lock:
            if old := self._entries.pop(key, None):
                self._weight -= old.weight
            self._entries[key] = entry
            self._weight += entry.weight
            while self._weight > LARGEST:
                _, oldest = self._entries.popitem(last=False)
                self._weight -= oldest.weight

    def heard(self, _payload: str) -> None:
        """Believe nothing that was looked up before now, but what is being repaid."""
        self._notices += 1

    def set_hears(self, hears: bool) -> None:  # noqa: FBT001 - a subscriber's signature
        """Begin to remember, or cease to, as notices are heard or are not."""
        with self._lock:
            self._notices += 1
            self._entries.clear()
            self._weight = 0
            self.hears = hears
