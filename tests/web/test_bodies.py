"""marquee/web/bodies.py."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import pytest

from marquee.errors import Invalid
from marquee.web.bodies import (
    Body,
    PayloadTooLarge,
    RequestTimeout,
    UnsupportedMediaType,
    check_media_type,
    parse,
    receive_body,
)
from marquee.web.patience import Patience


@pytest.mark.parametrize(
    "raw,value",
    [
        (b'{"a": 1, "b": {"a": 2}}', {"a": 1, "b": {"a": 2}}),
        (b'[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        (b'{"a": "x:\\"y\\": {\\"a\\": 1}"}', {"a": 'x:"y": {"a": 1}'}),
        (b'{"a": ["b", "c", ":"]}', {"a": ["b", "c", ":"]}),
        (b'{"a" \n\t : "b\\\\"}', {"a": "b\\"}),
        (b'{"": ""}', {"": ""}),
        (b'"\\ud83e\\udd88"', "🦈"),
        ('"é"'.encode(), "é"),
        (b"9007199254740991", 9_007_199_254_740_991),
        (b'"\\\\u0000"', "\\u0000"),
        (b"null", None),
        (b"[" * 200 + b"]" * 200, None),
    ],
)
def test_reads_json(raw: bytes, value: object) -> None:
    read = parse(raw)
    assert value is None or read == value


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{} {}",
        b"{'a': 1}",
        b'{"a": 1,}',
        b"[1,]",
        b"// no",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e400",
        b"01",
        b"+1",
        b"0x1",
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\\x41"',
        b'"\x00"',
        b'"a\nb"',
        b'"\\u0000"',
        b'{"\\u0000": 1}',
        b'{"a": [{"b": "x\\u0000"}]}',
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "\\u0061": 1}',
        b'[{"b": {"a": 1, "c": "d", "a": 1}}]',
        b'{"a": {"x": 1}, "a": {"x": 1}}',
        b"[" * 5000 + b"]" * 5000,
        b"[" * 1020 + b"]" * 1020,
        b'{"a":' * 1000 + b"1" + b"}" * 1000,
        b'["\\u0000",' + b"[" * 1000 + b"]" * 1000 + b"]",
    ],
)
def test_refuses_what_is_no_strict_json(raw: bytes) -> None:
    with pytest.raises(Invalid) as raised:
        parse(raw)
    assert raised.value.details is not None
    errors: Any = raised.value.details["errors"]
    (error,) = errors
    assert error["in"] == "body"


def test_a_megabyte_is_read_in_no_time() -> None:
    """Strings of backslashes and quotes make slow regular expressions slow."""
    started = time.perf_counter()
    parse(b'{"a": "' + b'\\\\\\"' * 250_000 + b'"}')
    parse(b"[" + b",".join([b'"a"'] * 250_000) + b"]")
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json; charset=utf8",
        "application/json; version=1",
    ],
)
def test_takes_json(media_type: str) -> None:
    check_media_type({"content-type": media_type})
    check_media_type({"content-type": media_type, "content-encoding": "identity"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": ""},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/jsonp"},
        {"content-type": "application/json; charset=bogus"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json, application/json"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
)
def test_takes_nothing_else(headers: dict[str, str]) -> None:
    with pytest.raises(UnsupportedMediaType):
        check_media_type(headers)


SCHEMA = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}


class TestBody:
    def body(self, **more: Any) -> Body:
        return Body({"content": {"application/json": {"schema": SCHEMA}}, **more})

    def test_an_optional_one_may_be_absent(self) -> None:
        for headers in ({}, {"content-type": "application/json"}):
            assert self.body().read(b"", headers) is None

    def test_a_required_one_may_not(self) -> None:
        with pytest.raises(UnsupportedMediaType):
            self.body(required=True).read(b"", {})

    def test_is_checked(self) -> None:
        headers = {"content-type": "application/json"}
        assert self.body().read(b'{"a": 1}', headers) == {"a": 1}
        with pytest.raises(Invalid):
            self.body().read(b'{"a": "1"}', headers)


class TestReceiveBody:
    def receive(
        self, messages: Iterable[dict[str, Any]], *, pause: float = 0, **headers: str
    ) -> bytes:
        remaining = iter(messages)

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(pause)
            return next(remaining)

        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return asyncio.run(receive_body(receive, sent, largest=10, patience=Patience(0.2)))

    @staticmethod
    def chunks(*bodies: bytes) -> list[dict[str, Any]]:
        last = len(bodies) - 1
        return [
            {"type": "http.request", "body": body, "more_body": number < last}
            for number, body in enumerate(bodies)
        ]

    def test_joins_chunks(self) -> None:
        assert self.receive(self.chunks(b"12345", b"", b"67890")) == b"1234567890"
        assert self.receive([{"type": "http.request"}]) == b""

    def test_refuses_what_is_too_large_before_it_has_all_of_it(self) -> None:
        with pytest.raises(PayloadTooLarge):
            self.receive([], content_length="11")
        more = [{"type": "http.request", "body": b"123456", "more_body": True}] * 2
        with pytest.raises(PayloadTooLarge) as raised:
            self.receive(more)
        assert raised.value.headers == {"Connection": "close"}

    def test_a_length_that_is_none_is_not_believed(self) -> None:
        assert self.receive(self.chunks(b"1"), content_length="-5") == b"1"
        assert self.receive(self.chunks(b"1"), content_length="²") == b"1"

    def test_waits_only_so_long(self) -> None:
        with pytest.raises(RequestTimeout):
            self.receive(self.chunks(*[b"1"] * 9), pause=0.05)

    def test_may_break_off(self) -> None:
        with pytest.raises(Invalid):
            self.receive([{"type": "http.disconnect"}])
