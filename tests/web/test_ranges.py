"""marquee/web/ranges.py."""

import pytest

from marquee.web.answers import Answer
from marquee.web.ranges import ranged
from marquee.web.request import Request

BODY = bytes(range(100))
ETAG = '"abc"'


def asked(method: str = "GET", **headers: str) -> Answer:
    """The answer to a request with these headers."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(method, "/", "", sent, None, {})
    return ranged(request, Answer(200, BODY, b"image/png", [(b"etag", ETAG.encode())]))


@pytest.mark.parametrize(
    "header,start,end",
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=90-", 90, 99),
        ("bytes=-10", 90, 99),
        ("bytes=-1000", 0, 99),
        ("bytes=50-1000", 50, 99),
        ("Bytes= 1-2 ", 1, 2),
    ],
)
def test_a_part(header: str, start: int, end: int) -> None:
    answer = asked(range=header)
    assert (answer.status, answer.body) == (206, BODY[start : end + 1])
    assert answer.header(b"content-range") == f"bytes {start}-{end}/100".encode()
    assert answer.content_type == b"image/png"


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_nothing_is_there(header: str) -> None:
    answer = asked(range=header)
    assert answer.status == 416
    assert answer.header(b"content-range") == b"bytes */100"


@pytest.mark.parametrize(
    "header",
    ["", "bytes", "bytes=-", "bytes=5-4", "bytes=0-1,5-6", "lines=0-1", "bytes=a-b", "bytes=0-1x"],
)
def test_the_whole(header: str) -> None:
    answer = asked(range=header)
    assert (answer.status, answer.body) == (200, BODY)
    assert answer.header(b"accept-ranges") == b"bytes"


def test_a_head_has_no_parts() -> None:
    assert asked("HEAD", range="bytes=0-1").status == 200


def test_only_of_the_version_that_is_there() -> None:
    assert asked(range="bytes=0-1", if_range=ETAG).status == 206
    for other in ('"other"', f"W/{ETAG}", "Sun, 22 Nov 2026 10:00:00 GMT"):
        assert asked(range="bytes=0-1", if_range=other).status == 200
