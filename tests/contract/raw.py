"""HTTP spoken byte by byte, for requests that no client library would send."""

import http.client
import re
import socket
from urllib.parse import urlsplit

import httpx

from tests.contract.checking import check_answer

PATIENCE = 20.0


def connect(url: str, timeout: float = PATIENCE) -> socket.socket:
    """A connection to the server of a URL."""
    parts = urlsplit(url)
    return socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout)


def head(method: str, target: str, headers: dict[str, str]) -> bytes:
    """The head of a request. Text goes out as Latin-1, so that any byte can be said."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def read(connection: socket.socket, method: str, target: str = "/") -> httpx.Response:
    """Read one answer. Raises what `http.client` raises where there is none."""
    got = http.client.HTTPResponse(connection, method=method)
    got.begin()
    body = got.read()
    got.close()
    headers = [(name, value) for name, value in got.headers.items() if name != "transfer-encoding"]
    request = httpx.Request("GET", "http://localhost")
    request.method, request.url = method, as_sent(target)
    return httpx.Response(got.status, headers=headers, content=body, request=request)


def answer(connection: socket.socket, method: str, target: str) -> httpx.Response:
    """Read one answer, and hold it to the contract."""
    made = read(connection, method, target)
    if method.isalpha() and method.isupper() and target.startswith("/"):
        check_answer(made)
    return made


def as_sent(target: str) -> httpx.URL:
    """A URL with this target; httpx would take `..` away."""
    kept = re.sub(r"(?<=/)\.\.?(?=/|$)", lambda dots: "%2e" * len(dots[0]), target)
    return httpx.URL(scheme="http", host="localhost", raw_path=kept.encode("latin-1"))


def exchange(
    url: str, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> httpx.Response:
    """One request, its body as it is, and its answer. The caller frames the body by headers."""
    with connect(url) as connection:
        sent = {"Connection": "close", **(headers or {})}
        connection.sendall(head(method, target, sent) + body)
        return answer(connection, method, target)


def chunked(body: bytes, size: int = 65536) -> bytes:
    """A body in chunks."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in pieces) + b"0\r\n\r\n"
