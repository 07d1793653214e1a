"""Bodies of requests: read within limits of size and time, parsed strictly, checked by the
contract.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.types import Receive

from marquee.errors import Invalid, Refusal
from marquee.web import codec
from marquee.web.patience import Patience
from marquee.web.schema import Schema

LARGEST = 1024 * 1024
STRINGS = re.compile(rb'"(?:[^"\\]+|\\.)*"([ \t\r\n]*:)?', re.DOTALL)
JSON = "application/json"


class PayloadTooLarge(Refusal):
    """The body has more bytes than the operation takes (413)."""

    status, code = 413, "PAYLOAD_TOO_LARGE"


class UnsupportedMediaType(Refusal):
    """The body is not of a kind that the operation takes (415)."""

    status, code = 415, "UNSUPPORTED_MEDIA_TYPE"


class RequestTimeout(Refusal):
    """The body did not arrive in time (408)."""

    status, code = 408, "REQUEST_TIMEOUT"


class Body:
    """The JSON body of one operation."""

    def __init__(self, request_body: dict[str, Any]) -> None:
        self.required = bool(request_body.get("required"))
        self.largest: int = request_body.get("x-max-bytes", LARGEST)
        schema = request_body["content"][JSON]["schema"]
        self.schema = Schema(schema)
        self.decode = codec.decoder(schema)

    def read(self, raw: bytes, headers: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
        """The body as Python; None for an optional one that is absent. Raises Invalid or 415."""
        if not raw and not self.required:
            return None
        check_media_type(headers)
        value = parse(raw)
        if not self.schema.is_valid(value):
            raise self.schema.refusal(value)
        return self.decode(value) if self.decode else value


def check_media_type(headers: Mapping[str, str]) -> None:
    """Refuse (415) what is not JSON in UTF-8 without a content coding."""
    if headers.get("content-type") == JSON and "content-encoding" not in headers:
        return
    media_type, _, rest = headers.get("content-type", "").partition(";")
    if media_type.strip().lower() != JSON:
        raise UnsupportedMediaType(f"This operation takes {JSON}.")
    for parameter in rest.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in (
            "utf-8",
            "utf8",
        ):
            raise UnsupportedMediaType("JSON is read in UTF-8 only.")
    check_coding(headers)


def check_coding(headers: Mapping[str, str]) -> None:
    """Refuse (415) a body with a content coding."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise UnsupportedMediaType("A body must come without a content coding.")


def parse(raw: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Strict JSON: UTF-8, no NaN, no lone surrogate, no NUL, no name twice in an object."""
    try:
        value = orjson.loads(raw)
        has_nul = b"\\u0000" in raw and _has_nul(value)
        repeats = _repeats_a_name(raw, value)
    except orjson.JSONDecodeError as error:
        raise Invalid.value("body", "/", f"is not JSON: {error.msg[:100]}") from error
    except RecursionError as error:
        raise Invalid.value("body", "/", "is nested too deeply") from error
    if has_nul:
        raise Invalid.value("body", "/", "has a NUL character")
    if repeats:
        raise Invalid.value("body", "/", "has a name twice in one object")
    return value


def _repeats_a_name(raw: bytes, value: object) -> bool:
    """Whether an object had a name twice, of which parsing keeps one."""
    if not isinstance(value, (dict, list)):
        return False
    if b"\\" not in raw:
        # Without escapes there are as many quotes again, unless a name and its value are lost.
        try:
            return raw.count(b'"') != orjson.dumps(value).count(b'"')
        except orjson.JSONEncodeError:  # it writes less deeply than it reads
            pass
    return _names(value) != sum(map(bool, STRINGS.findall(raw)))


def _has_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in name or _has_nul(each) for name, each in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))


def _names(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_names, value.values()))
    return sum(map(_names, value)) if isinstance(value, list) else 0


async def receive_body(
    receive: Receive,
    headers: Mapping[str, str],
    *,
    largest: int,
    patience: Patience,
    keep: Callable[[bytes], object] | None = None,
) -> bytes:
    """The whole body. Raises PayloadTooLarge, RequestTimeout or Invalid.

    With `keep`, each chunk is handed to it instead, and nothing is left to return.

    A body that breaks off is answered like any other: its framing may be broken and its client
    still there, which a server tells in the same way as a client that has gone.
    """
    declared = headers.get("content-length", "")
    length = int(declared) if declared.isascii() and declared.isdigit() else None
    if length is not None and length > largest:
        raise _too_large(largest)
    task = patience.begin()
    try:
        return await _whole(receive, length, largest, keep)
    except asyncio.CancelledError as error:
        if not patience.is_over(task):
            raise
        words = f"The body did not arrive within {patience.seconds:g} seconds."
        raise RequestTimeout(words, headers={"Connection": "close"}) from error
    finally:
        patience.end(task)


async def _whole(
    receive: Receive, length: int | None, largest: int, keep: Callable[[bytes], object] | None
) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid.value("body", "/", "ended before it was whole")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > largest:
            raise _too_large(largest)
        if keep is not None:
            keep(chunk)
            chunk = b""
        # Who said how long it is need not be waited for to say that it has ended.
        if size == length or not message.get("more_body"):
            return b"".join([*chunks, chunk]) if chunks else chunk
        chunks.append(chunk)


def _too_large(largest: int) -> PayloadTooLarge:
    words = f"A body may have {largest} bytes at the most."
    return PayloadTooLarge(words, headers={"Connection": "close"})
