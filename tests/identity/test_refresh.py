"""Refresh tokens and the number of sessions: marquee/identity/auth/opening.py."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, delete, select, update

from marquee import clock, db
from marquee.audit import Activity
from marquee.identity.auth import passwords
from marquee.identity.auth.answers import csrf_token, session_cookie
from marquee.identity.auth.models import RefreshToken, Session, SignInAttempts
from marquee.identity.auth.one_time import digest_of
from marquee.identity.auth.opening import Opened, open_session
from marquee.identity.users.models import User
from tests.answers import refused
from tests.committed import Committed, committed

Make = Callable[..., Any]
PASSWORD = "correct horse battery staple"
REFUSED = (401, "INVALID_TOKEN")


@pytest.fixture
def opened(me: User) -> Opened:
    """A session of `me`, with its first refresh token."""
    made = open_session(me, "My laptop")
    db.session.commit()
    return made


def refresh(client: httpx.Client, token: str, **headers: str) -> httpx.Response:
    return client.post("/auth/refresh", json={"refresh_token": token}, headers=headers)


def whoami(client: httpx.Client, token: str) -> int:
    """The status that an access token gets."""
    return client.get("/users/me", headers={"Authorization": f"Bearer {token}"}).status_code


def session_of(opened: Opened) -> Session:
    query = select(Session).where(Session.id == opened.session_id)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def lines() -> list[tuple[str, str | None, str | None, int | None]]:
    query = select(Activity.action, Activity.resource_id, Activity.error_code, Activity.user_id)
    return [tuple(row) for row in db.session.execute(query.order_by(Activity.id))]


class TestRotation:
    def test_each_token_gives_the_next(
        self, anonymous: httpx.Client, opened: Opened, me: User
    ) -> None:
        tokens = [opened.refresh_token]
        for _ in range(3):
            answer = refresh(anonymous, tokens[-1])
            assert (answer.status_code, answer.json()["session_id"]) == (200, opened.session_id)
            assert answer.json()["user"]["id"] == me.id
            assert whoami(anonymous, answer.json()["access_token"]) == 200
            tokens.append(answer.json()["refresh_token"])
        assert len(set(tokens)) == 4
        assert len({each[0] for each in lines()}) == 1

    def test_puts_the_end_off(self, anonymous: httpx.Client, opened: Opened) -> None:
        session = session_of(opened)
        session.expires_at = clock.now() + timedelta(minutes=1)
        session.last_activity_at = clock.now() - timedelta(days=20)
        db.session.commit()
        refresh(anonymous, opened.refresh_token)
        session = session_of(opened)
        assert session.expires_at > clock.now() + timedelta(days=29)
        assert session.last_activity_at > clock.now() - timedelta(minutes=1)

    def test_only_digests_are_stored(self, anonymous: httpx.Client, opened: Opened) -> None:
        token = refresh(anonymous, opened.refresh_token).json()["refresh_token"]
        stored = set(db.session.scalars(select(RefreshToken.digest)))
        assert stored == {digest_of(opened.refresh_token), digest_of(token)}

    def test_access_tokens_of_before_still_hold(
        self, anonymous: httpx.Client, opened: Opened
    ) -> None:
        first = refresh(anonymous, opened.refresh_token).json()
        refresh(anonymous, first["refresh_token"])
        assert whoami(anonymous, first["access_token"]) == 200


class TestReuse:
    def test_ends_the_whole_family(self, anonymous: httpx.Client, opened: Opened, me: User) -> None:
        newer = refresh(anonymous, opened.refresh_token).json()
        assert refused(refresh(anonymous, opened.refresh_token)) == REFUSED
        assert session_of(opened).revoked_at is not None
        assert refused(refresh(anonymous, newer["refresh_token"])) == REFUSED
        assert whoami(anonymous, newer["access_token"]) == 401

    def test_is_told_by_the_audit_log_although_it_is_refused(
        self, anonymous: httpx.Client, opened: Opened, me: User
    ) -> None:
        refresh(anonymous, opened.refresh_token)
        for _ in range(2):
            assert refused(refresh(anonymous, opened.refresh_token)) == REFUSED
        assert lines() == [
            ("session.refresh", None, None, me.id),
            ("session.revoke", str(opened.session_id), "TOKEN_REUSED", me.id),
        ]

    def test_leaves_other_sessions_alone(
        self, anonymous: httpx.Client, opened: Opened, me: User
    ) -> None:
        other = open_session(me, None)
        db.session.commit()
        for _ in range(2):
            refresh(anonymous, opened.refresh_token)
        assert refresh(anonymous, other.refresh_token).status_code == 200


class TestRefused:
    def test_unknown(self, anonymous: httpx.Client, opened: Opened) -> None:
        for token in ("x" * 43, opened.refresh_token[:-1], opened.refresh_token.swapcase()):
            assert refused(refresh(anonymous, token)) == REFUSED
        assert lines() == []

    def test_no_other_secret_is_one(
        self, anonymous: httpx.Client, opened: Opened, client: httpx.Client
    ) -> None:
        access_token = refresh(anonymous, opened.refresh_token).json()["access_token"]
        api_key = client.headers["Authorization"].removeprefix("Bearer ")
        for token in (access_token, api_key, session_cookie(opened.session_id)):
            assert refresh(anonymous, token).status_code in (400, 401)

    def test_expired(self, anonymous: httpx.Client, opened: Opened) -> None:
        session_of(opened).expires_at = clock.now() - timedelta(minutes=1)
        db.session.commit()
        assert refused(refresh(anonymous, opened.refresh_token)) == REFUSED

    def test_of_a_disabled_user(self, anonymous: httpx.Client, opened: Opened, me: User) -> None:
        me.is_active = False
        db.session.commit()
        assert refused(refresh(anonymous, opened.refresh_token)) == REFUSED
        me.is_active = True
        db.session.commit()
        assert refresh(anonymous, opened.refresh_token).status_code == 200

    def test_after_logging_out(self, anonymous: httpx.Client, opened: Opened) -> None:
        newer = refresh(anonymous, opened.refresh_token).json()
        bearer = {"Authorization": f"Bearer {newer['access_token']}"}
        assert anonymous.post("/auth/logout", headers=bearer).status_code == 200
        assert refused(refresh(anonymous, newer["refresh_token"])) == REFUSED


class TestBrowser:
    def test_gets_its_cookies_anew(self, anonymous: httpx.Client, opened: Opened, me: User) -> None:
        token = csrf_token(opened.session_id)
        cookie = f"marquee_session={session_cookie(opened.session_id)}; __csrf={token}"
        headers = {"Cookie": cookie, "X-CSRF-Token": token}
        answer = refresh(anonymous, opened.refresh_token, **headers)
        jar: SimpleCookie = SimpleCookie()
        for header in answer.headers.get_list("set-cookie"):
            jar.load(header)
        assert set(jar) == {"marquee_session", "__csrf"}
        sent = {"Cookie": "; ".join(f"{name}={each.value}" for name, each in jar.items())}
        assert anonymous.get("/users/me", headers=sent).json()["id"] == me.id

    def test_with_the_token_of_another_form(
        self, anonymous: httpx.Client, opened: Opened, me: User
    ) -> None:
        theirs = csrf_token(opened.session_id + 1)
        cookie = f"marquee_session={session_cookie(opened.session_id)}; __csrf={theirs}"
        headers = {"Cookie": cookie, "X-CSRF-Token": theirs}
        answer = refresh(anonymous, opened.refresh_token, **headers)
        assert refused(answer) == (403, "CSRF_FAILED")
        assert refresh(anonymous, opened.refresh_token).status_code == 200

    def test_another_program_gets_none(self, anonymous: httpx.Client, opened: Opened) -> None:
        assert "set-cookie" not in refresh(anonymous, opened.refresh_token).headers


class TestMaxPerUser:
    @pytest.fixture
    def casey(self, make_user: Make) -> User:
        user: User = make_user(username="Casey", password_hash=passwords.hashed(PASSWORD))
        return user

    def test_the_oldest_goes(
        self, anonymous: httpx.Client, casey: User, set_variables: Callable[..., None], make: Make
    ) -> None:
        set_variables(SESSION_MAX_PER_USER="2")
        ended = make(Session, user_id=casey.id, expires_at=clock.now(), revoked_at=clock.now())
        body = {"username": "Casey", "password": PASSWORD}
        signed_in = [anonymous.post("/auth/login", json=body).json() for _ in range(3)]
        assert [whoami(anonymous, each["access_token"]) for each in signed_in] == [401, 200, 200]
        assert refused(refresh(anonymous, signed_in[0]["refresh_token"])) == REFUSED
        assert refresh(anonymous, signed_in[1]["refresh_token"]).status_code == 200
        assert ended.revoked_at < clock.now()


class TestAtOnce:
    @pytest.fixture
    def rows(self, engine: Engine) -> Any:
        with committed(engine) as rows:
            yield rows
            rows.session.execute(delete(SignInAttempts))
            rows.session.commit()

    @staticmethod
    def session(rows: Committed, user: User, token: str) -> int:
        later = clock.now() + timedelta(days=1)
        made = rows.make(Session, user_id=user.id, expires_at=later)
        rows.make(RefreshToken, session_id=made.id, digest=digest_of(token))
        return made.id

    def test_one_of_two_refreshes_wins(self, rows: Committed, base_url: str) -> None:
        """The other is a reuse: which of them was the thief, nobody can know."""
        user = rows.user()
        client = rows.client(base_url, user)
        del client.headers["Authorization"]
        for number in range(5):
            token = f"{number}-refreshed-twice-at-the-same-time"
            session_id = self.session(rows, user, token)
            with ThreadPoolExecutor(2) as threads:
                answers = list(threads.map(refresh, [client] * 2, [token] * 2))
            assert sorted(each.status_code for each in answers) == [200, 401]
            ended = select(Session.revoked_at).where(Session.id == session_id)
            assert rows.session.execute(ended).scalar_one() is not None
            rows.session.commit()
            (won,) = [each.json() for each in answers if each.status_code == 200]
            assert refresh(client, won["refresh_token"]).status_code == 401

    def test_two_devices_may_end_all_sessions(self, rows: Committed, base_url: str) -> None:
        """Both note that they are in use, and end each other's session: neither waits for ever."""
        user = rows.user()
        client = rows.client(base_url, user)
        for number in range(10):
            mine = [self.session(rows, user, f"{number}-{each}") for each in "ab"]
            long_ago = clock.now() - timedelta(hours=1)
            used = update(Session).where(Session.id.in_(mine)).values(last_activity_at=long_ago)
            rows.session.execute(used)
            rows.session.commit()

            def end_all(session_id: int) -> int:
                token = csrf_token(session_id)
                cookie = f"marquee_session={session_cookie(session_id)}; __csrf={token}"
                headers = {"Cookie": cookie, "X-CSRF-Token": token, "Authorization": ""}
                return client.delete("/sessions", headers=headers).status_code

            with ThreadPoolExecutor(2) as threads:
                assert set(threads.map(end_all, mine)) <= {204, 401}
