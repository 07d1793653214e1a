"""marquee/web/cors.py, and what the engine makes of it."""

from collections.abc import Iterator

import httpx
import pytest

from marquee.web.cors import Cors
from marquee.web.request import Request
from tests.serving import serving_with

HOME, EVIL = "https://home.example", "https://evil.example"
ALLOW = "access-control-allow-"


@pytest.fixture(scope="module")
def client(engine: object) -> Iterator[httpx.Client]:
    """Nobody in particular, at a server that one other site may use."""
    with (
        serving_with(cors_origins=(HOME, "http://localhost:3000")) as url,
        httpx.Client(base_url=f"{url}/api/v1") as client,
    ):
        yield client


def headers(cors: Cors, origin: str | None) -> dict[str, str]:
    sent = {} if origin is None else {"origin": origin}
    request = Request("GET", "/", "", sent, None, {})
    return {name.decode(): value.decode() for name, value in cors.headers(request)}


@pytest.mark.parametrize(
    "origin",
    [None, EVIL, "null", "", f"{HOME}.evil.example", f"{HOME}:444", "http://home.example", "*"],
)
def test_others_get_nothing(origin: str | None) -> None:
    assert headers(Cors((HOME,)), origin) == {}
    assert headers(Cors(()), origin) == {}


def test_listed_origins_may_send_credentials() -> None:
    given = headers(Cors((HOME,)), HOME)
    assert given[f"{ALLOW}origin"] == HOME
    assert given[f"{ALLOW}credentials"] == "true"
    assert "X-Request-Id" in given["access-control-expose-headers"]


def test_anybody_may_be_let_in_without_credentials() -> None:
    cors = Cors(("*", HOME))
    assert headers(cors, EVIL)[f"{ALLOW}origin"] == "*"
    assert f"{ALLOW}credentials" not in headers(cors, EVIL)
    assert headers(cors, HOME)[f"{ALLOW}credentials"] == "true"


def test_answers_are_for_the_page_that_asked(client: httpx.Client) -> None:
    for path, status in (("/healthz", 200), ("/users/me", 401), ("/movies/popular?page=0", 400)):
        answer = client.get(path, headers={"Origin": HOME})
        assert answer.status_code == status
        assert answer.headers[f"{ALLOW}origin"] == HOME
        assert "Origin" in answer.headers["vary"]
        assert f"{ALLOW}origin" not in client.get(path, headers={"Origin": EVIL}).headers


def test_preflight(client: httpx.Client) -> None:
    asked = {"Origin": HOME, "Access-Control-Request-Method": "PUT"}
    answer = client.options("/movies/ratings/1", headers=asked)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == "OPTIONS, PUT"
    assert "PUT" in answer.headers[f"{ALLOW}methods"]
    assert answer.headers[f"{ALLOW}origin"] == HOME
    for name in ("authorization", "content-type", "idempotency-key", "if-match", "x-csrf-token"):
        assert name in answer.headers[f"{ALLOW}headers"].lower()
    evil = client.options("/movies/ratings/1", headers=asked | {"Origin": EVIL})
    assert evil.status_code == 204
    assert not [name for name in evil.headers if name.startswith("access-control")]


def test_options_is_answered_without_cors_too(client: httpx.Client) -> None:
    answer = client.options("/movies")
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS")
    assert not [name for name in answer.headers if name.startswith("access-control")]
