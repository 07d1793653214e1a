"""What a running job says of itself, and hears: how far it is, and that it is to stop.

Nothing here touches the database: whoever runs the job writes down what has changed, several times
a second. So a job may say something for each of a million things.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from typing import Any, Literal, TypeVar

from marquee import clock

T = TypeVar("T")
Level = Literal["debug", "info", "warn", "error"]

MOST_LINES = 500
LONGEST_LINE, LONGEST_STEP = 500, 200
PERCENT = 100
HEARING_SECONDS = 0.25


class Cancelled(Exception):
    """The job is to stop: somebody has cancelled it, or another worker has taken it over."""


class Progress:
    """How far a job is. Safe to be read by another thread.

    Whatever says something raises Cancelled once the job is to stop, and so does `check`; the job
    lets that pass through, so that its open transaction is rolled back.
    """

    def __init__(self, lines: Iterable[dict[str, Any]] = ()) -> None:
        """`lines` are those of an earlier attempt."""
        self._lock = threading.Lock()
        self._cancelled = False
        self._shown: dict[str, Any] = {
            "current_step": None,
            "current_step_index": 0,
            "total_steps": 0,
            "items_processed": 0,
            "items_total": None,
            "current_item": None,
        }
        self._lines = deque(lines, MOST_LINES)
        self._changed = False
        self._has_new_lines = False

    def plan(self, steps: int) -> None:
        """Say how many steps there will be."""
        self._change(total_steps=steps)

    def step(self, name: str, items: int | None = None) -> None:
        """Begin the next step, with so many things to do if that is known."""
        with self._lock:
            index = self._shown["current_step_index"] + 1
        self._change(
            current_step=plain(name, LONGEST_STEP),
            current_step_index=index,
            items_processed=0,
            items_total=items,
            current_item=None,
        )

    def advance(self, items: int = 1, current: str | None = None) -> None:
        """Say that so many things more of the step are done, and which one is next."""
        with self._lock:
            done = self._shown["items_processed"] + items
        item = current and plain(current)
        self._change(items_processed=done, current_item=item)

    def log(self, message: str, level: Level = "info", **data: str) -> None:
        """Add a line that administrators read; the latest 500 are kept."""
        line = {
            "timestamp": clock.now().isoformat(timespec="microseconds")[:26] + "Z",
            "level": level,
            "message": plain(message),
            "data": {name: plain(value) for name, value in data.items()},
        }
        with self._lock:
            self._lines.append(line)
            self._has_new_lines = True
        self._change()

    def check(self) -> None:
        """Raise Cancelled if the job is to stop."""
        if self._cancelled:
            raise Cancelled

    def waiting(self, call: Callable[[], T]) -> T:
        """What a call of an outside service returns, or raises. The job hears meanwhile that it is
        to stop; what comes then is dropped. It is made in a thread: it must not use the database.
        """
        future: Future[T] = Future()

        def answer() -> None:
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                future.set_exception(error)

        threading.Thread(target=answer, name="job-waits", daemon=True).start()
        while not future.done():
            wait([future], timeout=HEARING_SECONDS)
            self.check()
        return future.result()

    @property
    def is_cancelled(self) -> bool:
        """Whether the job is to stop."""
        return self._cancelled

    def cancel(self) -> None:
        """Let the job stop at the next thing that it says."""
        self._cancelled = True

    def changes(self) -> dict[str, Any] | None:
        """What is to be written down: None where nothing has changed since the last call; `logs` is
        None where no line was added.
        """
        with self._lock:
            if not self._changed:
                return None
            lines = list(self._lines) if self._has_new_lines else None
            self._changed = self._has_new_lines = False
            return {**self._shown, "logs": lines}

    def shown(self) -> dict[str, Any]:
        """All of it."""
        with self._lock:
            return {**self._shown, "logs": list(self._lines)}

    def _change(self, **values: Any) -> None:  # noqa: ANN401 - columns
        self.check()
        with self._lock:
            self._shown |= values
            self._changed = True


def plain(text: str, longest: int = LONGEST_LINE) -> str:
    """The beginning of a text, without the one character that PostgreSQL cannot hold."""
    return text.replace("\0", "")[:longest]


def percent_of_step(done: int, total: int | None) -> int:
    """How much of a step is done, 0 to 100; 0 where nobody knows how much there is to do."""
    return min(PERCENT * done // total, PERCENT) if total else 0


def percent_of_all(index: int, steps: int, of_step: int) -> int:
    """How much of a job is done, 0 to 100, if all its steps are alike. `index` is from 1."""
    if not steps or not index:
        return 0
    return min((PERCENT * (index - 1) + of_step) // steps, PERCENT)
