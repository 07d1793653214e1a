"""HTTP/1.1 on one connection, between uvicorn and the application.

uvicorn runs the processes, listens, and stops them; httptools (Node's llhttp) parses. What is in
between, uvicorn's own protocol, costs more than all else of a small answer, and lets a client take
its time and its memory; so it is here: limits to the size and time of a head, backpressure both
ways, refusals in the envelope, an `Upgrade` that is passed over as RFC 9110 allows, an ending that
the client can read (RFC 9112, section 9.6).
"""

import asyncio
from collections import deque
from typing import Any
from urllib.parse import unquote_to_bytes

import httptools
from starlette.types import ASGIApp, Scope
from uvicorn.server import ServerState

from marquee.settings import Settings
from marquee.web.answers import Answer
from marquee.web.deadlines import Deadlines
from marquee.web.envelope import envelope
from marquee.web.exchange import COLON, STATUS_LINES, Exchange
from marquee.web.heads import Heads
from marquee.web.malformed import LARGEST_HEAD, Refused
from marquee.web.request import Request

LARGEST_UNREAD = 64 * 1024
"""Bytes of a body that wait for the application before no more are read."""
STALLED = 60.0
"""Seconds in which a client must take something of what it is sent."""
VERSIONS = ("1.0", "1.1")


class Listener:
    """What all connections of a server share."""

    def __init__(self, values: Settings) -> None:
        self.heads = Heads(values)
        self.idle = Deadlines[Connection](values.header_timeout, Connection.close)
        self.stalled = Deadlines[Connection](STALLED, Connection.look_whether_stalled)
        self._date: tuple[list[tuple[bytes, bytes]], tuple[bytes, ...]] = ([], ())

    def connection(self, app: ASGIApp, state: ServerState) -> "Connection":
        """A new one."""
        return Connection(self, app, state)

    def date(self, state: ServerState) -> tuple[bytes, ...]:
        """The `Date` line, of which uvicorn makes a new one each second."""
        if state.default_headers is not self._date[0]:
            lines = tuple(b"%b: %b" % pair for pair in state.default_headers)
            self._date = (state.default_headers, lines)
        return self._date[1]


class Connection(asyncio.Protocol):
    """One client. Requests that come before the last one is answered wait in line."""

    def __init__(self, listener: Listener, app: ASGIApp, state: ServerState) -> None:
        self._listener, self._app, self._state = listener, app, state
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._client: tuple[str, int] | None = None
        self._server: tuple[str, int] | None = None
        self._answering: Exchange | None = None
        self._receiving: Exchange | None = None
        """The last request that has begun: its body is what comes now."""
        self._line: deque[Exchange] = deque()
        self._refusal: Answer | None = None
        """What is said in place of an answer when all requests before it have been answered."""
        self._deaf = False
        """Whether what comes is thrown away: nothing that follows can be told apart."""
        self._paused = False
        self._in_head, self._fed, self._large = False, 0, False
        self._url, self._headers = b"", list[tuple[bytes, bytes]]()
        self._hosts, self._expects_continue = 0, False
        self._unwritten = -1
        self.gone = False
        self.drained: asyncio.Future[None] | None = None
        """Set while the client does not read what it is sent; done when it does again."""

    # asyncio's protocol.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come. uvloop's transports are no asyncio.BaseTransport to Python."""
        self._transport = transport
        self._client = transport.get_extra_info("peername")[:2]
        self._server = transport.get_extra_info("sockname")[:2]
        # uvicorn's type of the set names its own protocols alone.
        connections: set[Any] = self._state.connections
        connections.add(self)
        self._listener.idle.begin(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's interface
        """It has gone, or has been let go."""
        self.gone = True
        connections: set[Any] = self._state.connections
        connections.discard(self)
        self._listener.idle.end(self)
        self.resume_writing()
        for exchange in (self._answering, self._receiving):
            if exchange is not None:
                exchange.cut()
        self._receiving = None
        self._line.clear()
        del self._parser  # It knows this object, which knows it.

    def data_received(self, data: bytes) -> None:
        """Some bytes have come."""
        if self._deaf or self.gone:
            return
        continues, refused = self._in_head, None
        self._large = continues or len(data) > LARGEST_HEAD
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            refused = Refused.by_parser(error, data)
        self._fed += len(data) if continues and self._in_head else 0
        if self._fed > LARGEST_HEAD:
            refused = Refused.too_large(self._url)
        self._go_on()
        if refused is not None:
            self._refuse(refused)
        elif self._line:
            self._pause_reading()

    def pause_writing(self) -> None:
        """The client does not read what it is sent."""
        self.drained = self._loop.create_future()
        self._watch_writing()

    def resume_writing(self) -> None:
        """It has read most of it."""
        self._listener.stalled.end(self)
        if self.drained is not None and not self.drained.done():
            self.drained.set_result(None)
        self.drained = None
        if self._answering is None and not self.gone:
            self._wait_for_more()

    # uvicorn's.

    def shutdown(self) -> None:
        """The server stops: what has begun is answered, and nothing else."""
        self._line.clear()
        self._deaf = self._receiving is None or self._receiving.whole
        if self._answering is None:
            self._transport.close()
        else:
            self._answering.keep_alive = False
            self._answering.end_stream()

    # The deadlines'.

    def close(self) -> None:
        """Nothing has come for too long: end it, unless the client still reads."""
        if self._transport.get_write_buffer_size():
            self._watch_writing()
        else:
            self._transport.abort()

    def look_whether_stalled(self) -> None:
        """End it unless the client has taken something of what it is sent."""
        unwritten = self._transport.get_write_buffer_size()
        if not unwritten:
            self._wait_for_more()
        elif unwritten == self._unwritten:
            self._transport.abort()
        else:
            self._watch_writing()

    # The parser's.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._url, self._headers = b"", []
        self._hosts, self._expects_continue = 0, False
        self._in_head, self._fed = True, 0

    def on_url(self, url: bytes) -> None:
        """A piece of its target has come."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header has come."""
        if not self._in_head:
            return  # A trailer: nobody asked for one.
        name = name.lower()
        if name == b"host":
            self._hosts += 1
        elif name == b"expect":
            self._expects_continue = value.lower() == b"100-continue"
        self._headers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Its head is whole. Raises Refused."""
        parser, self._in_head = self._parser, False
        version, method = parser.get_http_version(), parser.get_method().decode()
        if self._large and self._size() > LARGEST_HEAD:
            raise Refused.too_large(self._url)
        if version not in VERSIONS:
            raise Refused.version()
        if self._hosts != 1 and (self._hosts or version == "1.1"):
            raise Refused.malformed("A request names one Host.")
        if parser.should_upgrade() and method != "CONNECT":
            return  # It begins again without its Upgrade.
        self._listener.idle.end(self)
        self._receiving = exchange = Exchange(
            self,
            self._scope(method, version),
            keep_alive=parser.should_keep_alive() and version == "1.1" and method != "CONNECT",
            expects_continue=self._expects_continue and version == "1.1",
        )
        self._line.append(exchange)

    def on_body(self, body: bytes) -> None:
        """A piece of a body has come."""
        if self._receiving is not None:
            self._receiving.feed(body)
            if self._receiving.unread > LARGEST_UNREAD:
                self._pause_reading()

    def on_message_complete(self) -> None:
        """A request is whole."""
        if self._receiving is not None:
            self._receiving.complete()

    # An exchange's.

    def date(self) -> tuple[bytes, ...]:
        """The `Date` line."""
        return self._listener.date(self._state)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    def resume_reading(self) -> None:
        """There is room again for what comes."""
        if self._paused and not self.gone:
            self._paused = False
            self._transport.resume_reading()

    def answered(self, exchange: Exchange) -> None:
        """An answer has been written to its end."""
        self._answering = None
        if self.gone:
            return
        if not exchange.keep_alive:
            self._line.clear()
            self._finish(heard=exchange.whole)
        elif self._line:
            self._go_on()
        elif self._refusal is not None:
            self._say(self._refusal)
        else:
            self._wait_for_more()
            self.resume_reading()

    def broke_off(self, exchange: Exchange, *, started: bool) -> None:
        """An answer has not been written to its end: the client must not take it for whole."""
        self._answering = None
        self._line.clear()
        if self.gone:
            return
        if started:
            self._transport.abort()
            return
        exchange.done = True
        message = "Something went wrong on our side."
        self._say(envelope(500, "INTERNAL_ERROR", message))

    # Its own.

    def _size(self) -> int:
        """Bytes of the head that is being read."""
        return len(self._url) + sum(len(name) + len(value) for name, value in self._headers)

    def _scope(self, method: str, version: str) -> Scope:
        target = self._url
        if not target.startswith(b"/"):
            # RFC 9112, 3.2.2: what a proxy would be asked for is taken from servers as well.
            _, _, after = target.partition(b"://")
            target = after[after.index(b"/") :] if b"/" in after else target
        raw_path, _, query = target.partition(b"?")
        path = raw_path.decode("latin-1")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": version,
            "method": method,
            "scheme": "http",
            "path": unquote_to_bytes(raw_path).decode("utf-8", "replace")
            if "%" in path or not path.isascii()
            else path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": self._headers,
            "client": self._client,
            "server": self._server,
        }

    def _go_on(self) -> None:
        """Answer the next request in line, unless one is being answered."""
        if self._answering is not None or not self._line or self.gone:
            return
        self._answering = exchange = self._line.popleft()
        task = self._loop.create_task(exchange.run(self._app))
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    def _pause_reading(self) -> None:
        if not self._paused and not self.gone:
            self._paused = True
            self._transport.pause_reading()

    def _wait_for_more(self) -> None:
        self._listener.idle.end(self)
        self._listener.idle.begin(self)

    def _watch_writing(self) -> None:
        self._unwritten = self._transport.get_write_buffer_size()
        self._listener.stalled.end(self)
        self._listener.stalled.begin(self)

    def _feed(self, data: bytes) -> None:
        """Parse it. Raises HttpParserError."""
        while data and not self._deaf:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_upgrade() + data[upgrade.args[0] :]
            else:
                return

    def _without_upgrade(self) -> bytes:
        """The head of a request again, as one that asks for no other protocol: for httptools, it
        would have no body, which that of Java's HttpClient has. After CONNECT nothing follows.
        """
        method, version = self._parser.get_method(), self._parser.get_http_version().encode()
        if method == b"CONNECT":
            self._deaf = True
            return b""
        self._parser = httptools.HttpRequestParser(self)
        lines = [COLON.join(each) for each in self._headers if each[0] != b"upgrade"]
        first = b"%b %b HTTP/%b" % (method, self._url, version)
        return b"\r\n".join([first, *lines, b"", b""])

    def _refuse(self, refused: Refused) -> None:
        """What has come cannot be understood, and so neither can what follows."""
        self._deaf = True
        self._listener.idle.end(self)
        receiving = self._receiving
        if receiving is not None and receiving.done and not receiving.whole:
            self._transport.close()
        elif receiving is not None and not receiving.whole:
            # It is the body of this request that is broken: the application answers.
            receiving.keep_alive = False
            receiving.cut()
        elif self._answering is not None or self._line:
            self._refusal = refused.answer
        else:
            self._say(refused.answer)

    def _say(self, answer: Answer) -> None:
        """An answer that is not the application's, and the last one."""
        request = Request("", "", "", {}, None, {})
        headers = self._listener.heads.complete(request, answer, [])
        head = [STATUS_LINES[answer.status], *self.date(), *map(COLON.join, headers), b"", b""]
        self._transport.write(b"\r\n".join(head) + answer.body)
        self._finish(heard=False)

    def _finish(self, *, heard: bool) -> None:
        """Close the connection. While a client still sends, it would not get to read the answer:
        then only our half is closed, and the rest when it has heard.
        """
        if heard:
            self._transport.close()
            return
        self._deaf = True
        if not self._transport.is_closing():
            self._transport.write_eof()
            self.resume_reading()
            self._wait_for_more()
