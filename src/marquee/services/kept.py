"""Answers that are kept for their ETag: asking again costs the service a line instead of a page."""

import threading
from collections import OrderedDict
from typing import TypeAlias

from marquee.services.wire import Answer, Request

Key: TypeAlias = tuple[str, tuple[tuple[str, str | int], ...]]


class Kept:
    """The latest answers with an ETag, up to so many bytes; the longest unused goes first.

    This is no cache: every answer in it is asked for again, with `If-None-Match`.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._size = 0
        self._answers: OrderedDict[Key, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, request: Request) -> Answer | None:
        """Return the last good answer to this request, or None."""
        with self._lock:
            return self._answers.get(_key(request)) if request.method == "GET" else None

    def keep(self, request: Request, answer: Answer) -> None:
        """Keep an answer that has an ETag and proved to be good."""
        if request.method != "GET" or "ETag" not in answer.headers:
            return
        with self._lock:
            old = self._answers.pop(_key(request), None)
            self._answers[_key(request)] = answer
            self._size += len(answer.body) - (len(old.body) if old else 0)
            while self._size > self._most:
                self._size -= len(self._answers.popitem(last=False)[1].body)


def _key(request: Request) -> Key:
    return request.path, tuple(sorted(request.query.items()))
