"""One request and its answer on a connection: what ASGI calls `scope`, `receive` and `send`."""

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from starlette.types import ASGIApp, Message, Scope

from marquee.web.heads import BODILESS

if TYPE_CHECKING:
    from marquee.web.connection import Connection

log = structlog.get_logger("marquee")

PHRASES = {each.value: each.phrase for each in HTTPStatus}
STATUS_LINES = {
    status: f"HTTP/1.1 {status} {PHRASES.get(status, '')}".encode() for status in range(200, 600)
}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
COLON = b": "
EVENTS = (b"content-type", b"text/event-stream")
GONE: Message = {"type": "http.disconnect"}
LARGEST_COPY = 64 * 1024
"""Bytes of a body that is joined to its head; a larger one is sent after it."""


class Misframed(Exception):
    """The application's answer does not fit into HTTP: a bug of ours."""


class Exchange:
    """Calls the application with one request, and writes what it answers."""

    __slots__ = (
        "_body",
        "_chunked",
        "_connection",
        "_cut",
        "_delivered",
        "_endless",
        "_head",
        "_left",
        "_started",
        "_waiter",
        "done",
        "expects_continue",
        "keep_alive",
        "scope",
        "whole",
    )

    def __init__(
        self, connection: "Connection", scope: Scope, *, keep_alive: bool, expects_continue: bool
    ) -> None:
        self._connection, self.scope = connection, scope
        self.keep_alive = keep_alive
        """Whether another request may follow on the connection."""
        self.expects_continue = expects_continue
        self.whole = self.done = False
        """Whether all of the request has come, and all of the answer has been written."""
        self._body = b""
        self._delivered = self._cut = False
        self._started = self._chunked = self._endless = False
        self._head = b""
        self._left: int | None = None
        """Bytes that the answer still owes to its Content-Length, if it has one."""
        self._waiter: asyncio.Future[None] | None = None

    async def run(self, app: ASGIApp) -> None:
        """Answer the request, whatever happens."""
        try:
            await app(self.scope, self.receive, self.send)
        except Exception:
            log.exception("answer_broke_off")
        finally:
            if not self.done:
                self._connection.broke_off(self, started=self._started)

    # The request, as it comes in.

    @property
    def unread(self) -> int:
        """Bytes of body that the application has not taken yet."""
        return len(self._body)

    def feed(self, body: bytes) -> None:
        """More of the body has come."""
        if not self.done:
            self._body = self._body + body if self._body else body
            self._wake()

    def complete(self) -> None:
        """All of the request has come."""
        self.whole = True
        self._wake()

    def cut(self) -> None:
        """No more of the request will come: its framing is broken, or the client has gone."""
        self._cut = True
        self._wake()

    def end_stream(self) -> None:
        """The server stops: a stream of events, which never ends by itself, is told that its client
        has gone.
        """
        if self._endless:
            self.cut()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @property
    def _has_news(self) -> bool:
        return bool(self._body) or (self.whole and not self._delivered)

    async def receive(self) -> Message:
        """ASGI's: a piece of the body; when there is no more, that the client has gone."""
        if self.expects_continue and not (self._cut or self._started or self.whole):
            self._connection.write(CONTINUE)
        self.expects_continue = False
        while not self._has_news:
            self._connection.resume_reading()
            if self._cut or self.done:
                return GONE
            if not self._has_news:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
        body, self._body, self._delivered = self._body, b"", self.whole
        return {"type": "http.request", "body": body, "more_body": not self.whole}

    # The answer, as it goes out.

    async def send(self, message: Message) -> None:
        """ASGI's: the head, then the pieces of the body. Waits while the client does not read."""
        if self._connection.drained is not None:
            await self._connection.drained
        if self._connection.gone:
            return
        if not self._started:
            self._begin(message["status"], message["headers"])
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        self._write(b"" if self.scope["method"] == "HEAD" else body, last=not more)
        if not more:
            self.done, self._body = True, b""
            self._wake()
            self._connection.answered(self)

    def _begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Make the head. It goes out with the body, or at once where that is a stream."""
        closes = False
        for name, value in headers:
            if name == b"content-length":
                self._left = int(value)
            elif name == b"connection":
                closes = value.lower() == b"close"
        self.keep_alive = self.keep_alive and not closes
        if status in BODILESS or self.scope["method"] == "HEAD":
            self._left = 0
        streams = self._left is None
        if streams:
            # A client of HTTP/1.0 knows the end of a body by that of the connection.
            self._chunked = self.scope["http_version"] == "1.1"
            self.keep_alive = self.keep_alive and self._chunked
            self._endless = EVENTS in headers
        # Who was to wait for leave to send a body may take the answer for a refusal, and send none.
        self.keep_alive = self.keep_alive and (self.whole or not self.expects_continue)
        lines = [STATUS_LINES[status], *self._connection.date(), *map(COLON.join, headers)]
        if self._chunked:
            lines.append(b"transfer-encoding: chunked")
        if not (self.keep_alive or closes):
            lines.append(b"connection: close")
        self._head = b"\r\n".join(lines) + b"\r\n\r\n"
        if not self._head.count(b"\n") == self._head.count(b"\r") == len(lines) + 1:
            raise Misframed("A header has a line break.")
        self._started = True
        if streams:
            self._connection.write(self._head)
            self._head = b""

    def _write(self, body: bytes, *, last: bool) -> None:
        if self._left is not None:
            self._left -= len(body)
            if self._left < 0 or (last and self._left):
                raise Misframed("The body is not as long as its Content-Length.")
        elif self._chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body = body + b"0\r\n\r\n" if last else body
        if len(body) > LARGEST_COPY:
            self._connection.write(self._head)
            self._connection.write(body)
        else:
            self._connection.write(self._head + body)
        self._head = b""
