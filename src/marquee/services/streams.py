"""Answers that are read while they come, such as a text that a model is still writing."""

import itertools
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import TypeVar

import orjson

from marquee.services.fields import Malformed
from marquee.services.http import DURATION, REQUESTS, Upstream, usual_waits
from marquee.services.wire import OK, Failed, Request

T = TypeVar("T")
WANTED = {
    "Accept": "text/event-stream",
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
}


class Streaming(Upstream):
    """An outside service that answers in pieces. `read_timeout` is the longest wait for each of
    them, `total_timeout` the longest that all of them may take.
    """

    def stream(
        self,
        path: str,
        *,
        body: object,
        headers: Mapping[str, str] | None = None,
        read: Callable[[Iterator[bytes]], Iterator[T]],
    ) -> Generator[T, None, None]:
        """Post JSON that may be sent twice, and give what `read` makes of the answer's pieces.

        It is tried again until `read` has given something, and never after. Raises TimedOut and
        Unavailable, also in the middle; each attempt that failed has been logged. Whoever wants no
        more closes it. `read` raises Malformed at what it did not expect, or Failed.
        """
        sent = {**self.headers, **WANTED, **(headers or {})}
        request = Request("POST", path, self.query, sent, orjson.dumps(body))
        until, waits = self.timing.clock() + self.total_timeout, usual_waits()
        for attempt in itertools.count(1):
            begun = False
            try:
                for value in self._read(request, until, read):
                    begun = True
                    yield value
            except Failed as error:
                failed = error
            else:
                return
            wait = None if begun else self._wait(failed, attempt, next(waits), until)
            self._report(failed, request, attempt, wait)
            if wait is None:
                raise self._refusal(failed) from failed
            self.timing.sleep(wait)

    def _read(
        self, request: Request, until: float, read: Callable[[Iterator[bytes]], Iterator[T]]
    ) -> Iterator[T]:
        outcome, started = "bug", self.timing.clock()
        try:
            with self._circuit.guard():
                yield from self._opened(request, max(0.001, until - started), read)
            outcome = "ok"
        except GeneratorExit:
            outcome = "left"
            raise
        except Failed as failed:
            outcome = failed.outcome
            raise
        finally:
            if outcome != "circuit_open":
                DURATION.labels(self.name).observe(max(0.0, self.timing.clock() - started))
            REQUESTS.labels(self.name, outcome).inc()

    def _opened(
        self, request: Request, within: float, read: Callable[[Iterator[bytes]], Iterator[T]]
    ) -> Iterator[T]:
        answer, pieces = self._wire.opened(request, within=within)
        if answer.status != OK:
            raise self._judged(answer)
        with closing(pieces):
            try:
                yield from read(pieces)
            except Malformed as error:
                raise Failed("malformed", str(error), status=answer.status) from error
