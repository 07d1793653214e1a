"""marquee/web/security.py, with schemes of the tests' own."""

from collections.abc import Callable
from typing import Any

import pytest

from marquee.errors import Forbidden, NotConfigured, Refusal, Unauthenticated
from marquee.viewer import Viewer
from marquee.web.request import Request
from marquee.web.security import Scheme, Security, require_permission, required_scope

ME = Viewer(2, "casey")
HERE = "tests.web.test_security"


def by_token(token: str) -> dict[str, Any] | None:
    """Whom a bearer token stands for."""
    return {"sub": ME, "how": "bearer"} if token == "good" else None


def by_key(key: str) -> dict[str, Any] | None:
    """Whom a key stands for."""
    return {"sub": ME, "how": "key"} if key == "good" else None


def by_cookie(cookie: str) -> dict[str, Any] | None:
    """Whom a cookie stands for."""
    return {"sub": ME, "how": "cookie"} if cookie == "good" else None


def by_form(token: str, request: Request) -> dict[str, Any]:
    """Whether a form is ours."""
    if request.cookies.get("__csrf") != token:
        raise Forbidden("Not ours.", "CSRF_FAILED")
    return {"csrf": True}


def nobody() -> None:
    """Say that this way in is closed."""
    raise NotConfigured("Closed.")


SCHEMES = {
    name: Scheme(name, definition)
    for name, definition in {
        "bearer": {"type": "http", "scheme": "bearer", "x-bearerInfoFunc": f"{HERE}.by_token"},
        "key": {"in": "header", "name": "X-API-Key", "x-apikeyInfoFunc": f"{HERE}.by_key"},
        "session": {"in": "cookie", "name": "s", "x-apikeyInfoFunc": f"{HERE}.by_cookie"},
        "csrf": {"in": "header", "name": "X-CSRF-Token", "x-apikeyInfoFunc": f"{HERE}.by_form"},
        "closed": {
            "type": "http",
            "scheme": "bearer",
            "x-bearerInfoFunc": f"{HERE}.by_token",
            "x-availableFunc": f"{HERE}.nobody",
        },
    }.items()
}
READING: list[dict[str, Any]] = [{"bearer": []}, {"key": []}, {"session": []}]
WRITING: list[dict[str, Any]] = [{"bearer": []}, {"key": []}, {"session": [], "csrf": []}]
LOGIN: list[dict[str, Any]] = [{"csrf": []}, {}]
GOOD, BAD = {"authorization": "Bearer good"}, {"authorization": "Bearer bad"}
KEY, BAD_KEY = {"x-api-key": "good"}, {"x-api-key": "bad"}
COOKIE, BAD_COOKIE = {"cookie": "s=good"}, {"cookie": "s=bad"}
PAIR = {"cookie": "s=good; __csrf=t", "x-csrf-token": "t"}
WRONG_PAIR = {"cookie": "s=good; __csrf=t", "x-csrf-token": "u"}


def authenticated(requirements: list[dict[str, Any]], headers: dict[str, str]) -> dict[str, Any]:
    request = Request("POST", "/", "", headers, None, {})
    return Security(requirements, SCHEMES).authenticate(request)


@pytest.mark.parametrize(
    "requirements,headers,how",
    [
        (READING, GOOD, "bearer"),
        (READING, {"authorization": "bearer   good"}, "bearer"),
        (READING, KEY, "key"),
        (READING, COOKIE, "cookie"),
        (READING, GOOD | KEY | COOKIE, "bearer"),
        (WRITING, GOOD, "bearer"),
        (WRITING, PAIR, "cookie"),
        (WRITING, GOOD | COOKIE, "bearer"),
        (WRITING, GOOD | WRONG_PAIR, "bearer"),
    ],
)
def test_one_good_alternative_is_enough(
    requirements: list[dict[str, Any]], headers: dict[str, str], how: str
) -> None:
    information = authenticated(requirements, headers)
    assert (information["sub"], information["how"]) == (ME, how)


def test_a_cookie_under_https_has_the_prefix(set_variables: Callable[..., None]) -> None:
    """Without it, another server of the domain may have set it."""
    set_variables(PUBLIC_URL="https://api.example.org")
    information = authenticated(READING, {"cookie": "__Host-s=good; s=bad"})
    assert information["how"] == "cookie"
    with pytest.raises(Unauthenticated):
        authenticated(READING, COOKIE)


@pytest.mark.parametrize(
    "requirements,headers,refusal",
    [
        (READING, {}, Unauthenticated),
        (READING, BAD, Unauthenticated),
        (READING, BAD_KEY, Unauthenticated),
        (READING, BAD_COOKIE, Unauthenticated),
        (READING, GOOD | BAD_KEY, Unauthenticated),
        (READING, KEY | BAD, Unauthenticated),
        (READING, GOOD | BAD_COOKIE, Unauthenticated),
        (READING, {"authorization": "Basic good"}, Unauthenticated),
        (READING, {"authorization": "Bearer"}, Unauthenticated),
        (READING, {"x-csrf-token": "t"}, Unauthenticated),
        (WRITING, COOKIE, Forbidden),
        (WRITING, BAD_COOKIE, Unauthenticated),
        (WRITING, WRONG_PAIR, Forbidden),
        (WRITING, {"cookie": "__csrf=t", "x-csrf-token": "t"}, Unauthenticated),
        (LOGIN, {"x-csrf-token": "t"}, Forbidden),
        ([{"closed": []}], {}, NotConfigured),
        ([{"closed": []}], GOOD, NotConfigured),
        ([{"bearer": []}, {}], BAD, Unauthenticated),
    ],
)
def test_anything_bad_is_refused(
    requirements: list[dict[str, Any]], headers: dict[str, str], refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal) as raised:
        authenticated(requirements, headers)
    assert type(raised.value) is refusal


def test_nobody_need_be_known_where_the_contract_says_so() -> None:
    assert authenticated([], BAD) == {}
    assert authenticated(LOGIN, {}) == {}
    assert authenticated([{"bearer": []}, {}], {}) == {}
    assert authenticated(LOGIN, {"cookie": "__csrf=t", "x-csrf-token": "t"}) == {"csrf": True}


def viewer(*permissions: str, scopes: set[str] | None = None) -> Viewer:
    kept = None if scopes is None else frozenset(scopes)
    return Viewer(2, "casey", frozenset(permissions), kept)


@pytest.mark.parametrize(
    "who,permission,method",
    [
        (viewer("films:list"), "films:list", "GET"),
        (viewer("films:*"), "films:list", "GET"),
        (viewer("*:list"), "films:list", "GET"),
        (viewer("*:*"), "admin:delete", "DELETE"),
        (viewer("*"), "admin:delete", "DELETE"),
        (viewer(), None, "POST"),
        (viewer("films:list", scopes={"read"}), "films:list", "GET"),
        (viewer("films:add", scopes={"write"}), "films:add", "POST"),
        (viewer("films:add", scopes={"admin"}), "films:add", "POST"),
        (viewer("*:*", scopes={"admin"}), "admin:delete", "DELETE"),
        (None, "films:list", "GET"),
    ],
)
def test_who_may(who: Viewer | None, permission: str | None, method: str) -> None:
    require_permission(permission, who, method)


@pytest.mark.parametrize(
    "who,permission,method",
    [
        (viewer(), "films:list", "GET"),
        (viewer("films:lists", "film:list", "films"), "films:list", "GET"),
        (viewer("films:list", scopes=set()), "films:list", "GET"),
        (viewer("films:add", scopes={"read"}), "films:add", "POST"),
        (viewer("films:list", scopes={"write"}), "films:list", "GET"),
        (viewer("*:*", scopes={"read", "write"}), "admin:delete", "DELETE"),
        (viewer("*:*", scopes={"read", "write"}), "admin:list", "GET"),
        (viewer(scopes={"admin"}), "films:list", "GET"),
        (viewer(scopes={"read"}), None, "POST"),
    ],
)
def test_who_may_not(who: Viewer, permission: str | None, method: str) -> None:
    with pytest.raises(Forbidden):
        require_permission(permission, who, method)


def test_the_scope_of_a_key_follows_from_what_it_does() -> None:
    assert required_scope("admin:list", "GET") == "admin"
    assert required_scope("films:list", "HEAD") == "read"
    assert required_scope(None, "PUT") == "write"
