"""A plain HTTP client on one kept connection, for warming up and for comparing answers."""

import http.client
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tools.bench.operations import Operation


@dataclass(frozen=True)
class Answer:
    """What a server said. Header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """Calls one server on 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def __enter__(self) -> Self:
        """Nothing is opened before the first call."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._connection.close()

    def get(self, url: str) -> Answer:
        """Get a page."""
        return self.call(Operation("", "GET", url))

    def call(self, operation: Operation) -> Answer:
        """Do one operation."""
        self._connection.request(
            operation.method, operation.url, operation.body or None, operation.headers
        )
        answer = self._connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, headers, answer.read())
