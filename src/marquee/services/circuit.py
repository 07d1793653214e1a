"""A circuit breaker: what keeps failing is left alone for a while.

`pybreaker` does the counting and the states, once for a process. Two things are done differently
here: the time that a circuit has been open comes from a monotonic clock that tests can replace, and
of many callers who find that time over only one is let through to try.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pybreaker
from structlog.typing import FilteringBoundLogger

from marquee.services.wire import Failed

FAILURES = 5
"""So many failures in a row open the circuit."""
PAUSE = 30.0
"""Seconds that it stays open."""


class Circuit:
    """The circuit of one service. Opening and closing are logged."""

    def __init__(self, name: str, clock: Callable[[], float], log: FilteringBoundLogger) -> None:
        self._opened = _Opened(clock)
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=FAILURES,
            reset_timeout=PAUSE,
            exclude=[lambda error: not isinstance(error, Failed) or error.harmless],
            listeners=[_Told(name, log)],
            state_storage=self._opened,
            throw_new_error_on_trip=False,
        )
        self._trial = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether the service is being left alone."""
        return self._breaker.current_state == pybreaker.STATE_OPEN

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Count what the block raises. Raise Failed in its place while the circuit is open."""
        closed = self._breaker.current_state == pybreaker.STATE_CLOSED
        if not closed and not self._trial.acquire(blocking=False):
            raise self._refusal()
        try:
            # Not `call()`: that holds the breaker's lock for as long as the server takes, so that
            # one slow answer would hold up every other caller.
            with self._breaker.calling():
                yield
        except pybreaker.CircuitBreakerError:
            raise self._refusal() from None
        finally:
            if not closed:
                self._trial.release()

    def _refusal(self) -> Failed:
        left = max(0.0, PAUSE - self._opened.age())
        return Failed("circuit_open", f"Left alone for {left:.0f} s more", pause=left)


class _Opened(pybreaker.CircuitMemoryStorage):
    """When the circuit was opened: by our clock, told as the time of day that pybreaker wants."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(pybreaker.STATE_CLOSED)
        self._clock = clock
        self._since: float | None = None

    def age(self) -> float:
        """Seconds since the circuit was last opened; 0 if it never was."""
        return 0.0 if self._since is None else self._clock() - self._since

    @property
    def opened_at(self) -> datetime | None:
        return None if self._since is None else datetime.now(UTC) - timedelta(seconds=self.age())

    @opened_at.setter
    def opened_at(self, datetime: datetime) -> None:  # noqa: ARG002 - the clock is ours
        self._since = self._clock()


class _Told(pybreaker.CircuitBreakerListener):
    """Writes to the log when the circuit changes."""

    def __init__(self, name: str, log: FilteringBoundLogger) -> None:
        self._name = name
        self._log = log

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,  # noqa: ARG002 - the listener's signature
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        old = old_state.name if old_state else None
        self._log.warning("upstream_circuit", upstream=self._name, old=old, new=new_state.name)
