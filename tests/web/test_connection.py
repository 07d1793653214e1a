"""HTTP/1.1 byte by byte: what `web/connection.py` and `web/exchange.py` do with it."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from starlette.types import Receive, Scope, Send

from marquee import settings
from marquee.web import connection as connections
from tests.contract import raw
from tests.serving import serving_any

LARGE = 30_000_000
"""Bytes that no socket's buffers hold."""
HOST = "Host: x"


class Probe:
    """An application that says what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go_on = threading.Event()
        self.gone = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        self.asked.append(path)
        if hasattr(self, path.strip("/")):
            await getattr(self, path.strip("/"))(receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
                return
            body, more = body + message["body"], message["more_body"]
        said = {name: scope[name] for name in ("method", "path", "http_version")} | {
            "raw_path": scope["raw_path"].decode("latin-1"),
            "query": scope["query_string"].decode("latin-1"),
            "headers": [[each.decode("latin-1") for each in pair] for pair in scope["headers"]],
            "body": body.decode("latin-1"),
        }
        await say(send, orjson.dumps(said))

    async def slow(self, _receive: Receive, send: Send) -> None:
        """Answers when it is told to."""
        await asyncio.to_thread(self.go_on.wait)
        await say(send, b"slow")

    async def deaf(self, _receive: Receive, send: Send) -> None:
        """Does not read what it is sent."""
        await say(send, b"deaf")

    async def large(self, _receive: Receive, send: Send) -> None:
        """Answers with much."""
        await say(send, b"x" * LARGE)

    async def injected(self, _receive: Receive, send: Send) -> None:
        """Has a line break in a header."""
        headers = [(b"x-a", b"b\r\nset-cookie: c"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def short(self, _receive: Receive, send: Send) -> None:
        """Sends less than it says."""
        headers = [(b"content-length", b"10")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"12345", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def broken(self, _receive: Receive, _send: Send) -> None:
        """Raises."""
        raise RuntimeError("A bug.")

    async def pieces(self, _receive: Receive, send: Send) -> None:
        """Does not know how long it is."""
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in (b"one ", b"two"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def events(self, receive: Receive, send: Send) -> None:
        """Never ends by itself."""
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone.set()


async def say(send: Send, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def probe() -> Iterator[Probe]:
    """The application that is asked."""
    made = Probe()
    yield made
    made.go_on.set()


@pytest.fixture
def url(probe: Probe) -> Iterator[str]:
    """Where it is served, by a server that waits for a second."""
    values = replace(settings.current(), header_timeout=1)
    with serving_any(probe, values, timeout_graceful_shutdown=1) as base:
        yield base


def request(line: str, *headers: str, body: str = "") -> bytes:
    return "\r\n".join([line, *headers, "", body]).encode("latin-1")


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "It has not come to be."
        time.sleep(0.01)


def said(url: str, *pieces: bytes) -> bytes:
    """All that the server says to these bytes until it closes the connection."""
    with raw.connect(url, 10) as connection:
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(0.05)
            connection.sendall(piece)
        return rest(connection)


def rest(connection: socket.socket) -> bytes:
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def body_of(answer: bytes) -> Any:
    return orjson.loads(answer.partition(b"\r\n\r\n")[2])


def statuses(answers: bytes) -> list[int]:
    """Of several answers; the envelope and the probe never say `HTTP/1.1 ` in a body."""
    return [int(each[:3]) for each in answers.split(b"HTTP/1.1 ")[1:]]


class TestRequests:
    def test_what_is_asked_arrives(self, url: str) -> None:
        head = ("POST /a%20b/%C3%A9?q=%41&r HTTP/1.1", HOST, "X-A:  b \t", "X-A: c", "X-E:")
        asked = body_of(
            said(url, request(*head, "Content-Length: 3", "Connection: close", body="abc"))
        )
        assert (asked["method"], asked["http_version"], asked["body"]) == ("POST", "1.1", "abc")
        assert (asked["path"], asked["raw_path"]) == ("/a b/é", "/a%20b/%C3%A9")
        assert asked["query"] == "q=%41&r"
        assert [pair for pair in asked["headers"] if pair[0].startswith("x-")] == [
            ["x-a", "b"],
            ["x-a", "c"],
            ["x-e", ""],
        ]

    def test_each_byte_by_itself(self, url: str) -> None:
        head = request(
            "POST /x HTTP/1.1", HOST, "Content-Length: 2", "Connection: close", body="ab"
        )
        with raw.connect(url) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in head:
                connection.sendall(bytes([byte]))
            assert body_of(rest(connection))["body"] == "ab"

    def test_chunks_and_trailers(self, url: str) -> None:
        body = "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nX-Trailer: evil\r\nHost: y\r\n\r\n"
        head = ("POST /x HTTP/1.1", HOST, "Transfer-Encoding: chunked", "Connection: close")
        asked = body_of(said(url, request(*head, body=body)))
        assert asked["body"] == "abcde"
        assert "x-trailer" not in dict(asked["headers"])

    def test_requests_in_line_are_answered_in_order(self, url: str, probe: Probe) -> None:
        first = request("GET /slow HTTP/1.1", HOST)
        others = [request(f"GET /{number} HTTP/1.1", HOST) for number in range(50)]
        last = request("GET /last HTTP/1.1", HOST, "Connection: close")
        with raw.connect(url) as connection:
            connection.sendall(first + b"".join(others) + last)
            until(lambda: probe.asked)
            time.sleep(0.1)
            assert probe.asked == ["/slow"]
            probe.go_on.set()
            answers = rest(connection)
        assert statuses(answers) == [200] * 52
        assert probe.asked == ["/slow", *(f"/{number}" for number in range(50)), "/last"]

    @pytest.mark.parametrize("target", ["http://evil.example/x?q=1", "/x?q=1"])
    def test_both_forms_of_a_target(self, url: str, target: str) -> None:
        asked = body_of(said(url, request(f"GET {target} HTTP/1.1", HOST, "Connection: close")))
        assert (asked["path"], asked["query"]) == ("/x", "q=1")

    @pytest.mark.parametrize("hosts", [(), (HOST, HOST)])
    def test_one_host(self, url: str, hosts: tuple[str, ...]) -> None:
        answer = said(url, request("GET /x HTTP/1.1", *hosts))
        assert statuses(answer) == [400]
        assert body_of(answer)["error"]["code"] == "VALIDATION_ERROR"
        assert b"x-request-id: " in answer

    def test_the_version_before(self, url: str) -> None:
        assert statuses(said(url, request("GET /x HTTP/1.0"))) == [200]
        answer = said(url, request("GET /pieces HTTP/1.0", "Connection: keep-alive"))
        assert b"transfer-encoding" not in answer
        assert answer.endswith(b"\r\n\r\none two")

    def test_other_versions(self, url: str) -> None:
        answer = said(url, request("GET /x HTTP/2.0", HOST))
        assert body_of(answer)["error"]["code"] == "HTTP_VERSION_NOT_SUPPORTED"

    def test_an_unknown_method(self, url: str) -> None:
        assert statuses(said(url, request("BREW /x HTTP/1.1", HOST))) == [501]

    def test_an_upgrade_is_passed_over(self, url: str) -> None:
        """As Java's HttpClient asks for HTTP/2, with a body; the connection goes on."""
        upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMA")
        asking = request("POST /x HTTP/1.1", HOST, *upgrade, "Content-Length: 3", body="abc")
        last = request("GET /last HTTP/1.1", HOST, "Connection: close")
        assert statuses(said(url, asking * 1000 + last)) == [200] * 1001
        assert b'"body":"abc"' in said(url, asking[:-2], asking[-2:] + last)

    def test_after_connect_nothing_is_read(self, url: str, probe: Probe) -> None:
        asking = request("CONNECT x:80 HTTP/1.1", HOST)
        assert statuses(said(url, asking + request("GET /inner HTTP/1.1", HOST))) == [200]
        assert "/inner" not in probe.asked


class TestExpect:
    HEAD = ("POST {} HTTP/1.1", HOST, "Expect: 100-continue", "Content-Length: 3")

    def test_leave_is_given(self, url: str) -> None:
        with raw.connect(url) as connection:
            connection.sendall(
                request(self.HEAD[0].format("/x"), *self.HEAD[1:], "Connection: close")
            )
            assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"abc")
            assert body_of(rest(connection))["body"] == "abc"

    def test_who_gets_an_answer_without_it_cannot_go_on(self, url: str) -> None:
        """It may send the body or not: what follows could be either."""
        answer = said(url, request(self.HEAD[0].format("/deaf"), *self.HEAD[1:]), b"GET")
        assert statuses(answer) == [200]
        assert b"connection: close" in answer


class TestRefused:
    def test_a_long_target(self, url: str) -> None:
        answer = said(url, request("GET /" + "x" * 70_000 + " HTTP/1.1", HOST))
        assert (statuses(answer), body_of(answer)["error"]["code"]) == ([414], "URI_TOO_LONG")

    @pytest.mark.parametrize("pieces", [1, 9])
    def test_long_headers(self, url: str, pieces: int) -> None:
        whole = request(
            "GET /x HTTP/1.1", HOST, *(f"X-{number}: {'x' * 990}" for number in range(70))
        )
        size = -(-len(whole) // pieces)
        answer = said(url, *(whole[at : at + size] for at in range(0, len(whole), size)))
        assert (statuses(answer), body_of(answer)["error"]["code"]) == ([431], "HEADERS_TOO_LARGE")

    def test_a_large_body_is_no_large_head(self, url: str) -> None:
        first = request("POST /x HTTP/1.1", HOST, "Content-Length: 200000", body="x" * 200_000)
        assert statuses(
            said(
                url, first + request("GET /last HTTP/1.1", HOST)[:-2], b"Connection: close\r\n\r\n"
            )
        ) == [200, 200]

    def test_what_came_before_is_answered(self, url: str) -> None:
        first = request("GET /x HTTP/1.1", HOST)
        assert statuses(said(url, first * 3, b"\0nonsense\r\n\r\n")) == [200, 200, 200, 400]
        assert statuses(said(url, first * 3 + request("GET /x HTTP/1.1", "a b"))) == [
            *(200, 200, 200),
            400,
        ]

    def test_the_answer_is_read_though_the_client_sends_on(self, url: str) -> None:
        """Were the connection closed at once, the client would be told so, and not why."""
        with raw.connect(url) as connection:
            connection.sendall(request("NO SENSE", HOST))
            assert connection.recv(12) == b"HTTP/1.1 501"
            for _ in range(20):
                connection.sendall(b"x" * 100_000)
            assert b'"error"' in rest(connection)


class TestAnswers:
    @pytest.mark.parametrize("path", ["/injected", "/broken"])
    def test_what_cannot_be_sent_is_an_error(self, url: str, path: str) -> None:
        answer = said(url, request(f"GET {path} HTTP/1.1", HOST))
        assert (statuses(answer), body_of(answer)["error"]["code"]) == ([500], "INTERNAL_ERROR")
        assert b"set-cookie" not in answer

    def test_a_short_answer_does_not_look_whole(self, url: str) -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{url}/short")

    def test_there_is_a_date(self, url: str) -> None:
        until(lambda: "date" in httpx.get(f"{url}/x").headers)

    def test_a_body_that_nobody_reads(self, url: str) -> None:
        """The next request is found behind it."""
        first = request("POST /deaf HTTP/1.1", HOST, "Content-Length: 300000")
        last = request("GET /last HTTP/1.1", HOST, "Connection: close")
        assert statuses(said(url, first, b"x" * 300_000 + last)) == [200, 200]


class TestClients:
    def test_one_that_reads_slowly_gets_all(self, url: str) -> None:
        """Slower than the time after which a silent connection is closed."""
        with raw.connect(url) as connection:
            connection.sendall(request("GET /large HTTP/1.1", HOST, "Connection: close"))
            received = 0
            for _ in range(4):
                time.sleep(0.6)
                received += len(connection.recv(1_000_000))
            received += len(rest(connection))
        assert received > LARGE

    def test_one_that_does_not_read_is_let_go(
        self, probe: Probe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connections, "STALLED", 0.5)
        with (
            serving_any(probe, replace(settings.current(), header_timeout=1)) as url,
            raw.connect(url) as connection,
        ):
            connection.sendall(request("GET /large HTTP/1.1", HOST) * 2)
            time.sleep(3)
            assert len(rest(connection)) < LARGE
        assert probe.asked == ["/large", "/large"]

    def test_one_that_goes_is_told_of(self, url: str, probe: Probe) -> None:
        with raw.connect(url) as connection:
            connection.sendall(request("POST /x HTTP/1.1", HOST, "Content-Length: 3", body="a"))
            until(lambda: probe.asked)
        assert probe.gone.wait(10)

    def test_a_stream_of_events_ends_with_the_server(self, probe: Probe) -> None:
        with serving_any(probe, settings.current()) as url:
            connection = raw.connect(url)
            connection.sendall(request("GET /events HTTP/1.1", HOST))
            until(lambda: probe.asked)
            assert b"data: 1" in connection.recv(65536)
            started = time.monotonic()
        assert probe.gone.is_set()
        assert time.monotonic() - started < 5
        connection.close()
