"""The engine is Connexion: one contract with one set of handlers, under stock `FlaskApp` and under
the engine, answers the same but for the differences that are listed here, each with its reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import connexion
import httpx
import pytest
import yaml

from marquee import settings
from marquee.web.app import create_app
from tests.contract import raw
from tests.serving import serving, serving_any

CONTRACT = Path(__file__).with_name("parity.yaml")
JSON = {"Content-Type": "application/json"}
GOOD, OPEN = b'{"name": "a"}', {"Authorization": "Bearer open"}


@dataclass(frozen=True)
class Ask:
    """One request."""

    method: str
    path: str
    headers: dict[str, str] | None = None
    body: bytes = b""


def post(body: bytes, headers: dict[str, str] | None = None, path: str = "/things") -> Ask:
    """A request with a body, framed by its length."""
    return Ask("POST", path, {"Content-Length": str(len(body)), **(headers or JSON)}, body)


REQUESTS = {
    "list": Ask("GET", "/things"),
    "list with everything": Ask(
        "GET", "/things?limit=5&kind=a&score=1.5&all=true&word=x&since=2026-01-02"
    ),
    "a repeated array": Ask("GET", "/things?tag=a&tag=b"),
    "an array with a comma": Ask("GET", "/things?tag=a,b"),
    "a limit that is too high": Ask("GET", "/things?limit=101"),
    "a limit that is no number": Ask("GET", "/things?limit=x"),
    "a limit with an underscore": Ask("GET", "/things?limit=1_0"),
    "a limit with a plus": Ask("GET", "/things?limit=%2B5"),
    "a limit in Arabic digits": Ask("GET", "/things?limit=%D9%A5"),
    "a score that is no number": Ask("GET", "/things?score=nan"),
    "a boolean in another case": Ask("GET", "/things?all=True"),
    "a boolean as a digit": Ask("GET", "/things?all=1"),
    "a kind that there is not": Ask("GET", "/things?kind=c"),
    "a parameter that there is not": Ask("GET", "/things?colour=red"),
    "a parameter twice": Ask("GET", "/things?limit=1&limit=2"),
    "a word with a line feed": Ask("GET", "/things?word=a%0A"),
    "a word with a NUL": Ask("GET", "/things?word=%00"),
    "a word that is not UTF-8": Ask("GET", "/things?word=%FF"),
    "a day that there is not": Ask("GET", "/things?since=2026-02-30"),
    "get": Ask("GET", "/things/7"),
    "get the static path": Ask("GET", "/things/special"),
    "get what is no id": Ask("GET", "/things/abc"),
    "get what is no id for its range": Ask("GET", "/things/0"),
    "get with a slash at the end": Ask("GET", "/things/7/"),
    "get what is nowhere": Ask("GET", "/nothing"),
    "get another's media type": Ask("GET", "/things/7", {"Accept": "application/xml"}),
    "text": Ask("GET", "/text"),
    "delete": Ask("DELETE", "/things/7"),
    "a method that there is not": Ask("PATCH", "/things/7"),
    "options": Ask("OPTIONS", "/things/7"),
    "head": Ask("HEAD", "/things/7"),
    "create": post(b'{"name": "a", "size": 1.5}'),
    "create with null": post(b'{"name": "a", "size": null}'),
    "create without what is required": post(b"{}"),
    "create with a name too many": post(b'{"name": "a", "colour": "red"}'),
    "create with another type": post(b'{"name": 1}'),
    "create out of range": post(b'{"name": "a", "size": 11}'),
    "create on a day that there is not": post(b'{"name": "a", "day": "2026-02-30"}'),
    "create with an array": post(b"[]"),
    "create with null alone": post(b"null"),
    "create with nothing": post(b""),
    "create with broken JSON": post(b'{"name":'),
    "create with invalid UTF-8": post(b'{"name": "\xff"}'),
    "create with NaN": post(b'{"name": "a", "size": NaN}'),
    "create with a NUL": post(b'{"name": "\\u0000"}'),
    "create with a lone surrogate": post(b'{"name": "\\ud800"}'),
    "create with a name twice": post(b'{"name": "a", "name": "b"}'),
    "create with deep nesting": post(b"[" * 100_000),
    "create with 5,000 digits": post(b'{"name": "a", "size": ' + b"9" * 5000 + b"}"),
    "create without a media type": post(GOOD, {"X-A": "b"}),
    "create with another media type": post(GOOD, {"Content-Type": "text/plain"}),
    "create with a media type in capitals": post(GOOD, {"Content-Type": "APPLICATION/JSON"}),
    "create with a space in the media type": post(
        GOOD, {"Content-Type": "application/json ;charset=utf-8"}
    ),
    "create with a bogus charset": post(GOOD, {"Content-Type": "application/json; charset=bogus"}),
    "create with a content coding": post(GOOD, {**JSON, "Content-Encoding": "gzip"}),
    "create in chunks": Ask(
        "POST", "/things", {**JSON, "Transfer-Encoding": "chunked"}, raw.chunked(GOOD)
    ),
    "an optional body": post(GOOD, path="/optional"),
    "an optional body that is not there": Ask("POST", "/optional", {"Content-Length": "0"}),
    "secret without a credential": Ask("GET", "/secret"),
    "secret with a token": Ask("GET", "/secret", OPEN),
    "secret with a key": Ask("GET", "/secret", {"X-Key": "open"}),
    "secret with a bad token": Ask("GET", "/secret", {"Authorization": "Bearer shut"}),
    "secret with a bad token and a good key": Ask(
        "GET", "/secret", {"Authorization": "Bearer shut", "X-Key": "open"}
    ),
    "secret with another kind of token": Ask("GET", "/secret", {"Authorization": "Basic b3Blbg=="}),
    "anybody": Ask("GET", "/maybe"),
    "anybody with a token": Ask("GET", "/maybe", OPEN),
    "anybody with a bad token": Ask("GET", "/maybe", {"Authorization": "Bearer shut"}),
    "a header": Ask("GET", "/header", {"X-Count": "5"}),
    "a header that is no number": Ask("GET", "/header", {"X-Count": "x"}),
    "no header": Ask("GET", "/header"),
    "a bug": Ask("GET", "/broken"),
    "an undocumented status": Ask("GET", "/promise?how=status"),
    "an undocumented shape": Ask("GET", "/promise?how=shape"),
    "an undocumented property": Ask("GET", "/promise?how=extra"),
}
DIFFERENCES: dict[str, tuple[object, object, str]] = {
    "an array with a comma": (
        {"limit": 50, "tag": "['a', 'b']"},
        {"limit": 50, "tag": "['a,b']"},
        "With explode a value may hold a comma: stock splits it all the same.",
    ),
    "a limit with an underscore": (
        200,
        400,
        "An integer is ASCII digits with an optional minus; Python's int() takes more.",
    ),
    "a limit with a plus": (
        200,
        400,
        "An integer is ASCII digits with an optional minus; Python's int() takes more.",
    ),
    "a limit in Arabic digits": (
        200,
        400,
        "An integer is ASCII digits with an optional minus; Python's int() takes more.",
    ),
    "a score that is no number": (
        200,
        400,
        "A number has JSON's form; Python's float() takes nan and inf.",
    ),
    "a boolean in another case": (200, 400, "A boolean is true or false."),
    "a parameter twice": (200, 400, "Which of two values counts is not for the server to guess."),
    "a word with a line feed": (
        200,
        400,
        "Python's $ matches before a line feed at the end; ECMA's, which OpenAPI means, does not.",
    ),
    "a day that there is not": (200, 400, "Formats are checked."),
    "get what is no id": (404, 400, "The path exists, its value is wrong."),
    "get with a slash at the end": (
        307,
        404,
        "Stock redirects to the host that the request names, and loses https behind a proxy.",
    ),
    "get another's media type": (200, 406, "Accept is honoured."),
    "options": (405, 204, "OPTIONS tells what is allowed."),
    "head": (500, 200, "Stock validates the body that HEAD does not have."),
    "create on a day that there is not": (201, 400, "Formats are checked."),
    "create with invalid UTF-8": (500, 400, "Stock fails where the bytes are no text."),
    "create with NaN": (201, 400, "NaN is no JSON."),
    "create with a NUL": (201, 400, "PostgreSQL cannot store it."),
    "create with a lone surrogate": (201, 400, "It is no character: it cannot be encoded."),
    "create with a name twice": (
        201,
        400,
        "Which of two values counts is not for the server to guess.",
    ),
    "create with deep nesting": (500, 400, "Stock's parser recurses."),
    "create with 5,000 digits": (500, 400, "Stock lets Python refuse to read so many digits."),
    "create without a media type": (
        500,
        415,
        "Stock takes it for JSON, and hands no body to the handler.",
    ),
    "create with a media type in capitals": (500, 201, "Media types have no case."),
    "create with a space in the media type": (
        415,
        201,
        "RFC 9110 allows space before the semicolon.",
    ),
    "create with a bogus charset": (201, 415, "JSON is UTF-8."),
    "create with a content coding": (201, 415, "What is not decoded must not be taken."),
    "create in chunks": (400, 201, "Stock looks for a body by Content-Length alone."),
    "an optional body that is not there": (400, 200, "It is optional."),
    "secret with a bad token and a good key": (200, 401, "A bad credential is never passed over."),
    "anybody with a bad token": (200, 401, "A bad credential is never served as nobody's."),
    "a header": (400, 200, "Stock does not coerce headers to their type."),
    "an undocumented status": (299, 500, "Only documented statuses go out."),
    "an undocumented property": (
        500,
        200,
        "Only documented properties go out: the encoder picks them.",
    ),
}
"""What stock Connexion answers, what the engine answers, and why: status, or body where both say
200.
"""


def heard(url: str, ask: Ask) -> tuple[int, Any]:
    """Status and body; the body of an error is not compared, as its shape is ours."""
    with raw.connect(url) as connection:
        head = raw.head(
            ask.method, f"/parity{ask.path}", {"Connection": "close", **(ask.headers or {})}
        )
        connection.sendall(head + ask.body)
        answer = raw.read(connection, ask.method)
    if answer.status_code >= 400 or not answer.content:
        return answer.status_code, None
    is_json = answer.headers["content-type"].startswith("application/json")
    return answer.status_code, answer.json() if is_json else answer.text


@pytest.fixture(scope="module")
def stock() -> Iterator[str]:
    """Connexion as it comes, with the validation that it offers."""
    app = connexion.FlaskApp("parity")
    document = yaml.safe_load(CONTRACT.read_text())
    app.add_api(document, strict_validation=True, validate_responses=True)
    with serving_any(app, settings.current()) as url:
        yield url


@pytest.fixture(scope="module")
def ours() -> Iterator[str]:
    """The engine."""
    document = yaml.safe_load(CONTRACT.read_text())
    with serving(create_app(settings.current(), document)) as url:
        yield url


@pytest.mark.parametrize("name", REQUESTS)
def test_same_but_for_what_is_listed(stock: str, ours: str, name: str) -> None:
    by_stock, by_engine = (heard(url, REQUESTS[name]) for url in (stock, ours))
    if by_stock == by_engine:
        assert name not in DIFFERENCES, "They agree: take it off the list."
        return
    status, body = (tuple(pair) for pair in zip(by_stock, by_engine, strict=True))
    found = status if status[0] != status[1] else body
    assert name in DIFFERENCES, f"They differ: {found}"
    assert found == DIFFERENCES[name][:2]


def test_every_difference_has_a_reason_and_a_request() -> None:
    assert set(DIFFERENCES) <= set(REQUESTS)
    assert all(reason.endswith(".") for _, _, reason in DIFFERENCES.values())


def test_errors_of_both_say_what_is_wrong(stock: str, ours: str) -> None:
    """RFC 9457 under stock Connexion, our envelope under the engine."""
    theirs = httpx.get(f"{stock}/parity/things?limit=x")
    assert theirs.json()["status"] == 400
    mine = httpx.get(f"{ours}/parity/things?limit=x")
    assert mine.json()["error"]["details"]["errors"][0]["in"] == "query"
