"""One request to a fake server, and all the ways to answer it, good and bad."""

import gzip
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

COMPRESSED_FROM = 500
UNREGISTERED = {420: "Enhance Your Calm"}
"""Statuses that some services have, and HTTP has not."""


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
    """An answer in JSON; bytes go out as they are, a list of them as events that are chunks of
    their own, and with 204 nothing does.
    """

    status: int
    value: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Exchange:
    """A request, and how to write to whoever sent it. What is set `over` ends the connection."""

    asked: Asked
    connection: socket.socket
    stopping: threading.Event
    answer: Callable[[], Reply]
    problem: Callable[[int], Reply]
    over: bool = False

    def send(self, reply: Reply) -> None:
        """Answer well."""
        self.connection.sendall(written(reply, self.asked))

    def raw(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Send what need not be right, and close."""
        self.over = True
        self.connection.sendall(_head(status, {**headers, "Connection": "close"}) + body)

    def drip(self, content: bytes, seconds: float) -> None:
        """Send a byte at a time, until the fake stops or the client goes, and close."""
        self.over = True
        for byte in content:
            if self.stopping.wait(seconds):
                return
            self.connection.sendall(bytes([byte]))

    def reset(self) -> None:
        """End the connection so that the other side sees a reset."""
        self.over = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RD)
        self.connection.close()


def written(reply: Reply, asked: Asked) -> bytes:
    """Write an answer as it goes over the wire: with an ETag, compressed if that is wanted."""
    if reply.status == HTTPStatus.NO_CONTENT:
        return _head(204, reply.headers)
    if reply.value and isinstance(reply.value, list) and isinstance(reply.value[0], bytes):
        headers = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
        chunks = [b"%x\r\n%s\r\n" % (len(each), each) for each in [*reply.value, b""]]
        return _head(reply.status, {**headers, **reply.headers}) + b"".join(chunks)
    body = reply.value
    if not isinstance(body, bytes):
        body = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json;charset=utf-8", "Vary": "Accept-Encoding"}
    headers.update(reply.headers)
    if asked.headers.get("connection", "").lower() == "close":
        headers["Connection"] = "close"
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


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    phrase = UNREGISTERED.get(status) or HTTPStatus(status).phrase
    lines = [f"HTTP/1.1 {status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
