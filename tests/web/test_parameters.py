"""marquee/web/parameters.py."""

from datetime import date
from typing import Any

import pytest

from marquee.errors import Invalid
from marquee.web.parameters import Parameters, argument_name, cookies, query_pairs

WORD = {"type": "string", "maxLength": 5}


def parameter(
    name: str, schema: dict[str, Any], where: str = "query", **more: Any
) -> dict[str, Any]:
    return {"name": name, "in": where, "schema": schema, **more}


ALL = Parameters(
    [
        parameter("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}),
        parameter("score", {"type": "number", "minimum": 0}),
        parameter("seen", {"type": "boolean"}),
        parameter("since", {"type": "string", "format": "date"}),
        parameter("genre", {"type": "array", "maxItems": 3, "items": WORD}),
        parameter("ids", {"type": "array", "items": {"type": "integer"}}, explode=False),
        parameter("movie_id", {"type": "integer", "minimum": 1}, "path", required=True),
        parameter("X-Device", WORD, "header"),
        parameter("Idempotency-Key", WORD, "header"),
        parameter("theme", WORD, "cookie"),
    ]
)


def read(query: str = "", path: str = "7", **headers: str) -> dict[str, Any]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return ALL.read(query, {"movie_id": path}, sent)


def test_gives_values_of_the_contracts_types() -> None:
    query = "limit=3&score=1.5&seen=true&since=2024-02-29&genre=a&genre=b&ids=1,2"
    assert read(query, x_device="tv", cookie="theme=dark; other=1") == {
        "limit": 3,
        "score": 1.5,
        "seen": True,
        "since": date(2024, 2, 29),
        "genre": ["a", "b"],
        "ids": [1, 2],
        "movie_id": 7,
        "x_device": "tv",
        "theme": "dark",
    }


def test_fills_in_defaults_and_leaves_out_the_rest() -> None:
    assert read() == {"limit": 50, "movie_id": 7}


@pytest.mark.parametrize(
    "query,where",
    [
        ("limit=0", "/limit"),
        ("limit=", "/limit"),
        ("limit", "/limit"),
        ("limit=1_0", "/limit"),
        ("limit=+1", "/limit"),
        ("limit=%201", "/limit"),
        ("limit=1.0", "/limit"),
        ("limit=%D9%A3", "/limit"),
        ("limit=0x1", "/limit"),
        ("limit=99999999999999999999", "/limit"),
        ("score=nan", "/score"),
        ("score=inf", "/score"),
        ("score=1e400", "/score"),
        ("score=.5", "/score"),
        ("score=1,5", "/score"),
        ("seen=True", "/seen"),
        ("seen=1", "/seen"),
        ("since=2023-02-29", "/since"),
        ("genre=toolong", "/genre/0"),
        ("genre=a&genre=b&genre=c&genre=d", "/genre"),
        ("ids=1,x", "/ids/1"),
        ("ids=1,,2", "/ids/1"),
        ("limit=1&limit=1", "/limit"),
        ("other=1", "/other"),
        ("Limit=1", "/Limit"),
    ],
)
def test_refuses_and_names_what_breaks_the_contract(query: str, where: str) -> None:
    with pytest.raises(Invalid) as raised:
        read(query)
    assert raised.value.details is not None
    errors: Any = raised.value.details["errors"]
    assert [(error["in"], error["path"]) for error in errors] == [("query", where)]


@pytest.mark.parametrize(
    "query", ["limit=%FF", "limit=%00", "%00=1", "genre=%ED%A0%80", "genre=\xff"]
)
def test_refuses_what_is_no_clean_text(query: str) -> None:
    with pytest.raises(Invalid):
        read(query)


def test_an_open_query_has_names_of_others_that_are_ignored() -> None:
    query = Parameters([parameter("state", WORD)], open_query=True)
    assert query.read("hd=example.org&state=a&prompt=&prompt=x", {}, {}) == {"state": "a"}
    for broken in ("state=a&state=b", "state=too+long", "hd=%FF"):
        with pytest.raises(Invalid):
            query.read(broken, {}, {})


def test_refuses_a_bad_path_header_or_cookie() -> None:
    for arguments in ({"path": "x"}, {"x_device": "toolong"}, {"cookie": "theme=toolong"}):
        with pytest.raises(Invalid):
            read(**arguments)
    with pytest.raises(Invalid):
        read(idempotency_key="toolong")


def test_headers_of_the_engine_are_no_arguments() -> None:
    assert "idempotency_key" not in read(idempotency_key="a")


@pytest.mark.parametrize(
    "query,pairs",
    [
        ("", []),
        ("a=1&b=2", [("a", "1"), ("b", "2")]),
        ("a=b=c", [("a", "b=c")]),
        ("a+b=c%20d", [("a b", "c d")]),
        ("&&a", [("a", "")]),
        ("a;b=1", [("a;b", "1")]),
        ("%C3%A9=%E2%82%AC", [("é", "€")]),
        ("query=am\u00c3\u00a9lie", [("query", "amélie")]),  # as curl sends it: bare UTF-8
    ],
)
def test_reads_query_strings(query: str, pairs: list[tuple[str, str]]) -> None:
    assert query_pairs(query) == pairs


@pytest.mark.parametrize(
    "header,found",
    [
        ("a=1; b=2", {"a": "1", "b": "2"}),
        ('json={"x":1}; b=2', {"json": '{"x":1}', "b": "2"}),
        ("a[b]=c;b=2;", {"a[b]": "c", "b": "2"}),
        ('a="quoted"', {"a": "quoted"}),
        ("", {}),
    ],
)
def test_reads_cookies_beside_those_of_others(header: str, found: dict[str, str]) -> None:
    assert cookies({"cookie": header}) == found
    assert cookies({}) == {}


def test_names_arguments() -> None:
    assert argument_name("X-Device") == "x_device"
