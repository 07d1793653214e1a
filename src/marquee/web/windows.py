"""Counters of rate limits in this process: fixed windows in a dictionary.

Beside `limits`' own MemoryStorage, which starts a thread every ten milliseconds for as long as
there are requests, and so costs more than all the rest of a small answer.
"""

import threading
import time

from limits.storage import Storage

TIDY_SECONDS = 60.0


class ProcessStorage(Storage):
    """Count and end of each window by its key. Windows that have ended go once a minute."""

    STORAGE_SCHEME = ["process"]  # noqa: RUF012 - the base class reads it

    def __init__(self) -> None:
        super().__init__()
        self._windows: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()
        self._tidy_at = time.time() + TIDY_SECONDS

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the storage raises when it fails: nothing of its own."""
        return Exception

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count one more, starting a new window where the old one has ended."""
        now = time.time()
        with self._lock:
            count, ends_at = self._windows.get(key, (0, 0.0))
            if ends_at <= now:
                count, ends_at = 0, now + expiry
                self._tidy(now)
            self._windows[key] = count + amount, ends_at
        return count + amount

    def get(self, key: str) -> int:
        """How many the present window has counted."""
        count, ends_at = self._windows.get(key, (0, 0.0))
        return count if ends_at > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When the present window ends, in seconds of the epoch."""
        now = time.time()
        return max(now, self._windows.get(key, (0, now))[1])

    def check(self) -> bool:
        """Whether the storage answers."""
        return True

    def reset(self) -> int | None:
        """Forget every counter."""
        with self._lock:
            number = len(self._windows)
            self._windows.clear()
        return number

    def clear(self, key: str) -> None:
        """Forget one counter."""
        with self._lock:
            self._windows.pop(key, None)

    def _tidy(self, now: float) -> None:
        if now < self._tidy_at:
            return
        self._tidy_at = now + TIDY_SECONDS
        self._windows = {key: each for key, each in self._windows.items() if each[1] > now}
