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

import httptools
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from marquee.settings import Settings
from marquee.web.answers import Answer
from marquee.web.deadlines import Deadlines
from marquee.web.envelope import envelope
from marquee.web.exchange import COLON, STATUS_LINES, Exchange
from marquee.web.head import Address, Head
from marquee.web.heads import Heads
from marquee.web.malformed import LARGEST_HEAD, Refused
from marquee.web.request import Request

LARGEST_UNREAD = 64 * 1024
"""Bytes of a body that wait for the application before no more are read."""
PIECE = 8 * 1024
"""Bytes that are parsed at a time: as many requests as they hold may wait in line."""
GRACE = 2.0
"""Seconds in which the rest of a body must come when the server stops."""
STALLED = 60.0
"""Seconds in which a client must take something of what it is sent."""
CLOSE = b"connection: close"
CONNECT = b"CONNECT"


class Listener:
    """What all connections of a server share."""

    def __init__(self, values: Settings) -> None:
        self.heads = Heads(values)
        self.idle = Deadlines[Connection](values.header_timeout, Connection.look_whether_idle)
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
        self._client: Address = None
        self._server: Address = None
        self._answering: Exchange | None = None
        self._receiving: Exchange | None = None
        """The last request that has begun: its body is what comes now."""
        self._line: deque[Exchange] = deque()
        self._refusal: Answer | None = None
        """What is said in place of an answer when all requests before it have been answered."""
        self._deaf = False
        """Whether what comes is thrown away: nothing that follows can be told apart."""
        self._ended = False
        """Whether the client has said that it is done, or the server is."""
        self._unparsed, self._paused = b"", False
        self._head, self._in_head = Head(), False
        self._got_on, self._overhead = False, 0
        self._unwritten = 0
        self.gone = False
        self.drained: asyncio.Future[None] | None = None
        """Set while the client does not read what it is sent; done when it does again."""

    # asyncio's protocol.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come. uvloop's transports are no asyncio.BaseTransport to Python."""
        self._transport = transport
        peer, here = (transport.get_extra_info(name) for name in ("peername", "sockname"))
        if peer is None or here is None:
            transport.abort()  # It has gone before it was let in.
            return
        self._client, self._server = peer[:2], here[:2]
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
        if not self._deaf and not self.gone:
            self._unparsed = self._unparsed + data if self._unparsed else data
            self._read()

    def eof_received(self) -> bool:
        """The client sends nothing more. It may have gone, or wait for what it has asked."""
        self._ended = True
        for exchange in (self._answering, self._receiving):
            if exchange is not None:
                exchange.cut()
        if self._answering is None:
            self._close()
        return True

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
            self._listener.idle.begin(self)

    # uvicorn's.

    def shutdown(self) -> None:
        """The server stops: what has begun is answered, and nothing else."""
        self._line.clear()
        self._ended, self._deaf = True, self._receiving is None or self._receiving.whole
        if self._answering is None:
            self._close()
            return
        self._answering.keep_alive = False
        self._answering.end_stream()
        if not self._deaf and self._receiving is not None:
            self._loop.call_later(GRACE, self._receiving.cut)

    # The deadlines'.

    def look_whether_idle(self) -> None:
        """Nothing has come for too long: end it, unless the client still reads."""
        if self._transport.get_write_buffer_size():
            self._watch_writing()
        else:
            self._transport.abort()

    def look_whether_stalled(self) -> None:
        """End it unless the client has taken something of what it is sent."""
        unwritten = self._transport.get_write_buffer_size()
        if unwritten and unwritten == self._unwritten:
            self._transport.abort()
        elif unwritten:
            self._watch_writing()
        elif self._answering is None:
            self._listener.idle.begin(self)

    # The parser's.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._head, self._in_head = Head(), True

    def on_url(self, url: bytes) -> None:
        """A piece of its target has come."""
        self._head.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header has come; or a trailer, which nobody asked for."""
        if self._in_head:
            self._head.add(name, value)

    def on_headers_complete(self) -> None:
        """Its head is whole. Raises Refused."""
        parser, head, self._in_head, self._got_on = self._parser, self._head, False, True
        version, method = parser.get_http_version(), parser.get_method()
        head.check(version)
        if parser.should_upgrade() and method != CONNECT:
            return  # It begins again without its Upgrade.
        self._listener.idle.end(self)
        keep_alive = parser.should_keep_alive() and version == "1.1" and method != CONNECT
        self._receiving = Exchange(
            self,
            head.scope(method, version, self._client, self._server),
            keep_alive=keep_alive,
            expects_continue=head.expects_continue and version == "1.1",
        )
        self._line.append(self._receiving)

    def on_body(self, body: bytes) -> None:
        """A piece of a body has come."""
        self._got_on = True
        if self._receiving is not None:
            self._receiving.feed(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._got_on = True
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
        """There may be room again for what comes."""
        if self._paused and not self.gone:
            self._read()

    def answered(self, exchange: Exchange) -> None:
        """An answer has been written to its end."""
        self._answering = None
        if self.gone:
            return
        if not exchange.keep_alive:
            self._finish(heard=exchange.whole)
        elif self._line:
            self._go_on()
        elif self._refusal is not None:
            self._say(self._refusal)
        elif self._ended and not self._unparsed:
            self._close()
        else:
            self._listener.idle.begin(self)
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

    def _go_on(self) -> None:
        """Answer the next request in line, unless one is being answered."""
        if self._answering is not None or not self._line or self.gone:
            return
        self._answering = exchange = self._line.popleft()
        if self._ended:
            exchange.cut()
        task = self._loop.create_task(exchange.run(self._app))
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    def _read(self) -> None:
        """Parse what has come, as long as there is room for more."""
        refused, full = None, self._is_full()
        while self._unparsed and not (self._deaf or refused or full):
            refused = self._parse(self._unparsed[:PIECE])
            self._go_on()
            full = self._is_full()
        if refused is not None:
            self._refuse(refused)
            full = self._is_full()
        if full != self._paused and not (self.gone or self._ended):
            self._paused = full
            (self._transport.pause_reading if full else self._transport.resume_reading)()

    def _is_full(self) -> bool:
        """Whether others must be answered, or a body be read, before more is taken."""
        receiving = self._receiving
        unread = receiving.unread if receiving is not None else 0
        return bool(self._line) or unread > LARGEST_UNREAD

    def _parse(self, piece: bytes) -> Refused | None:
        """What is wrong with this beginning of what has come, if anything is."""
        self._got_on = False
        self._unparsed = self._unparsed[len(piece) :]
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            self._unparsed = self._without_upgrade() + piece[upgrade.args[0] :] + self._unparsed
        except httptools.HttpParserError as error:
            return Refused.by_parser(error, piece)
        # Also of trailers, extensions of chunks, and empty lines before a request.
        self._overhead = 0 if self._got_on else self._overhead + len(piece)
        return Refused.too_large(self._head.target) if self._overhead > LARGEST_HEAD else None

    def _watch_writing(self) -> None:
        self._unwritten = self._transport.get_write_buffer_size()
        self._listener.stalled.begin(self)

    def _without_upgrade(self) -> bytes:
        """The head again: for httptools, a request that asks for another protocol has no body,
        which that of Java's HttpClient has. After CONNECT nothing follows.
        """
        method, version = self._parser.get_method(), self._parser.get_http_version()
        if method == CONNECT:
            self._deaf = True
            return b""
        self._parser = httptools.HttpRequestParser(self)
        return self._head.without_upgrade(method, version)

    def _refuse(self, refused: Refused) -> None:
        """What has come cannot be understood, and so neither can what follows."""
        self._deaf = True
        self._listener.idle.end(self)
        receiving = self._receiving
        if receiving is not None and receiving.done and not receiving.whole:
            self._finish(heard=False)
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
        lines = [STATUS_LINES[answer.status], *self.date(), *map(COLON.join, headers), CLOSE]
        self._transport.write(b"\r\n".join([*lines, b"", answer.body]))
        self._finish(heard=False)

    def _finish(self, *, heard: bool) -> None:
        """Close the connection. While a client still sends, it would not get to read the answer:
        then only our half is closed, and the rest when it has heard.
        """
        self._deaf, self._unparsed = True, b""
        self._line.clear()
        if heard or self._ended:
            self._close()
        elif not self._transport.is_closing():
            self._transport.write_eof()
            self._listener.idle.begin(self)
            self.resume_reading()

    def _close(self) -> None:
        """Close it when all has been sent, or the client does not read it."""
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._watch_writing()
