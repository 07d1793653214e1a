"""A JSON server on 127.0.0.1 that breaks at will: the base of every fake service.

While it runs, `breaks` and `heals` switch a fault on and off; another process does the same by HTTP:

    curl -X PUT localhost:PORT/_fake/fault -d '{"kind": "status", "status": 503, "times": 2}'
    curl -X DELETE localhost:PORT/_fake/fault
    curl localhost:PORT/_fake/requests
"""

import gzip
import hashlib
import json
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

MEGABYTE = 1024 * 1024
COMPRESSED_FROM = 500
CONTROL = "/_fake/"

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request as it came in. Names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer in JSON."""

    status: int
    value: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """Something that goes wrong, `times` times, or until it is healed.

    | kind | what the server does |
    |---|---|
    | slow | waits `seconds`, then answers well |
    | drip | sends the body a byte at a time, each after `seconds` |
    | drip_headers | sends all of it a byte at a time |
    | reset | resets the connection |
    | refused | does not listen for `seconds` |
    | truncated | promises more than it sends |
    | status | answers `status` (503), with `retry_after` if that is given |
    | broken_json, html, empty | answers 200 with something that is no JSON |
    | wrong_types | numbers for words and words for numbers |
    | bad_items | every second item of `results` is bad |
    | huge | declares ten gigabytes |
    | endless | answers `status` (200) and never stops sending |
    | bomb | sends a megabyte that unfolds to a gigabyte |
    | encoding | uses an encoding that nobody asked for |
    | redirect | redirects to `location`, with `status` (302) |
    """

    kind: str
    times: int | None = None
    seconds: float = 1.0
    status: int | None = None
    retry_after: str | None = None
    location: str = "/"


class FakeServer:
    """Use as a context manager, or call `start` and `stop`; stopped, it refuses connections.

    `seen` holds every request since the start, `connections` says how many carried them.
    """

    prefix = ""
    """What `url` has behind host and port."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.seen: list[Asked] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._fault: Fault | None = None
        self._lock = threading.Lock()
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """The base URL to give to a client."""
        return f"http://127.0.0.1:{self.port}{self.prefix}"

    def answer(self, asked: Asked) -> Reply:
        """Answer as the service does. Each fake has its own."""
        raise NotImplementedError

    def problem(self, status: int) -> Reply:
        """Answer an error in the words of the service. Each fake has its own."""
        raise NotImplementedError

    def breaks(self, kind: str, **how: Any) -> None:  # noqa: ANN401 - the fields of Fault
        """From now on this goes wrong. See Fault."""
        fault = Fault(kind, **how)
        if kind == "refused":
            threading.Thread(target=self._refuse, args=(fault.seconds,)).start()
        elif kind not in FAULTS:
            raise ValueError(f"There is no fault {kind}: {', '.join(FAULTS)}")
        else:
            self._fault = fault

    def heals(self) -> None:
        """From now on all is well."""
        self._fault = None

    def start(self) -> None:
        """Listen: on the same port as before, if there was one."""
        self.stopping.clear()
        self._server = _Server(self)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Listen no more, and end the connections that there are."""
        self.stopping.set()
        if self._server is not None:
            self._server.end()
            self._server = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def _refuse(self, seconds: float) -> None:
        time.sleep(0.05)  # who asked for it by HTTP gets an answer
        self.stop()
        time.sleep(seconds)
        self.start()

    def noted(self, asked: Asked) -> Fault | None:
        """Count a request, and say what goes wrong with it."""
        with self._lock:
            self.seen.append(asked)
            fault = self._fault
            if fault is None or fault.times is None:
                return fault
            fault.times -= 1
            if fault.times <= 0:
                self._fault = None
            return fault

    def controlled(self, asked: Asked) -> Reply:
        """Answer what tests in other processes ask."""
        match asked.method, asked.path.removeprefix(CONTROL):
            case "PUT", "fault":
                self.breaks(**json.loads(asked.body))
            case "DELETE", "fault":
                self.heals()
            case "GET", "requests":
                paths = [f"{seen.method} {seen.path}" for seen in self.seen]
                return Reply(200, {"count": len(paths), "requests": paths})
            case _:
                return Reply(404, {"message": "PUT or DELETE fault, GET requests"})
        return Reply(200, {})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, fake: FakeServer) -> None:
        self.fake = fake
        self._sockets: set[socket.socket] = set()
        super().__init__(("127.0.0.1", fake.port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        self.fake.connections += 1
        self._sockets.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401
        self._sockets.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Say nothing of clients that went away: faults make them."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def end(self) -> None:
        self.shutdown()
        self.server_close()
        for each in list(self._sockets):
            with_reset(each)


def with_reset(connection: socket.socket) -> None:
    """End a connection so that the other side sees a reset."""
    with suppress(OSError):  # it may have ended already
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)
        connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def serve(self) -> None:
        """Answer one request, or break."""
        fake = self.server.fake
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        asked = Asked(self.command, url.path, query, headers, body)
        if url.path.startswith(CONTROL):
            self.wfile.write(_head_and_body(fake.controlled(asked), asked))
            return
        fault = fake.noted(asked)
        try:
            if fault is None:
                self.wfile.write(_head_and_body(fake.answer(asked), asked))
            else:
                FAULTS[fault.kind](self, fault, asked)
        except OSError:  # the client has had enough
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def raw(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send what need not be right, and close."""
        self.close_connection = True
        self.wfile.write(_head(status, {**headers, "Connection": "close"}) + body)

    def well(self, asked: Asked) -> bytes:
        """Give the whole answer that there would be without the fault."""
        return _head_and_body(self.server.fake.answer(asked), asked)

    def dripped(self, content: bytes, seconds: float) -> None:
        """Send a byte at a time, until the fake stops or the client goes."""
        self.close_connection = True
        for byte in content:
            if self.server.fake.stopping.wait(seconds):
                return
            self.wfile.write(bytes([byte]))


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _head_and_body(reply: Reply, asked: Asked) -> bytes:
    body = json.dumps(reply.value, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json;charset=utf-8", "Vary": "Accept-Encoding"}
    headers.update(reply.headers)
    if reply.status == HTTPStatus.OK:
        tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers |= {"ETag": tag, "Cache-Control": "public, max-age=600"}
        if asked.headers.get("if-none-match") == tag:
            return _head(304, headers)
    if "gzip" in asked.headers.get("accept-encoding", "") and len(body) > COMPRESSED_FROM:
        body = gzip.compress(body)
        headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(body))
    return _head(reply.status, headers) + (b"" if asked.method == "HEAD" else body)


def _slow(handler: _Handler, fault: Fault, asked: Asked) -> None:
    if not handler.server.fake.stopping.wait(fault.seconds):
        handler.wfile.write(handler.well(asked))


def _drip(handler: _Handler, fault: Fault, asked: Asked) -> None:
    head, end, body = handler.well(asked).partition(b"\r\n\r\n")
    handler.wfile.write(head + end)
    handler.dripped(body, fault.seconds)


def _drip_headers(handler: _Handler, fault: Fault, asked: Asked) -> None:
    handler.dripped(handler.well(asked), fault.seconds)


def _reset(handler: _Handler, _fault: Fault, _asked: Asked) -> None:
    handler.close_connection = True
    with_reset(handler.connection)


def _truncated(handler: _Handler, _fault: Fault, asked: Asked) -> None:
    handler.close_connection = True
    handler.wfile.write(handler.well(asked)[:-20])


def _status(handler: _Handler, fault: Fault, asked: Asked) -> None:
    problem = handler.server.fake.problem(fault.status or 503)
    headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
    reply = Reply(problem.status, problem.value, {**problem.headers, **headers})
    handler.wfile.write(_head_and_body(reply, asked))


def _broken_json(handler: _Handler, _fault: Fault, _asked: Asked) -> None:
    handler.raw(200, {"Content-Type": "application/json"}, b'{"page":1,"results":[{"id":550,')


def _html(handler: _Handler, _fault: Fault, _asked: Asked) -> None:
    page = b"<!doctype html><title>Maintenance</title><p>Back in an hour."
    handler.raw(200, {"Content-Type": "text/html"}, page)


def _empty(handler: _Handler, _fault: Fault, _asked: Asked) -> None:
    handler.raw(200, {"Content-Type": "application/json", "Content-Length": "0"}, b"")


def _wrong_types(handler: _Handler, _fault: Fault, asked: Asked) -> None:
    reply = handler.server.fake.answer(asked)
    handler.wfile.write(_head_and_body(Reply(reply.status, twisted(reply.value)), asked))


def _bad_items(handler: _Handler, _fault: Fault, asked: Asked) -> None:
    reply = handler.server.fake.answer(asked)
    harm = cycle(HARMS)
    for index in range(1, len(reply.value["results"]), 2):
        reply.value["results"][index] = next(harm)(dict(reply.value["results"][index]))
    handler.wfile.write(_head_and_body(reply, asked))


def _huge(handler: _Handler, _fault: Fault, _asked: Asked) -> None:
    handler.raw(200, {"Content-Length": str(10_000 * MEGABYTE)}, b"[")


def _endless(handler: _Handler, fault: Fault, _asked: Asked) -> None:
    headers = {"Transfer-Encoding": "chunked", "Location": fault.location}
    handler.raw(fault.status or 200, headers, b"")
    while not handler.server.fake.stopping.is_set():
        handler.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


def _bomb(handler: _Handler, _fault: Fault, _asked: Asked) -> None:
    body = gzip.compress(bytes(4 * MEGABYTE)) * 256
    handler.raw(200, {"Content-Encoding": "gzip", "Content-Length": str(len(body))}, body)


def _encoding(handler: _Handler, _fault: Fault, _asked: Asked) -> None:
    handler.raw(200, {"Content-Encoding": "gzip, gzip"}, gzip.compress(gzip.compress(b"{}")))


def _redirect(handler: _Handler, fault: Fault, _asked: Asked) -> None:
    handler.raw(fault.status or 302, {"Location": fault.location, "Content-Length": "0"}, b"")


FAULTS: Mapping[str, Callable[[_Handler, Fault, Asked], None]] = {
    "slow": _slow,
    "drip": _drip,
    "drip_headers": _drip_headers,
    "reset": _reset,
    "truncated": _truncated,
    "status": _status,
    "broken_json": _broken_json,
    "html": _html,
    "empty": _empty,
    "wrong_types": _wrong_types,
    "bad_items": _bad_items,
    "huge": _huge,
    "endless": _endless,
    "bomb": _bomb,
    "encoding": _encoding,
    "redirect": _redirect,
}

HARMS: tuple[Callable[[Json], Any], ...] = (
    lambda item: {**item, "id": str(item["id"])},
    lambda item: {**item, "title": None},
    lambda item: {**item, "vote_average": "8.4"},
    lambda item: {**item, "popularity": -1},
    lambda item: {**item, "genre_ids": "18"},
    lambda item: {**item, "id": True},
    lambda item: {**item, "vote_average": 11},
    lambda item: [item],
    lambda _: None,
    lambda item: {**item, "overview": {"en": item["overview"]}},
)


def twisted(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Give the same JSON with numbers for words and words for numbers."""
    if isinstance(value, dict):
        return {name: twisted(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [twisted(inner) for inner in value]
    return len(value) if isinstance(value, str) else str(value)
