"""openapi/identity/sessions.yaml."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from marquee import clock, db
from marquee.audit import Activity
from marquee.identity.auth.answers import csrf_token, session_cookie
from marquee.identity.auth.models import Session
from marquee.identity.auth.opening import open_session
from marquee.identity.auth.tokens import issue
from marquee.identity.users.models import User
from tests.answers import refused
from tests.queries import statements

Make = Callable[..., Any]
LATER = timedelta(days=1)
SHOWN = {
    "id",
    "device_name",
    "ip_address",
    "user_agent",
    "method",
    "created_at",
    "last_activity_at",
    "expires_at",
    "is_active",
    "is_current",
}


@pytest.fixture
def opened(make: Make) -> Make:
    """A new session of a user."""

    def opened(user: User, **values: Any) -> Session:
        session: Session = make(
            Session, **{"user_id": user.id, "expires_at": clock.now() + LATER} | values
        )
        return session

    return opened


@pytest.fixture
def here(opened: Make, me: User) -> Session:
    """The session in which `signed_in` calls."""
    session: Session = opened(
        me, device_name="My laptop", ip_address="2001:db8::1", user_agent="A browser"
    )
    return session


@pytest.fixture
def signed_in(anonymous: httpx.Client, here: Session) -> httpx.Client:
    """A client that calls with an access token of `me`."""
    anonymous.headers["Authorization"] = f"Bearer {issue(here.user_id, here.id)}"
    return anonymous


@pytest.fixture
def browser(here: Session) -> dict[str, str]:
    """The headers of a browser in that session."""
    token = csrf_token(here.id)
    cookie = f"marquee_session={session_cookie(here.id)}; __csrf={token}"
    return {"Cookie": cookie, "X-CSRF-Token": token}


def holding(user: User) -> list[int]:
    """The sessions of a user that hold, oldest first."""
    query = select(Session.id).where(Session.user_id == user.id, Session.is_active)
    return list(db.session.scalars(query.order_by(Session.id)))


def actions() -> list[tuple[str, str | None, bool]]:
    query = select(Activity.action, Activity.resource_id, Activity.success)
    return [tuple(row) for row in db.session.execute(query.order_by(Activity.id))]


class TestListSessions:
    def test_shows_ones_own_that_hold(
        self, signed_in: httpx.Client, here: Session, opened: Make, me: User, make_user: Make
    ) -> None:
        opened(make_user())
        opened(me, revoked_at=clock.now())
        opened(me, expires_at=clock.now() - LATER)
        newer = opened(me, method="passkey")
        listed = signed_in.get("/sessions").json()
        assert [each["id"] for each in listed["items"]] == [newer.id, here.id]
        assert [each["is_current"] for each in listed["items"]] == [False, True]
        assert [each["method"] for each in listed["items"]] == ["passkey", "password"]
        assert listed["next_cursor"] is None

    def test_tells_what_is_known_of_the_device(self, signed_in: httpx.Client) -> None:
        (shown,) = signed_in.get("/sessions").json()["items"]
        assert set(shown) == SHOWN
        assert (shown["device_name"], shown["user_agent"]) == ("My laptop", "A browser")
        assert (shown["ip_address"], shown["is_active"]) == ("2001:db8::1", True)

    def test_goes_on_by_cursor(
        self, signed_in: httpx.Client, here: Session, opened: Make, me: User
    ) -> None:
        ids = [here.id, *(opened(me).id for _ in range(4))]
        seen, cursor = [], None
        for _ in range(3):
            params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = signed_in.get("/sessions", params=params).json()
            seen += [each["id"] for each in page["items"]]
            cursor = page["next_cursor"]
        assert (seen, cursor) == (ids[::-1], None)

    def test_a_key_sees_them_too(self, client: httpx.Client, here: Session) -> None:
        """It belongs to none of them."""
        (shown,) = client.get("/sessions").json()["items"]
        assert (shown["id"], shown["is_current"]) == (here.id, False)

    def test_costs_as_many_queries_however_long_it_is(
        self, signed_in: httpx.Client, opened: Make, me: User, engine: Engine
    ) -> None:
        costs = []
        for _ in range(2):
            opened(me)
            with statements(engine) as sent:
                signed_in.get("/sessions")
            costs.append(len(sent))
        assert costs == [2, 2]


class TestRevokeAllSessions:
    def test_ends_them_all(
        self, signed_in: httpx.Client, opened: Make, me: User, make_user: Make
    ) -> None:
        other = make_user()
        theirs = opened(other).id
        opened(me)
        answer = signed_in.delete("/sessions")
        assert (answer.status_code, "set-cookie" in answer.headers) == (204, False)
        assert (holding(me), holding(other)) == ([], [theirs])
        assert refused(signed_in.get("/users/me")) == (401, "INVALID_TOKEN")

    def test_keeps_the_present_one_if_asked(
        self, signed_in: httpx.Client, here: Session, opened: Make, me: User
    ) -> None:
        opened(me)
        assert signed_in.delete("/sessions?keep_current=true").status_code == 204
        assert holding(me) == [here.id]
        assert signed_in.get("/users/me").status_code == 200

    def test_a_key_has_none_to_keep(self, client: httpx.Client, opened: Make, me: User) -> None:
        opened(me)
        assert client.delete("/sessions?keep_current=true").status_code == 204
        assert holding(me) == []
        assert client.get("/users/me").status_code == 200

    @pytest.mark.parametrize("keep", [True, False])
    def test_a_browser_loses_its_cookies_with_its_session(
        self,
        anonymous: httpx.Client,
        browser: dict[str, str],
        keep: bool,  # noqa: FBT001 - a parameter
    ) -> None:
        params = {"keep_current": str(keep).lower()}
        answer = anonymous.delete("/sessions", params=params, headers=browser)
        taken = answer.headers.get_list("set-cookie")
        assert [each.partition("=")[0] for each in taken] == (
            [] if keep else ["marquee_session", "__csrf"]
        )
        assert all("Max-Age=0" in each for each in taken)

    def test_is_told_by_the_audit_log(self, signed_in: httpx.Client) -> None:
        signed_in.delete("/sessions")
        assert actions() == [("session.revoke_all", None, True)]


class TestGetCurrentSession:
    def test_of_a_token_and_of_a_browser(
        self, signed_in: httpx.Client, here: Session, browser: dict[str, str]
    ) -> None:
        by_token = signed_in.get("/sessions/current").json()
        del signed_in.headers["Authorization"]
        by_cookie = signed_in.get("/sessions/current", headers=browser).json()
        assert by_token == by_cookie
        assert (by_token["id"], by_token["is_current"]) == (here.id, True)
        assert set(by_token) == SHOWN

    def test_a_key_has_none(self, client: httpx.Client, here: Session) -> None:
        assert refused(client.get("/sessions/current")) == (404, "SESSION_NOT_FOUND")


class TestRevokeCurrentSession:
    def test_ends_it_alone(self, signed_in: httpx.Client, opened: Make, me: User) -> None:
        other = opened(me)
        assert signed_in.delete("/sessions/current").status_code == 204
        assert holding(me) == [other.id]
        assert refused(signed_in.get("/users/me")) == (401, "INVALID_TOKEN")

    def test_a_browser_loses_its_cookies(
        self, anonymous: httpx.Client, browser: dict[str, str]
    ) -> None:
        answer = anonymous.delete("/sessions/current", headers=browser)
        assert (answer.status_code, len(answer.headers.get_list("set-cookie"))) == (204, 2)
        assert anonymous.get("/users/me", headers=browser).status_code == 401

    def test_a_key_has_none(self, client: httpx.Client, here: Session, me: User) -> None:
        assert refused(client.delete("/sessions/current")) == (404, "SESSION_NOT_FOUND")
        assert holding(me) == [here.id]

    def test_its_refresh_token_ends_with_it(self, signed_in: httpx.Client, me: User) -> None:
        going_on = open_session(me, None)
        db.session.commit()
        bearer = {"Authorization": f"Bearer {issue(me.id, going_on.session_id)}"}
        assert signed_in.delete("/sessions/current", headers=bearer).status_code == 204
        body = {"refresh_token": going_on.refresh_token}
        del signed_in.headers["Authorization"]
        assert refused(signed_in.post("/sessions/refresh", json=body)) == (401, "INVALID_TOKEN")


class TestRefreshSession:
    @pytest.mark.parametrize("path", ["/sessions/refresh", "/auth/refresh"])
    def test_means_the_same_at_both_paths(
        self, anonymous: httpx.Client, me: User, path: str
    ) -> None:
        going_on = open_session(me, None)
        db.session.commit()
        answer = anonymous.post(path, json={"refresh_token": going_on.refresh_token})
        assert (answer.status_code, answer.json()["session_id"]) == (200, going_on.session_id)
        assert answer.json()["refresh_token"] != going_on.refresh_token
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert anonymous.get("/users/me", headers=bearer).json()["id"] == me.id
        again = anonymous.post(path, json={"refresh_token": going_on.refresh_token})
        assert refused(again) == (401, "INVALID_TOKEN")
        assert holding(me) == []

    def test_a_wrong_csrf_pair(self, anonymous: httpx.Client, me: User) -> None:
        going_on = open_session(me, None)
        db.session.commit()
        body, headers = {"refresh_token": going_on.refresh_token}, {"X-CSRF-Token": "made up"}
        answer = anonymous.post("/sessions/refresh", json=body, headers=headers)
        assert refused(answer) == (403, "CSRF_FAILED")
        assert anonymous.post("/sessions/refresh", json=body).status_code == 200


class TestRevokeSession:
    def test_ends_one(self, signed_in: httpx.Client, here: Session, opened: Make, me: User) -> None:
        other = opened(me)
        assert signed_in.delete(f"/sessions/{other.id}").status_code == 204
        assert holding(me) == [here.id]
        again = signed_in.delete(f"/sessions/{other.id}")
        assert refused(again) == (404, "SESSION_NOT_FOUND")

    def test_of_this_request(
        self, anonymous: httpx.Client, here: Session, browser: dict[str, str], me: User
    ) -> None:
        answer = anonymous.delete(f"/sessions/{here.id}", headers=browser)
        assert (answer.status_code, len(answer.headers.get_list("set-cookie"))) == (204, 2)
        assert holding(me) == []

    def test_another_browsers_leaves_the_cookies(
        self, anonymous: httpx.Client, browser: dict[str, str], opened: Make, me: User
    ) -> None:
        answer = anonymous.delete(f"/sessions/{opened(me).id}", headers=browser)
        assert (answer.status_code, "set-cookie" in answer.headers) == (204, False)

    def test_another_users(self, admin: httpx.Client, here: Session, me: User) -> None:
        for session_id in (here.id, 2**53 - 1):
            answer = admin.delete(f"/sessions/{session_id}")
            assert refused(answer) == (404, "SESSION_NOT_FOUND")
        assert holding(me) == [here.id]

    @pytest.mark.parametrize("session_id", ["0", "x", "1.5", "-1", str(2**53)])
    def test_what_is_no_id(self, signed_in: httpx.Client, session_id: str) -> None:
        answer = signed_in.delete(f"/sessions/{session_id}")
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_is_told_by_the_audit_log(
        self, signed_in: httpx.Client, opened: Make, me: User
    ) -> None:
        other = opened(me)
        signed_in.delete(f"/sessions/{other.id}")
        signed_in.delete(f"/sessions/{other.id}")
        told = ("session.revoke", str(other.id))
        assert actions() == [(*told, True), (*told, False)]
