"""marquee/web/request.py."""

from typing import Any

import pytest

from marquee.web.request import Request


def read(*headers: tuple[str, str], trusted: int = 0, **scope: Any) -> Request:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    whole = {
        "method": "GET",
        "raw_path": b"/a%2Fb",
        "path": "/a/b",
        "query_string": b"c=d",
        "client": ("10.0.0.1", 1234),
        "headers": raw,
    }
    return Request.of(whole | scope, trusted)


@pytest.mark.parametrize(
    "forwarded,trusted,address",
    [
        (None, 0, "10.0.0.1"),
        ("1.1.1.1", 0, "10.0.0.1"),
        ("1.1.1.1", 1, "1.1.1.1"),
        ("6.6.6.6, 1.1.1.1", 1, "1.1.1.1"),
        ("6.6.6.6, 1.1.1.1, 2.2.2.2", 2, "1.1.1.1"),
        ("1.1.1.1", 2, "10.0.0.1"),
        (None, 1, "10.0.0.1"),
        (" , 1.1.1.1 ", 1, "1.1.1.1"),
        ("1.1.1.1:8080", 1, "1.1.1.1"),
        ("2001:db8::1", 1, "2001:db8::1"),
        ("[2001:db8::1]:443", 1, "2001:db8::1"),
        ("[2001:db8::1]", 1, "2001:db8::1"),
        ("fe80::1%eth0", 1, "fe80::1"),
        ("unknown", 1, "10.0.0.1"),
        ("_hidden", 1, "10.0.0.1"),
        ("1.1.1.1'; --", 1, "10.0.0.1"),
        ("999.1.1.1", 1, "10.0.0.1"),
        ("é", 1, "10.0.0.1"),
    ],
)
def test_believes_as_many_proxies_as_there_are(
    forwarded: str | None, trusted: int, address: str
) -> None:
    headers = [] if forwarded is None else [("x-forwarded-for", forwarded)]
    assert read(*headers, trusted=trusted).address == address


def test_several_headers_are_one_list() -> None:
    hops = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.1.1.1")]
    assert read(*hops, trusted=1).address == "1.1.1.1"
    assert read(("cookie", "a=1"), ("cookie", "b=2")).cookies == {"a": "1", "b": "2"}


def test_keeps_the_path_as_it_was_sent() -> None:
    assert (read().path, read().query) == ("/a%2Fb", "c=d")
    assert read(raw_path=b"/a?b=c").path == "/a"
    assert read(raw_path=None, path="/千 a").path == "/%E5%8D%83%20a"


@pytest.mark.parametrize("given", ["abc", "A-b_c.9", "x" * 128])
def test_takes_a_well_formed_id(given: str) -> None:
    assert read(("x-request-id", given)).id == given


@pytest.mark.parametrize("given", ["", " ", "a b", "x" * 129, "a\tb", "é", '"', "a,b"])
def test_makes_one_otherwise(given: str) -> None:
    made = read(("x-request-id", given))
    assert made.id not in ("", given)
    assert made.id == made.id
    assert read().id != read().id


def test_says_where_it_came_from() -> None:
    origin = read(("user-agent", "é" * 600), ("x-request-id", "a"), client=None).origin
    assert (origin.address, origin.request_id) == (None, "a")
    assert origin.user_agent == "?" * 500
    assert read().origin.user_agent is None
