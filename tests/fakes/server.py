"""A JSON server on 127.0.0.1 that breaks at will: the base of every fake service.

While it runs, `breaks` and `heals` switch a fault on and off; other processes do it by HTTP:

    curl -X PUT localhost:PORT/_fake/fault -d '{"kind": "status", "status": 503, "times": 2}'
    curl -X DELETE localhost:PORT/_fake/fault
    curl localhost:PORT/_fake/requests
"""

import json
import socket
import ssl
import sys
import threading
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.exchange import Asked, Exchange, Reply
from tests.fakes.faults import FAULTS, Fault

CONTROL = "/_fake/"


class FakeServer(ABC):
    """Use as a context manager, or call `start` and `stop`; stopped, it refuses connections.

    `seen` holds every request since the start, `connections` says how many carried them. With a
    context for `tls` it speaks HTTPS.
    """

    prefix = ""
    """What `url` has behind host and port."""

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self.tls = tls
        self.seen: list[Asked] = []
        self.connections = 0
        self.stopping = threading.Event()
        self._fault: Fault | None = None
        self._lock = threading.Lock()
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """The base URL to give to a client."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}{self.prefix}"

    @abstractmethod
    def answer(self, asked: Asked) -> Reply:
        """Answer as the service does."""

    @abstractmethod
    def problem(self, status: int) -> Reply:
        """Answer an error in the words of the service."""

    def breaks(self, kind: str, **how: Any) -> None:
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
        if fake.tls is not None:
            # The handshake is left to the thread of the connection.
            self.socket = fake.tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def process_request(self, request: Any, client_address: Any) -> None:
        self.fake.connections += 1
        self._sockets.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._sockets.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away: faults make them."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def end(self) -> None:
        self.shutdown()
        self.server_close()
        for each in list(self._sockets):
            with suppress(OSError):  # it may have ended already
                socket.socket.shutdown(each, socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def serve(self) -> None:
        """Answer one request, or break."""
        fake, url = self.server.fake, urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        asked = Asked(self.command, url.path, query, headers, body)
        answer = partial(fake.answer, asked)
        exchange = Exchange(asked, self.connection, fake.stopping, answer, fake.problem)
        try:
            if asked.path.startswith(CONTROL):
                exchange.send(fake.controlled(asked))
            elif fault := fake.noted(asked):
                FAULTS[fault.kind](exchange, fault)
            else:
                exchange.send(fake.answer(asked))
        except OSError:  # the client has had enough
            exchange.over = True
        self.close_connection |= exchange.over

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Be quiet."""
