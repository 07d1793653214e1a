"""What goes back to the client, before and after the headers that every answer has."""

import gzip
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import brotli
import orjson

Header = tuple[bytes, bytes]

JSON = b"application/json"
COMPRESSIBLE = (b"application/json", b"text/", b"application/yaml", b"application/javascript")
SMALLEST = 1024
QUALITY = re.compile(r"\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*", re.ASCII)

FOR_ITS_OWN: Header = (b"cross-origin-resource-policy", b"same-origin")
FOR_EVERY_PAGE: Header = (b"cross-origin-resource-policy", b"cross-origin")
"""What anybody may have, pages of other sites may show: pictures."""
SECURITY_HEADERS: list[Header] = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    FOR_ITS_OWN,
]
NO_CONTENT_POLICY: Header = (
    b"content-security-policy",
    b"default-src 'none'; frame-ancestors 'none'",
)


@dataclass(slots=True)
class Answer:
    """A status, headers of its own (lower case), and a body or a stream of pieces."""

    status: int
    body: bytes = b""
    content_type: bytes | None = None
    headers: list[Header] = field(default_factory=list)
    stream: AsyncIterator[bytes] | None = None

    def header(self, name: bytes) -> bytes | None:
        """The value of the first header of this name."""
        for each, value in self.headers:
            if each == name:
                return value
        return None


@dataclass(slots=True)
class Stream:
    """What a handler returns for an answer in pieces, e.g. server-sent events.

    The pieces are made on the event loop, after the transaction has ended: they hold no thread and
    no database connection.
    """

    pieces: AsyncIterator[bytes]
    content_type: str = "text/event-stream"


@dataclass(slots=True)
class Content:
    """What a handler returns for bytes of one of the media types that the contract has as `image/*`
    or the like. The digest of the bytes becomes their ETag.
    """

    data: bytes
    media_type: str
    digest: str


def json_answer(status: int, value: Any, headers: dict[str, str] | None = None) -> Answer:  # noqa: ANN401
    """An answer from any JSON value."""
    return Answer(status, orjson.dumps(value), JSON, encode_headers(headers))


def encode_headers(headers: dict[str, str] | list[tuple[str, str]] | None) -> list[Header]:
    """Headers as bytes; names in lower case. A list may have a name twice."""
    if not headers:
        return []
    pairs = headers.items() if isinstance(headers, dict) else headers
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in pairs]


def etag_of(body: bytes) -> bytes:
    """A strong validator of a body."""
    return b'"' + hashlib.blake2b(body, digest_size=12).hexdigest().encode() + b'"'


def matches(condition: str, etag: bytes, *, strong: bool = False) -> bool:
    """Whether `If-None-Match` names this ETag, in any coding (RFC 9110 §13.1).

    `If-Match` compares strongly: a weak ETag names nothing.
    """
    ours = etag.decode("latin-1")
    if condition.strip() == "*" or (condition == ours and not strong):
        return True
    if strong and ours.startswith("W/"):
        return False
    wanted = _uncoded(ours.removeprefix("W/"))
    given = (part.strip() for part in condition.split(","))
    if strong:
        given = (part for part in given if not part.startswith("W/"))
    return any(_uncoded(each.removeprefix("W/")) == wanted for each in given)


def _uncoded(etag: str) -> str:
    """What an ETag has between its quotes, without the suffix of a coding."""
    return etag.strip('"').removesuffix("-br").removesuffix("-gzip")


def not_modified(answer: Answer, accept_encoding: str = "") -> Answer:
    """The 304 for an answer: its headers without its body, the ETag that of the coding in which it
    would have been sent.
    """
    headers = [pair for pair in answer.headers if pair[0] != b"content-length"]
    coding = preferred_coding(accept_encoding) if worth_compressing(answer) else None
    return Answer(304, headers=_coded_etag(headers, coding) if coding else headers)


def _coded_etag(headers: list[Header], coding: str) -> list[Header]:
    suffix = f'-{coding}"'.encode()
    return [(name, value[:-1] + suffix if name == b"etag" else value) for name, value in headers]


def preferred_coding(accept: str) -> str | None:
    """`br` or `gzip`, as `Accept-Encoding` prefers; None where neither may be used."""
    if not accept:
        return None
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        coding, _, parameter = part.partition(";")
        quality = QUALITY.fullmatch(parameter)
        weights[coding.strip()] = float(quality[1]) if quality else float(not parameter.strip())
    others = weights.get("*", 0.0)
    br, gzip_ = weights.get("br", others), weights.get("gzip", others)
    if max(br, gzip_) == 0 or weights.get("identity", 0.0) > max(br, gzip_):
        return None
    return "br" if br >= gzip_ else "gzip"


def worth_compressing(answer: Answer) -> bool:
    """Whether an answer is large enough, and of a kind that shrinks."""
    return (
        len(answer.body) >= SMALLEST
        and answer.content_type is not None
        and answer.content_type.startswith(COMPRESSIBLE)
        and answer.header(b"content-encoding") is None
    )


def compressed(answer: Answer, coding: str) -> Answer:
    """The answer in a coding, with an ETag of its own."""
    if coding == "br":
        body = brotli.compress(answer.body, quality=4)
    else:
        body = gzip.compress(answer.body, compresslevel=5, mtime=0)
    headers = [*_coded_etag(answer.headers, coding), (b"content-encoding", coding.encode())]
    return Answer(answer.status, body, answer.content_type, headers)
