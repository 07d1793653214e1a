"""An application that says what it was asked, and HTTP byte by byte to ask it."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from tests.contract import raw

LARGE = 30_000_000
"""Bytes that no socket's buffers hold."""
HOST = "Host: x"


class Probe:
    """An application that says what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.size = 0
        self.go_on = threading.Event()
        self.gone = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        self.asked.append(path)
        self.size = int(scope["query_string"] if scope["query_string"].isdigit() else 0)
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

    async def much(self, _receive: Receive, send: Send) -> None:
        """Answers with as much as is asked for."""
        await say(send, b"x" * (self.size - 1) + b".")

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


class Transport:
    """What a connection writes to, without a client."""

    def __init__(self, unwritten: int, name: tuple[str, int] | None = ("x", 1)) -> None:
        self.unwritten, self.name = unwritten, name
        self.written, self.aborted = b"", False

    def get_extra_info(self, _name: str) -> tuple[str, int] | None:
        return self.name

    def get_write_buffer_size(self) -> int:
        return self.unwritten

    def write(self, data: bytes) -> None:
        self.written += data

    def abort(self) -> None:
        self.aborted = True


async def say(send: Send, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


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
