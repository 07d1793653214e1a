"""openapi/identity/auth.yaml."""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from marquee import clock, db, settings, signing
from marquee.audit import Activity
from marquee.identity.auth import passwords
from marquee.identity.auth.models import Session
from marquee.identity.users.models import User
from tests.contract.checking import check_answer
from tests.serving import serving_with

Make = Callable[..., Any]
PASSWORD = "correct horse battery staple"
SAME_ANSWER = {
    "error": {
        "code": "INVALID_CREDENTIALS",
        "message": "There is no account with this name and password.",
    }
}


@pytest.fixture
def casey(make_user: Make) -> User:
    user: User = make_user(
        "user",
        username="Casey",
        email="Casey@Example.org",
        display_name="Casey",
        password_hash=passwords.hashed(PASSWORD),
    )
    return user


def credentials(name: str = "Casey", password: str = PASSWORD) -> dict[str, str]:
    return {"username": name, "password": password}


def csrf_pair() -> dict[str, str]:
    """The headers of a browser that has the `__csrf` cookie."""
    token = signing.sign(signing.CSRF, ":before signing in")
    return {"X-CSRF-Token": token, "Cookie": f"__csrf={token}"}


def cookies_of(answer: httpx.Response) -> dict[str, Any]:
    jar: SimpleCookie = SimpleCookie()
    for header in answer.headers.get_list("set-cookie"):
        jar.load(header)
    return dict(jar)


def lines() -> list[Activity]:
    return list(db.session.scalars(select(Activity).order_by(Activity.id)))


class TestLogin:
    @pytest.mark.parametrize(
        "name", ["Casey", "casey", "CASEY", "Casey@Example.org", "casey@EXAMPLE.ORG"]
    )
    def test_takes_a_name_or_an_address_in_any_case(
        self, anonymous: httpx.Client, casey: User, name: str
    ) -> None:
        answer = anonymous.post("/auth/login", json=credentials(name))
        assert answer.status_code == 200
        signed_in = answer.json()
        assert (signed_in["token_type"], signed_in["expires_in"]) == ("Bearer", 900)
        assert signed_in["user"]["id"] == casey.id
        assert signed_in["user"]["roles"] == ["user"]
        assert signed_in["user"]["is_admin"] is False
        assert "password_hash" not in signed_in["user"]

    def test_the_token_works_as_bearer(self, anonymous: httpx.Client, casey: User) -> None:
        token = anonymous.post("/auth/login", json=credentials()).json()["access_token"]
        me = anonymous.get("/users/me", headers={"Authorization": f"Bearer {token}"})
        assert (me.status_code, me.json()["id"]) == (200, casey.id)
        assert me.json()["last_login_at"] is not None

    @pytest.mark.parametrize(
        "name,password",
        [
            ("Casey", "wrong"),
            ("nobody", PASSWORD),
            ("nobody@example.org", "wrong"),
            ("%", PASSWORD),
        ],
    )
    def test_refuses_all_alike(
        self, anonymous: httpx.Client, casey: User, name: str, password: str
    ) -> None:
        answer = anonymous.post("/auth/login", json=credentials(name, password))
        assert (answer.status_code, answer.json()) == (401, SAME_ANSWER)
        assert "set-cookie" not in answer.headers
        assert casey.last_login_at is None

    def test_refuses_a_disabled_account_like_an_unknown_one(
        self, anonymous: httpx.Client, casey: User
    ) -> None:
        casey.is_active = False
        db.session.commit()
        answer = anonymous.post("/auth/login", json=credentials())
        assert (answer.status_code, answer.json()) == (401, SAME_ANSWER)

    def test_refuses_an_account_without_a_password(
        self, anonymous: httpx.Client, make_user: Make
    ) -> None:
        keyless = make_user("user")
        answer = anonymous.post(
            "/auth/login", json=credentials(keyless.username, "a password that nobody has")
        )
        assert (answer.status_code, answer.json()) == (401, SAME_ANSWER)

    def test_takes_as_long_for_an_unknown_name(self, anonymous: httpx.Client, casey: User) -> None:
        """Medians of interleaved calls, in CPU seconds of this process, where the server is too.

        The difference would be that of an argon2 hash, 100 %.
        """
        took: dict[str, list[float]] = {"Casey": [], "nobody": []}
        for _ in range(15):
            for name, times in took.items():
                started = time.process_time()
                anonymous.post("/auth/login", json=credentials(name, "wrong"))
                times.append(time.process_time() - started)
        known, unknown = map(statistics.median, took.values())
        hashing = time.process_time()
        passwords.fits("wrong", None)
        hashing = time.process_time() - hashing
        assert abs(known - unknown) < hashing / 2

    def test_opens_a_session_that_can_be_revoked(
        self, anonymous: httpx.Client, casey: User
    ) -> None:
        body = credentials() | {"device_name": "My laptop"}
        answer = anonymous.post("/auth/login", json=body, headers={"User-Agent": "A browser"})
        opened = db.session.scalars(select(Session).where(Session.user_id == casey.id)).one()
        assert (opened.device_name, opened.user_agent) == ("My laptop", "A browser")
        assert str(opened.ip_address) == "127.0.0.1"
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert anonymous.get("/users/me", headers=bearer).status_code == 200
        opened.revoked_at = clock.now()
        db.session.commit()
        assert anonymous.get("/users/me", headers=bearer).status_code == 401

    def test_an_expired_session_and_a_disabled_user_are_out_at_once(
        self, anonymous: httpx.Client, casey: User
    ) -> None:
        answer = anonymous.post("/auth/login", json=credentials())
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        casey.is_active = False
        db.session.commit()
        assert anonymous.get("/users/me", headers=bearer).status_code == 401
        casey.is_active = True
        opened = db.session.scalars(select(Session)).one()
        opened.expires_at = clock.now() - timedelta(minutes=1)
        db.session.commit()
        assert anonymous.get("/users/me", headers=bearer).status_code == 401

    def test_sets_no_cookie_without_the_csrf_pair(
        self, anonymous: httpx.Client, casey: User
    ) -> None:
        assert "set-cookie" not in anonymous.post("/auth/login", json=credentials()).headers
        cookie_alone = {"Cookie": csrf_pair()["Cookie"]}
        answer = anonymous.post("/auth/login", json=credentials(), headers=cookie_alone)
        assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)

    def test_sets_cookies_for_a_browser(self, anonymous: httpx.Client, casey: User) -> None:
        answer = anonymous.post("/auth/login", json=credentials(), headers=csrf_pair())
        cookies = cookies_of(answer)
        assert set(cookies) == {"marquee_session", "__csrf"}
        for name, cookie in cookies.items():
            assert cookie["samesite"] == "Lax"
            assert cookie["path"] == "/"
            assert cookie["domain"] == ""
            assert cookie["max-age"] == str(30 * 24 * 3600)
            assert bool(cookie["httponly"]) is (name == "marquee_session")
            assert not cookie["secure"]

    @pytest.mark.parametrize(
        "headers",
        [
            {"X-CSRF-Token": "made-up"},
            {"X-CSRF-Token": "made-up", "Cookie": "__csrf=made-up"},
            {"X-CSRF-Token": "a", "Cookie": "__csrf=b"},
        ],
    )
    def test_refuses_a_wrong_csrf_pair(
        self, anonymous: httpx.Client, casey: User, headers: dict[str, str]
    ) -> None:
        answer = anonymous.post("/auth/login", json=credentials(), headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "CSRF_FAILED")
        assert "set-cookie" not in answer.headers

    def test_refuses_what_the_contract_does_not_have(self, anonymous: httpx.Client) -> None:
        answer = anonymous.post("/auth/login", json=credentials() | {"admin": True})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


class TestSession:
    """What the cookies of a browser that has signed in are good for."""

    @pytest.fixture
    def browser(self, anonymous: httpx.Client, casey: User) -> dict[str, str]:
        """The browser's cookies by name."""
        answer = anonymous.post("/auth/login", json=credentials(), headers=csrf_pair())
        return {name: cookie.value for name, cookie in cookies_of(answer).items()}

    @staticmethod
    def headers(cookies: dict[str, str], token: str | None = None) -> dict[str, str]:
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        return sent | ({} if token is None else {"X-CSRF-Token": token})

    def test_the_cookie_alone_reads(
        self, anonymous: httpx.Client, browser: dict[str, str], casey: User
    ) -> None:
        me = anonymous.get("/users/me", headers=self.headers(browser))
        assert (me.status_code, me.json()["id"]) == (200, casey.id)

    def test_the_cookie_beside_those_of_other_programs(
        self, anonymous: httpx.Client, browser: dict[str, str]
    ) -> None:
        cookie = f'theme={{"dark":true}}; a[b]=c; {self.headers(browser)["Cookie"]}'
        assert anonymous.get("/users/me", headers={"Cookie": cookie}).status_code == 200

    def test_a_write_needs_the_token_too(
        self, anonymous: httpx.Client, browser: dict[str, str], casey: User
    ) -> None:
        body, path = {"tmdb_id": 1}, f"/users/{casey.id}/favorites"
        alone = anonymous.post(path, json=body, headers=self.headers(browser))
        assert (alone.status_code, alone.json()["error"]["code"]) == (403, "CSRF_FAILED")
        both = anonymous.post(path, json=body, headers=self.headers(browser, browser["__csrf"]))
        assert both.status_code == 404

    def test_a_write_needs_the_token_of_this_session(
        self, anonymous: httpx.Client, browser: dict[str, str], casey: User
    ) -> None:
        other = csrf_pair()["X-CSRF-Token"]
        headers = self.headers(browser | {"__csrf": other}, other)
        answer = anonymous.post(
            f"/users/{casey.id}/favorites", json={"tmdb_id": 1}, headers=headers
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "CSRF_FAILED")

    def test_a_tampered_cookie_is_refused(
        self, anonymous: httpx.Client, browser: dict[str, str]
    ) -> None:
        session_id, _, signature = browser["marquee_session"].partition(".")
        for cookie in (f"{session_id}x.{signature}", f"{session_id}.{signature[::-1]}", "1", "é"):
            sent = [(b"Cookie", f"marquee_session={cookie}".encode())]
            assert anonymous.get("/users/me", headers=sent).status_code == 401


class TestLoginByHttps:
    @pytest.fixture
    def client(self, monkeypatch: pytest.MonkeyPatch, database: None) -> Iterator[httpx.Client]:
        """A client of a server whose clients come by HTTPS."""
        monkeypatch.setenv("PUBLIC_URL", "https://api.example.org")
        settings.current.cache_clear()
        hooks = {"response": [check_answer]}
        with (
            serving_with() as url,
            httpx.Client(base_url=f"{url}/api/v1", event_hooks=hooks) as client,
        ):
            yield client
        monkeypatch.undo()
        settings.current.cache_clear()

    def test_cookies_are_secure(self, client: httpx.Client, casey: User) -> None:
        answer = client.post("/auth/login", json=credentials(), headers=csrf_pair())
        cookies = cookies_of(answer)
        assert set(cookies) == {"__Host-marquee_session", "__csrf"}
        assert all(cookie["secure"] and cookie["path"] == "/" for cookie in cookies.values())
        assert all(cookie["domain"] == "" for cookie in cookies.values())
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        session = cookies["__Host-marquee_session"].value
        me = client.get("/users/me", headers={"Cookie": f"__Host-marquee_session={session}"})
        assert (me.status_code, me.json()["id"]) == (200, casey.id)


class TestAuditOfSigningIn:
    def test_tells_who_signed_in_from_where(self, anonymous: httpx.Client, casey: User) -> None:
        headers = {"X-Request-Id": "sign-in-1", "User-Agent": "A browser"}
        anonymous.post("/auth/login", json=credentials(), headers=headers)
        (line,) = lines()
        assert (line.action, line.success, line.error_code) == ("user.login", True, None)
        assert (line.user_id, line.username) == (casey.id, "Casey")
        assert (line.request_id, line.user_agent) == ("sign-in-1", "A browser")
        assert str(line.ip_address) == "127.0.0.1"

    def test_tells_of_failures(self, anonymous: httpx.Client, casey: User) -> None:
        headers = {"X-Request-Id": "sign-in-2", "User-Agent": "A guesser"}
        anonymous.post("/auth/login", json=credentials(password="wrong"), headers=headers)
        (line,) = lines()
        assert (line.action, line.success) == ("user.login", False)
        assert line.error_code == "INVALID_CREDENTIALS"
        assert (line.request_id, line.user_agent) == ("sign-in-2", "A guesser")
        assert (line.user_id, line.username) == (casey.id, "Casey")
        assert str(line.ip_address) == "127.0.0.1"
        assert "wrong" not in str(line.details)

    def test_tells_of_guesses_at_unknown_names(self, anonymous: httpx.Client, casey: User) -> None:
        anonymous.post("/auth/login", json=credentials("nobody"))
        (line,) = lines()
        assert (line.success, line.user_id, line.username) == (False, None, None)

    def test_does_not_tell_of_broken_requests(self, anonymous: httpx.Client) -> None:
        anonymous.post("/auth/login", json={"username": "Casey"})
        assert lines() == []


class TestLimitOfSigningIn:
    def test_five_failures_and_no_more(self, casey: User) -> None:
        """Each failure counts once, though it is met twice: as a request and as a failure."""
        with (
            serving_with(rate_limit_auth="5/15minute") as url,
            httpx.Client(
                base_url=f"{url}/api/v1", event_hooks={"response": [check_answer]}
            ) as client,
        ):
            statuses = [
                client.post("/auth/login", json=credentials(password="wrong")).status_code
                for _ in range(6)
            ]
            assert statuses == [401, 401, 401, 401, 401, 429]
            limited = client.post("/auth/login", json=credentials())
            assert limited.json()["error"]["code"] == "RATE_LIMITED"
            assert 0 < int(limited.headers["retry-after"]) <= 900
            assert limited.headers["ratelimit-policy"] == '"auth";q=5;w=900'

    def test_guessing_keys_is_limited_by_address(self, database: None) -> None:
        with (
            serving_with(rate_limit_default="3/minute") as url,
            httpx.Client(
                base_url=f"{url}/api/v1", event_hooks={"response": [check_answer]}
            ) as client,
        ):
            guesses = [
                client.get("/users/me", headers={"X-API-Key": f"mq_{guess}"}).status_code
                for guess in range(4)
            ]
        assert guesses == [401, 401, 401, 429]
