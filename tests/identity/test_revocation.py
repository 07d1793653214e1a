"""What one server process revokes, another that knows the caller refuses within a second."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text, update

from marquee import clock, db
from marquee.identity.api_keys.models import ApiKey
from marquee.identity.auth import known, passwords
from marquee.identity.auth.answers import csrf_token, session_cookie
from marquee.identity.auth.models import RefreshToken, Session
from marquee.identity.auth.one_time import digest_of
from marquee.identity.auth.tokens import issue
from marquee.identity.users.models import Role, User, UserRole
from tests.committed import Committed, committed
from tests.live import live, own_database

AT_ONCE = 1.0
"""Seconds. Without notices, what is known would be believed for `known.SECONDS`."""
PASSWORD = "correct horse battery staple"
LISTENING = text(
    "select pid from pg_stat_activity where datname = current_database() "
    "and state = 'idle' and (query ilike 'listen%' or query = 'select 1')"
)
TERMINATE = text("select pg_terminate_backend(:pid)")
Headers = dict[str, str]


@dataclass
class Two:
    """Two servers on one database, and whoever calls them."""

    urls: list[str]
    rows: Committed
    user: User
    admin: httpx.Client

    def listeners(self) -> list[int]:
        """The connections on which the servers hear notices."""
        self.rows.session.rollback()
        pids = list(self.rows.session.scalars(LISTENING))
        self.rows.session.rollback()
        return pids

    def session(self) -> tuple[int, Headers]:
        """A new session of the user, and the header of its token."""
        later = clock.now() + timedelta(days=1)
        made = self.rows.make(Session, user_id=self.user.id, expires_at=later)
        return made.id, {"Authorization": f"Bearer {issue(self.user.id, made.id)}"}

    def key(self) -> tuple[int, Headers]:
        """A new API key of the user, and its header."""
        headers = dict(self.rows.client(self.urls[0], self.user).headers)
        query = select(ApiKey.id).where(ApiKey.user_id == self.user.id).order_by(ApiKey.id.desc())
        return self.rows.session.scalars(query).first() or 0, {
            "Authorization": headers["authorization"]
        }

    def send(self, method: str, path: str, headers: Headers, **body: Any) -> None:
        """Ask the first server."""
        url = f"{self.urls[0]}/api/v1{path}"
        answer = httpx.request(method, url, headers=headers, json=body or None)
        assert answer.status_code < 300, answer.text

    def asked(self, url: str, headers: Headers) -> int:
        """The status that a caller gets from a server."""
        return httpx.get(f"{url}/api/v1/users/me", headers=headers, timeout=2).status_code

    def warm(self, *callers: Headers) -> None:
        """Make callers known to both servers, and see that they are: neither looks them up."""
        for url in self.urls:
            for headers in callers:
                assert self.asked(url, headers) == 200
        session = self.rows.session
        session.rollback()
        session.execute(text("lock table sessions, api_keys in access exclusive mode"))
        for url in self.urls:
            for headers in callers:
                assert self.asked(url, headers) == 200
        session.rollback()

    def refuse(self, headers: Headers, status: int = 401) -> None:
        """Assert that both refuse a caller at once, and keep to it."""
        deadline = time.monotonic() + AT_ONCE
        while [self.asked(url, headers) for url in self.urls] != [status] * 2:
            assert time.monotonic() < deadline, "It is still believed."
        for _ in range(3):
            assert [self.asked(url, headers) for url in self.urls] == [status] * 2


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def urls(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, list[str]]]:
    """A database, and the two servers on it."""
    folder = tmp_path_factory.mktemp("two")
    with ExitStack() as stack:
        own = stack.enter_context(own_database(database_url))
        servers = [stack.enter_context(live(own, folder)) for _ in range(2)]
        yield own, [each.url for each in servers]


@pytest.fixture
def two(urls: tuple[str, list[str]]) -> Iterator[Two]:
    engine = db.engine_for(urls[0])
    with committed(engine) as rows:
        user = rows.user()
        two = Two(urls[1], rows, user, rows.client(urls[1][0], rows.user("admin")))
        until(lambda: len(two.listeners()) == 2)
        yield two
    engine.dispose()


class TestSession:
    def test_revoked(self, two: Two) -> None:
        (_, mine), (theirs_id, theirs) = two.session(), two.session()
        two.warm(mine, theirs)
        two.send("DELETE", f"/sessions/{theirs_id}", mine)
        two.refuse(theirs)
        assert [two.asked(url, mine) for url in two.urls] == [200, 200]

    def test_revoked_with_all_others(self, two: Two) -> None:
        (_, mine), (_, theirs) = two.session(), two.session()
        two.warm(mine, theirs)
        two.send("DELETE", "/sessions?keep_current=true", mine)
        two.refuse(theirs)
        two.send("DELETE", "/sessions", mine)
        two.refuse(mine)

    def test_cookie_of_a_browser(self, two: Two) -> None:
        session_id, _ = two.session()
        token = csrf_token(session_id)
        cookie = f"marquee_session={session_cookie(session_id)}; __csrf={token}"
        two.warm({"Cookie": cookie})
        two.send("DELETE", "/sessions/current", {"Cookie": cookie, "X-CSRF-Token": token})
        two.refuse({"Cookie": cookie})

    @pytest.mark.parametrize("everywhere", ["true", "false"])
    def test_logged_out(self, two: Two, everywhere: str) -> None:
        _, mine = two.session()
        two.warm(mine)
        two.send("POST", "/auth/logout", mine, logout_all=everywhere == "true")
        two.refuse(mine)

    def test_password_changed(self, two: Two) -> None:
        hashed = passwords.hashed(PASSWORD)
        two.rows.session.execute(
            update(User).where(User.id == two.user.id).values(password_hash=hashed)
        )
        two.rows.session.commit()
        (_, mine), (_, theirs) = two.session(), two.session()
        two.warm(mine, theirs)
        words = {"old_password": PASSWORD, "new_password": "seven purple bicycles"}
        two.send("POST", "/auth/change-password", mine, **words)
        two.refuse(theirs)
        assert [two.asked(url, mine) for url in two.urls] == [200, 200]

    def test_refresh_token_used_twice(self, two: Two) -> None:
        session_id, mine = two.session()
        token = f"the refresh token of {session_id}, used twice"
        two.rows.make(RefreshToken, session_id=session_id, digest=digest_of(token))
        two.warm(mine)
        two.send("POST", "/auth/refresh", {}, refresh_token=token)
        assert [two.asked(url, mine) for url in two.urls] == [200, 200]
        url = f"{two.urls[0]}/api/v1/auth/refresh"
        assert httpx.post(url, json={"refresh_token": token}).status_code == 401
        two.refuse(mine)

    def test_expired(self, two: Two) -> None:
        """Nobody says so: the clock does."""
        session_id, mine = two.session()
        soon = clock.now() + timedelta(seconds=2)
        two.rows.session.execute(
            update(Session).where(Session.id == session_id).values(expires_at=soon)
        )
        two.rows.session.commit()
        two.warm(mine)
        time.sleep(max(0, (soon - clock.now()).total_seconds()))
        two.refuse(mine)


class TestKey:
    def test_revoked(self, two: Two) -> None:
        (key_id, mine), (_, other) = two.key(), two.key()
        two.warm(mine, other)
        two.send("DELETE", f"/apikeys/{key_id}", other)
        two.refuse(mine)
        assert [two.asked(url, other) for url in two.urls] == [200, 200]


class TestUser:
    def test_disabled(self, two: Two) -> None:
        (_, token), (_, key) = two.session(), two.key()
        two.warm(token, key)
        answer = two.admin.put(f"/users/{two.user.id}", json={"is_active": False})
        assert answer.status_code == 200
        for headers in (token, key):
            two.refuse(headers)

    def test_deleted(self, two: Two) -> None:
        (_, token), (_, key) = two.session(), two.key()
        two.warm(token, key)
        two.rows.session.execute(text("delete from users where id = :id"), {"id": two.user.id})
        two.rows.session.commit()
        for headers in (token, key):
            two.refuse(headers)


class TestRole:
    def test_removed(self, two: Two) -> None:
        (_, token), (_, key) = two.session(), two.key()
        two.warm(token, key)
        answer = two.admin.delete(f"/rbac/users/{two.user.id}/roles/user")
        assert answer.status_code == 204
        for headers in (token, key):
            two.refuse(headers, 403)

    def test_allows_less(self, two: Two) -> None:
        role = two.rows.make(Role, name=f"role-{two.user.id}", permissions=["profile:get"])
        two.rows.session.execute(
            update(UserRole).where(UserRole.user_id == two.user.id).values(role_id=role.id)
        )
        two.rows.session.commit()
        (_, token), (_, key) = two.session(), two.key()
        two.warm(token, key)
        less = {"permissions": [{"resource": "movies", "action": "list"}]}
        answer = two.admin.put(f"/rbac/roles/{role.name}/permissions", json=less)
        assert answer.status_code == 200
        for headers in (token, key):
            two.refuse(headers, 403)


class TestWithoutNotices:
    def test_nothing_stale_is_believed(self, two: Two) -> None:
        """The connections on which both would have heard of it are gone when it happens."""
        (session_id, mine), (_, other) = two.session(), two.session()
        two.warm(mine, other)
        for pid in two.listeners():
            two.rows.session.execute(TERMINATE, {"pid": pid})
        revoked = update(Session).where(Session.id == session_id)
        two.rows.session.execute(revoked.values(revoked_at=clock.now()))
        two.rows.session.commit()
        two.refuse(mine)
        assert [two.asked(url, other) for url in two.urls] == [200, 200]

    def test_they_are_heard_again(self, two: Two) -> None:
        before = two.listeners()
        for pid in before:
            two.rows.session.execute(TERMINATE, {"pid": pid})
        two.rows.session.commit()
        until(lambda: len(two.listeners()) == 2 and not set(two.listeners()) & set(before))
        (session_id, mine), (_, other) = two.session(), two.session()
        two.warm(mine, other)
        two.send("DELETE", f"/sessions/{session_id}", other)
        two.refuse(mine)


def test_at_once_is_sooner_than_what_is_known_would_age() -> None:
    assert AT_ONCE < known.SECONDS / 2
