"""marquee/web/answers.py."""

import gzip

import brotli
import pytest

from marquee.web.answers import (
    Answer,
    compressed,
    encode_headers,
    etag_of,
    json_answer,
    matches,
    not_modified,
    preferred_coding,
    worth_compressing,
)


@pytest.mark.parametrize(
    "accept,coding",
    [
        ("", None),
        ("identity", None),
        ("gzip", "gzip"),
        ("br", "br"),
        ("gzip, br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP", "gzip"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("gzip;q=0.5, br;q=0.501", "br"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.000, gzip;q=0", None),
        ("br ; q = 0 , gzip", "gzip"),
        ("*", "br"),
        ("*;q=0", None),
        ("br;q=0, *", "gzip"),
        ("gzip;q=0.5, identity", None),
        ("gzip, identity;q=0.5", "gzip"),
        ("gzip;q=x", None),
        ("gzip;q=2", None),
        ("x-gzip, brotli", None),
        (",,;", None),
    ],
)
def test_prefers_what_the_client_does(accept: str, coding: str | None) -> None:
    assert preferred_coding(accept) == coding


@pytest.mark.parametrize(
    "condition",
    ['"abc"', 'W/"abc"', '"x", "abc"', '"x" ,W/"abc"', "*", " * ", '"abc-br"', '"abc-gzip"'],
)
def test_a_condition_names_an_answer_in_any_coding(condition: str) -> None:
    for etag in (b'"abc"', b'"abc-br"', b'"abc-gzip"'):
        assert matches(condition, etag)


@pytest.mark.parametrize("condition", ["", '"abcd"', '"ab"', '"ABC"', '"abc-zstd"', '"-br"'])
def test_a_condition_names_no_other(condition: str) -> None:
    assert not matches(condition, b'"abc"')


def test_a_weak_tag_names_no_version_to_change() -> None:
    assert matches('W/"abc"', b'"abc"')
    assert not matches('W/"abc"', b'"abc"', strong=True)
    assert matches('W/"abc", "abc"', b'"abc"', strong=True)
    assert matches("*", b'"abc"', strong=True)
    assert not matches('"abc"', b'W/"abc"', strong=True)


def test_a_weak_tag_of_ours_is_the_same_find() -> None:
    for condition in ('W/"abc"', '"abc"', '"x", W/"abc-br"'):
        assert matches(condition, b'W/"abc"')


def large(content_type: bytes | None = b"application/json") -> Answer:
    body = b'{"a": "' + b"x" * 2000 + b'"}'
    return Answer(200, body, content_type, [(b"etag", etag_of(body)), (b"x-other", b'"')])


@pytest.mark.parametrize("coding", ["br", "gzip"])
def test_a_compressed_answer_has_an_etag_of_its_own(coding: str) -> None:
    answer = large()
    packed = compressed(answer, coding)
    unpacked = brotli.decompress(packed.body) if coding == "br" else gzip.decompress(packed.body)
    assert unpacked == answer.body
    assert len(packed.body) < len(answer.body)
    assert packed.header(b"content-encoding") == coding.encode()
    etag, whole = packed.header(b"etag"), answer.header(b"etag")
    assert etag is not None
    assert whole is not None
    assert etag == whole[:-1] + f'-{coding}"'.encode()
    assert matches(etag.decode(), whole)
    assert packed.header(b"x-other") == b'"'
    assert compressed(answer, coding).body == packed.body
    assert answer.header(b"content-encoding") is None


def test_compresses_what_shrinks() -> None:
    assert worth_compressing(large())
    assert worth_compressing(large(b"text/plain; charset=utf-8"))
    assert not worth_compressing(large(b"image/png"))
    assert not worth_compressing(large(None))
    assert not worth_compressing(json_answer(200, {"a": 1}))
    assert not worth_compressing(compressed(large(), "gzip"))


def test_not_modified_has_the_headers_and_no_body() -> None:
    answer = large()
    unchanged = not_modified(answer)
    assert (unchanged.status, unchanged.body, unchanged.content_type) == (304, b"", None)
    assert unchanged.header(b"etag") == answer.header(b"etag")


def test_encodes_headers() -> None:
    assert encode_headers(None) == []
    assert encode_headers({"Retry-After": "5"}) == [(b"retry-after", b"5")]
    twice = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    assert encode_headers(twice) == [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
