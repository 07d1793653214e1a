"""Signing out, going on, and what a browser is told of its session."""

from collections.abc import Callable

import httpx
from sqlalchemy import select

from marquee import clock, db
from marquee.audit import Activity
from marquee.identity.auth.models import Session
from marquee.identity.users.models import User
from tests.identity.browsers import (
    bearer,
    code_of,
    cookies_of,
    credentials,
    csrf_pair,
    signed_in,
)

UNKNOWN = "k3v9pWQm0sYt8bN5cX2jHfRzLdE7aUo4iGq6wTyPnBM"


def browser_of(client: httpx.Client) -> dict[str, str]:
    """The headers of a browser in which Casey has signed in."""
    answer = client.post("/auth/login", json=credentials(), headers=csrf_pair())
    cookies = {name: cookie.value for name, cookie in cookies_of(answer).items()}
    line = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"Cookie": line, "X-CSRF-Token": cookies["__csrf"]}


def works(client: httpx.Client, signed: dict[str, str]) -> bool:
    """Whether a sign-in's access token is taken."""
    answer = client.get("/users/me", headers=bearer(signed["access_token"]))
    return answer.status_code == 200


class TestLogout:
    def test_ends_the_session_of_the_token(self, anonymous: httpx.Client, casey: User) -> None:
        here, there = signed_in(anonymous), signed_in(anonymous)
        answer = anonymous.post("/auth/logout", headers=bearer(here["access_token"]))
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
        assert "set-cookie" not in answer.headers
        assert (works(anonymous, here), works(anonymous, there)) == (False, True)
        refresh = {"refresh_token": here["refresh_token"]}
        assert anonymous.post("/auth/refresh", json=refresh).status_code == 401

    def test_ends_all(self, anonymous: httpx.Client, casey: User) -> None:
        here, there = signed_in(anonymous), signed_in(anonymous)
        body = {"logout_all": True}
        anonymous.post("/auth/logout", json=body, headers=bearer(here["access_token"]))
        assert (works(anonymous, here), works(anonymous, there)) == (False, False)

    def test_ends_the_session_of_a_refresh_token(
        self, anonymous: httpx.Client, key_of: Callable[..., str], casey: User
    ) -> None:
        there = signed_in(anonymous)
        body = {"refresh_token": there["refresh_token"]}
        answer = anonymous.post("/auth/logout", json=body, headers=bearer(key_of(casey)))
        assert answer.status_code == 200
        assert not works(anonymous, there)

    def test_not_the_session_of_somebody_else(
        self, anonymous: httpx.Client, client: httpx.Client, casey: User
    ) -> None:
        theirs = signed_in(anonymous)
        body = {"refresh_token": theirs["refresh_token"]}
        assert client.post("/auth/logout", json=body).status_code == 200
        assert works(anonymous, theirs)

    def test_takes_a_browsers_cookies_away(self, anonymous: httpx.Client, casey: User) -> None:
        browser = browser_of(anonymous)
        answer = anonymous.post("/auth/logout", headers=browser)
        cookies = cookies_of(answer)
        assert set(cookies) == {"marquee_session", "__csrf"}
        assert {cookie["max-age"] for cookie in cookies.values()} == {"0"}
        assert anonymous.get("/users/me", headers=browser).status_code == 401

    def test_a_browser_without_its_token(self, anonymous: httpx.Client, casey: User) -> None:
        browser = browser_of(anonymous)
        del browser["X-CSRF-Token"]
        assert code_of(anonymous.post("/auth/logout", headers=browser)) == (403, "CSRF_FAILED")

    def test_nobody(self, anonymous: httpx.Client) -> None:
        assert anonymous.post("/auth/logout").status_code == 401

    def test_tells_the_audit_log(self, anonymous: httpx.Client, casey: User) -> None:
        anonymous.post("/auth/logout", headers=bearer(signed_in(anonymous)["access_token"]))
        lines = db.session.scalars(select(Activity).order_by(Activity.id)).all()
        assert [line.action for line in lines] == ["user.login", "user.logout"]
        assert lines[-1].user_id == casey.id


class TestRefreshToken:
    def test_gives_a_new_pair(self, anonymous: httpx.Client, casey: User) -> None:
        first = signed_in(anonymous)
        body = {"refresh_token": first["refresh_token"]}
        answer = anonymous.post("/auth/refresh", json=body)
        assert answer.status_code == 200
        second = answer.json()
        assert second["session_id"] == first["session_id"]
        assert second["refresh_token"] != first["refresh_token"]
        assert second["access_token"] != first["access_token"]
        assert works(anonymous, second)

    def test_an_unknown_one(self, anonymous: httpx.Client) -> None:
        answer = anonymous.post("/auth/refresh", json={"refresh_token": UNKNOWN})
        assert code_of(answer) == (401, "INVALID_TOKEN")

    def test_a_browser_gets_its_cookie_again(self, anonymous: httpx.Client, casey: User) -> None:
        body = {"refresh_token": signed_in(anonymous)["refresh_token"]}
        answer = anonymous.post("/auth/refresh", json=body, headers=csrf_pair())
        assert set(cookies_of(answer)) == {"marquee_session", "__csrf"}

    def test_a_wrong_csrf_pair(self, anonymous: httpx.Client) -> None:
        body = {"refresh_token": UNKNOWN}
        answer = anonymous.post("/auth/refresh", json=body, headers={"X-CSRF-Token": "x"})
        assert code_of(answer) == (403, "CSRF_FAILED")


class TestGetAuthSession:
    def test_nobody_gets_a_csrf_token_to_sign_in_with(
        self, anonymous: httpx.Client, casey: User
    ) -> None:
        answer = anonymous.get("/auth/session")
        state = answer.json()
        assert (answer.status_code, state["authenticated"], state["user_id"]) == (200, False, None)
        token = state["csrf_token"]
        assert cookies_of(answer)["__csrf"].value == token
        assert not cookies_of(answer)["__csrf"]["httponly"]
        pair = {"X-CSRF-Token": token, "Cookie": f"__csrf={token}"}
        login = anonymous.post("/auth/login", json=credentials(), headers=pair)
        assert "marquee_session" in cookies_of(login)

    def test_who_has_signed_in_gets_one_of_the_session(
        self, anonymous: httpx.Client, casey: User
    ) -> None:
        cookie = browser_of(anonymous)["Cookie"]
        answer = anonymous.get("/auth/session", headers={"Cookie": cookie})
        state = answer.json()
        assert (state["authenticated"], state["user_id"]) == (True, casey.id)
        session = cookie.partition("; ")[0]
        pair = {
            "Cookie": f"{session}; __csrf={state['csrf_token']}",
            "X-CSRF-Token": state["csrf_token"],
        }
        assert anonymous.post("/auth/logout", headers=pair).status_code == 200

    def test_takes_away_a_cookie_that_no_longer_holds(
        self, anonymous: httpx.Client, casey: User
    ) -> None:
        cookie = browser_of(anonymous)["Cookie"]
        db.session.scalars(select(Session)).one().revoked_at = clock.now()
        db.session.commit()
        for sent in (cookie, "marquee_session=made-up"):
            answer = anonymous.get("/auth/session", headers={"Cookie": sent})
            assert (answer.status_code, answer.json()["authenticated"]) == (200, False)
            assert cookies_of(answer)["marquee_session"]["max-age"] == "0"

    def test_is_stored_nowhere(self, anonymous: httpx.Client) -> None:
        answer = anonymous.get("/auth/session")
        assert answer.headers["cache-control"] == "no-store"
        assert "Cookie" in answer.headers["vary"]
