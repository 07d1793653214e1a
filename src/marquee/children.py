"""Child processes that live as long as their parent, and are started again if they do not."""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from marquee.processes import to_stderr

FIRST_DELAY = 0.25
"""Seconds before the first restart; each further one within the window doubles them."""
RESTARTS = 5
"""Deaths within RESTART_WINDOW seconds that are forgiven."""
RESTART_WINDOW = 60.0


class Failure(Exception):
    """Marquee cannot run, or not any longer. The message is what the operator reads."""


@dataclass
class Restarts:
    """How often something was started again of late, and when it may be the next time."""

    name: str
    deaths: deque[float] = field(default_factory=deque)

    def delay(self) -> float:
        """Note a death; seconds to wait before the next start. Raises Failure at one too many."""
        now = time.monotonic()
        self.deaths.append(now)
        while now - self.deaths[0] > RESTART_WINDOW:
            self.deaths.popleft()
        if len(self.deaths) > RESTARTS:
            raise Failure(f"{self.name} died {len(self.deaths)} times within a minute.")
        return FIRST_DELAY * 2.0 ** (len(self.deaths) - 1)


class Child:
    """One process that is to run for as long as the supervisor does."""

    def __init__(self, name: str, launch: Callable[[], "subprocess.Popen[bytes]"]) -> None:
        """Start it by `launch`, now and again."""
        self.name = name
        self._launch = launch
        self._restarts = Restarts(name)
        self._due = 0.0
        self.process: subprocess.Popen[bytes] | None = launch()

    def exit_code(self) -> int | None:
        """Its exit code, None as long as it runs."""
        return self.process.poll() if self.process else None

    def tend(self) -> None:
        """Start it again if it died and has waited for its turn. Raises Failure."""
        if self.process is None:
            if time.monotonic() >= self._due:
                self.process = self._launch()
        elif (code := self.process.poll()) is not None:
            kill_group(self.process)
            self.process = None
            delay = self._restarts.delay()
            self._due = time.monotonic() + delay
            to_stderr(f"{self.name} {fate(code)}; it starts again in {delay:g} s.")

    def stop(self, within: float) -> None:
        """Ask it to end, and see to it after `within` seconds."""
        if self.process is not None:
            stop_process(self.process, within)
            self.process = None


def stop_process(process: "subprocess.Popen[bytes]", within: float) -> None:
    """End a process by SIGTERM; after `within` seconds, it and whatever it left by SIGKILL."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(within)
    kill_group(process)
    process.wait()


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill what is left of a child and of the processes that it started itself."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def fate(code: int) -> str:
    """An exit code in words, after the name of what ended."""
    if code < 0:
        with suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
