"""The access log: one JSON object a line to standard error, as all logs, for each answer.

Lines are written together, a moment late: one by one, and by way of structlog, they would cost more
than most answers.
"""

import asyncio
import sys
from collections.abc import Callable

import orjson

from marquee import clock

MOMENT = 0.1
"""Seconds; what a process that is killed has not written is lost."""


def to_stderr(lines: bytes) -> None:
    """Write them at once."""
    sys.stderr.buffer.write(lines)
    sys.stderr.buffer.flush()


class AccessLog:
    """Of one event loop."""

    def __init__(self, write: Callable[[bytes], None] = to_stderr) -> None:
        self._write = write
        self._lines: list[bytes] = []

    def note(self, **said: object) -> None:
        """Log an answer. Called on the event loop."""
        if not self._lines:
            asyncio.get_running_loop().call_later(MOMENT, self.flush)
        line = {**said, "event": "request", "level": "info", "timestamp": clock.now()}
        self._lines.append(orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE))

    def flush(self) -> None:
        """Write what has been noted."""
        lines, self._lines = self._lines, []
        if lines:
            self._write(b"".join(lines))
