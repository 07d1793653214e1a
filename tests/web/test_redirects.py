"""marquee/web/redirects.py."""

import pytest

from marquee.web.redirects import Redirects
from marquee.web.request import Request


@pytest.fixture
def redirects() -> Redirects:
    redirects = Redirects()
    redirects.add("/api/v1", "/users/me", ["/auth/me", "/users/profile"])
    redirects.add("/api/v1", "/tvshows/{tvshow_id}/seasons", "/series/{tvshow_id}/seasons")
    return redirects


def location(redirects: Redirects, path: str, query: str = "", method: str = "GET") -> str | None:
    answer = redirects.find(Request(method, path, query, {}, None, {}))
    if answer is None:
        return None
    assert (answer.status, answer.body) == (308, b"")
    header = answer.header(b"location")
    assert header is not None
    return header.decode("latin-1")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(
    "path,query,target",
    [
        ("/api/v1/auth/me", "", "/api/v1/users/me"),
        ("/api/v1/users/profile", "a=1&b=%20", "/api/v1/users/me?a=1&b=%20"),
        ("/api/auth/me", "a=1", "/api/v1/users/me?a=1"),
        ("/api/movies", "page=2", "/api/v1/movies?page=2"),
        ("/api/v10x/y", "", "/api/v1/v10x/y"),
        ("/api/v1/series/7/seasons", "", "/api/v1/tvshows/7/seasons"),
        ("/api/series/7/seasons", "x=1", "/api/v1/tvshows/7/seasons?x=1"),
    ],
)
def test_leads_to_where_it_is_now(
    redirects: Redirects, method: str, path: str, query: str, target: str
) -> None:
    assert location(redirects, path, query, method) == target


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/movies",
        "/api/v2/movies",
        "/movies",
        "//evil.example/api/movies",
        "//evil.example",
        "/evil/api/movies",
        "/api/v1/auth/me/",
        "/api/v1//evil.example",
    ],
)
def test_leads_nowhere_else(redirects: Redirects, path: str) -> None:
    assert location(redirects, path) is None


@pytest.mark.parametrize(
    "path",
    [
        "/api//evil.example/",
        "/api/\\evil.example",
        "/api/https://evil.example",
        "/api/@evil.example",
        "/api/..//evil.example",
        "/api/%2F%2Fevil.example",
        "/api/v1/series/%2F%2Fevil.example/seasons",
        "/api/v1/series/%0D%0ASet-Cookie:%20a=1/seasons",
        "/api/v1/series/..%2F..%2F/seasons",
        "/api/v1/series/%E5%8D%83/seasons",
    ],
)
def test_never_leads_to_another_host_or_out_of_the_header(redirects: Redirects, path: str) -> None:
    target = location(redirects, path)
    assert target is not None
    assert target.startswith("/api/v1/")
    assert not {"\r", "\n"} & set(target)


def test_keeps_an_encoded_value_encoded(redirects: Redirects) -> None:
    target = location(redirects, "/api/v1/series/a%2Fb%3Fc/seasons")
    assert target == "/api/v1/tvshows/a%2Fb%3Fc/seasons"


def test_leads_numbers_alone_where_others_are_served(redirects: Redirects) -> None:
    redirects.add("/api/v1", "/users/{user_id}/lists", ["/lists/{user_id}"])
    redirects.numbered.add(redirects.templates["/api/v1/lists/{user_id}"])
    assert location(redirects, "/api/v1/lists/7", "a=1") == "/api/v1/users/7/lists?a=1"
    assert location(redirects, "/api/lists/7") == "/api/v1/users/7/lists"
    assert location(redirects, "/api/v1/lists/7x") is None
    assert location(redirects, "/api/v1/lists/%D9%A1") is None
    assert location(redirects, "/api/lists/7x") == "/api/v1/lists/7x"
