"""Signing in with an account of the media server: openapi/identity/auth.yaml, `provider`."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, delete, select
from structlog.testing import capture_logs

from marquee import db
from marquee.audit import Activity
from marquee.identity.auth.models import Session, SignInAttempts
from marquee.identity.users.models import User
from marquee.identity.users.service import roles_of
from marquee.services import media_server
from tests.answers import refused
from tests.authenticators import totp
from tests.committed import Committed, committed
from tests.fakes.exchange import Asked, Reply
from tests.fakes.jellyfin import FakeJellyfin, Person
from tests.identity.browsers import bearer
from tests.identity.factors import done, enable, set_up_app
from tests.serving import serving_with

Make = Callable[..., Any]
PASSWORD = "the password of Élodie"
ELODIE = Person("Élodie Durand", PASSWORD, max_parental_rating=10)
ROOT = Person("root", "the password of root", is_admin=True)
GONE = Person("gone", "the password of who is gone", is_disabled=True)
OPEN = Person("open", "")
WRONG = {
    "error": {
        "code": "INVALID_CREDENTIALS",
        "message": "There is no account with this name and password.",
    }
}


@pytest.fixture
def fake(set_variables: Callable[..., None]) -> Iterator[FakeJellyfin]:
    """The media server that the settings name."""
    with FakeJellyfin(ELODIE, ROOT, GONE, OPEN) as fake:
        set_variables(MEDIA_SERVER_URL=fake.url, MEDIA_SERVER_TIMEOUT="0.5")
        yield fake
        media_server.of.cache_clear()


@pytest.fixture
def sign_in(anonymous: httpx.Client) -> Callable[..., httpx.Response]:
    """Sign in with an account of the media server."""

    def sign_in(
        person: Person = ELODIE, password: str | None = None, **more: Any
    ) -> httpx.Response:
        body = {
            "username": person.name,
            "password": person.password if password is None else password,
            "provider": "media_server",
        }
        return anonymous.post("/auth/login", json=body | more)

    return sign_in


SignIn = Callable[..., httpx.Response]


def account_of(person: Person) -> User:
    return db.session.scalars(select(User).where(User.provider_user_id == person.id)).one()


def lines(action: str) -> list[Activity]:
    query = select(Activity).where(Activity.action == action).order_by(Activity.id)
    return list(db.session.scalars(query))


def roles(user: User) -> list[str]:
    return [role.name for role in roles_of(user.id)]


def counts() -> dict[str, int]:
    query = select(SignInAttempts.key, SignInAttempts.count).where(SignInAttempts.count > 0)
    return {row.key: row.count for row in db.session.execute(query)}


class TestLogin:
    def test_makes_an_account_at_first(
        self, fake: FakeJellyfin, sign_in: SignIn, anonymous: httpx.Client
    ) -> None:
        answer = sign_in(device_name="My television")
        assert answer.status_code == 200
        user = answer.json()["user"]
        assert (user["username"], user["display_name"]) == ("lodie-Durand", "Élodie Durand")
        assert (user["provider"], user["email"], user["roles"]) == ("jellyfin", None, ["user"])
        token = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert anonymous.get("/users/me", headers=token).json()["id"] == user["id"]
        account = account_of(ELODIE)
        assert (account.max_parental_rating, account.password_hash) == (10, None)
        opened = db.session.get(Session, answer.json()["session_id"])
        assert opened is not None
        assert (opened.method, opened.device_name) == ("media_server", "My television")
        assert fake.tokens == {}
        (line,) = lines("user.login")
        assert (line.user_id, line.success) == (user["id"], True)

    def test_finds_it_again(self, fake: FakeJellyfin, sign_in: SignIn) -> None:
        first, second = sign_in().json(), sign_in().json()
        assert first["user"]["id"] == second["user"]["id"]
        fake.change(ELODIE, name="Somebody else")
        third = sign_in(Person("somebody ELSE", PASSWORD)).json()
        assert third["user"]["username"] == first["user"]["username"]

    def test_speaks_to_emby(
        self, set_variables: Callable[..., None], sign_in: SignIn, fake: FakeJellyfin
    ) -> None:
        with FakeJellyfin(ELODIE, kind="emby") as emby:
            set_variables(MEDIA_SERVER_URL=emby.url, MEDIA_SERVER_KIND="emby")
            by_emby = sign_in().json()["user"]
        set_variables(MEDIA_SERVER_URL=fake.url, MEDIA_SERVER_KIND="jellyfin")
        by_jellyfin = sign_in().json()["user"]
        assert (by_emby["provider"], by_jellyfin["provider"]) == ("emby", "jellyfin")
        assert by_emby["id"] != by_jellyfin["id"]

    @pytest.mark.parametrize("name", ["root", "ROOT"])
    def test_never_takes_a_local_account_over(
        self, fake: FakeJellyfin, sign_in: SignIn, make_user: Make, name: str
    ) -> None:
        local = make_user("user", username=name, email="root", password_hash="x")
        user = sign_in(ROOT).json()["user"]
        assert user["id"] != local.id
        assert user["username"].startswith("root-")
        db.session.refresh(local)
        assert (local.provider, local.provider_user_id, roles(local)) == ("local", None, ["user"])

    def test_is_no_local_account(
        self, fake: FakeJellyfin, sign_in: SignIn, anonymous: httpx.Client
    ) -> None:
        name = sign_in().json()["user"]["username"]
        local = {"username": name, "password": PASSWORD}
        assert anonymous.post("/auth/login", json=local).json() == WRONG
        assert anonymous.post("/auth/login", json=local | {"provider": "local"}).status_code == 401

    def test_is_open_where_registration_is_closed(
        self, fake: FakeJellyfin, sign_in: SignIn, set_variables: Callable[..., None]
    ) -> None:
        set_variables(REGISTRATION="closed")
        assert sign_in().status_code == 200

    def test_follows_who_administers(self, fake: FakeJellyfin, sign_in: SignIn, admin: Any) -> None:
        assert sign_in().json()["user"]["roles"] == ["user"]
        fake.change(ELODIE, is_admin=True)
        promoted = sign_in().json()["user"]
        assert (promoted["roles"], promoted["is_admin"]) == (["admin", "user"], True)
        assert sign_in().json()["user"]["roles"] == ["admin", "user"]
        fake.change(ELODIE, is_admin=False)
        assert sign_in().json()["user"]["roles"] == ["user"]
        given, taken = lines("admin.role.assign"), lines("admin.role.revoke")
        assert [len(given), len(taken)] == [1, 1]
        assert (given[0].user_id, given[0].resource_id) == (promoted["id"], "admin")
        assert taken[0].details == {"user_id": str(promoted["id"]), "provider": "jellyfin"}

    def test_a_demotion_holds_for_open_sessions(
        self, fake: FakeJellyfin, sign_in: SignIn, anonymous: httpx.Client, admin: Any
    ) -> None:
        fake.change(ELODIE, is_admin=True)
        old = {"Authorization": f"Bearer {sign_in().json()['access_token']}"}
        fake.change(ELODIE, is_admin=False)
        sign_in()
        assert anonymous.get("/users/me", headers=old).json()["is_admin"] is False

    def test_leaves_the_last_administrator(self, fake: FakeJellyfin, sign_in: SignIn) -> None:
        sign_in(ROOT)
        fake.change(ROOT, is_admin=False)
        with capture_logs() as logged:
            user = sign_in(ROOT).json()["user"]
        assert user["roles"] == ["admin", "user"]
        kept = [entry for entry in logged if entry["event"] == "last_admin_kept"]
        assert [entry["user_id"] for entry in kept] == [user["id"]]
        assert lines("admin.role.revoke") == []

    def test_follows_the_parental_rating(self, fake: FakeJellyfin, sign_in: SignIn) -> None:
        sign_in()
        for rating in (18, 0, None):
            fake.change(ELODIE, max_parental_rating=rating)
            sign_in()
            account = account_of(ELODIE)
            db.session.refresh(account)
            assert account.max_parental_rating == rating

    @pytest.mark.parametrize(
        "person,password",
        [(ELODIE, "wrong"), (Person("nobody", "x"), "x"), (GONE, GONE.password), (GONE, "wrong")],
    )
    def test_refuses_all_alike(
        self, fake: FakeJellyfin, sign_in: SignIn, person: Person, password: str
    ) -> None:
        answer = sign_in(person, password)
        assert (answer.status_code, answer.json()) == (401, WRONG)
        assert db.session.scalars(select(User)).all() == []
        (line,) = lines("user.login")
        assert (line.success, line.error_code) == (False, "INVALID_CREDENTIALS")

    def test_refuses_who_is_disabled_here(self, fake: FakeJellyfin, sign_in: SignIn) -> None:
        sign_in()
        account_of(ELODIE).is_active = False
        db.session.commit()
        fake.change(ELODIE, is_admin=True)
        answer = sign_in()
        assert (answer.status_code, answer.json()) == (401, WRONG)
        assert roles(account_of(ELODIE)) == ["user"]

    def test_refuses_who_was_disabled_there(self, fake: FakeJellyfin, sign_in: SignIn) -> None:
        sign_in()
        fake.change(ELODIE, is_disabled=True)
        assert sign_in().json() == WRONG

    def test_counts_failures_as_others(
        self,
        fake: FakeJellyfin,
        sign_in: SignIn,
        anonymous: httpx.Client,
        set_variables: Callable[..., None],
    ) -> None:
        set_variables(SIGN_IN_ATTEMPTS="5")
        for _ in range(5):
            assert sign_in(password="wrong").status_code == 401
        locked = sign_in(Person(f" {ELODIE.name.upper()}", PASSWORD))
        assert refused(locked) == (429, "RATE_LIMITED")
        assert 0 < int(locked.headers["Retry-After"]) <= 900
        assert len(fake.seen) == 5
        # The address is locked for local accounts too.
        local = anonymous.post("/auth/login", json={"username": "casey", "password": "wrong"})
        assert local.status_code == 429

    def test_success_forgets_them(self, fake: FakeJellyfin, sign_in: SignIn) -> None:
        for _ in range(3):
            sign_in(password="wrong")
            assert sign_in().status_code == 200
        assert counts() == {"address:127.0.0.1": 3}

    def test_wrong_passwords_of_one_shut_nobody_out(
        self, fake: FakeJellyfin, sign_in: SignIn, set_variables: Callable[..., None]
    ) -> None:
        set_variables(SIGN_IN_ATTEMPTS="100")
        assert {sign_in(password="wrong").status_code for _ in range(8)} == {401}
        assert sign_in(ROOT).status_code == 200

    def test_an_empty_password_is_refused(
        self, fake: FakeJellyfin, sign_in: SignIn, anonymous: httpx.Client
    ) -> None:
        by_server = sign_in(OPEN)
        local = anonymous.post("/auth/login", json={"username": "open", "password": ""})
        for answer in (by_server, local):
            assert refused(answer) == (400, "VALIDATION_ERROR")
            (error,) = answer.json()["error"]["details"]["errors"]
            assert (error["in"], error["path"]) == ("body", "/password")
        assert (fake.seen, counts()) == ([], {})

    def test_an_empty_password_can_be_allowed(
        self,
        fake: FakeJellyfin,
        sign_in: SignIn,
        anonymous: httpx.Client,
        set_variables: Callable[..., None],
    ) -> None:
        set_variables(ALLOW_PASSWORDLESS_LOGIN="true")
        assert sign_in(OPEN).status_code == 200
        assert sign_in(ELODIE, "").json() == WRONG
        local = anonymous.post("/auth/login", json={"username": "open", "password": ""})
        assert local.status_code == 400

    def test_is_503_where_there_is_none(self, sign_in: SignIn) -> None:
        answer = sign_in()
        assert refused(answer) == (503, "NOT_CONFIGURED")
        assert answer.headers["Retry-After"] == "3600"
        assert counts() == {}

    @pytest.mark.parametrize(
        "fault", ["status", "reset", "html", "wrong_types", "huge", "redirect"]
    )
    def test_is_503_where_it_fails(self, fake: FakeJellyfin, sign_in: SignIn, fault: str) -> None:
        fake.breaks(fault)
        answer = sign_in()
        assert refused(answer) == (503, "EXTERNAL_API_ERROR")
        assert int(answer.headers["Retry-After"]) >= 1
        assert PASSWORD not in answer.text

    def test_is_503_where_nobody_listens(self, fake: FakeJellyfin, sign_in: SignIn) -> None:
        fake.stop()
        assert refused(sign_in()) == (503, "EXTERNAL_API_ERROR")

    def test_is_504_where_it_is_slow(self, fake: FakeJellyfin, sign_in: SignIn) -> None:
        fake.breaks("slow", seconds=5)
        started = time.perf_counter()
        answer = sign_in()
        assert refused(answer) == (504, "EXTERNAL_API_TIMEOUT")
        assert int(answer.headers["Retry-After"]) >= 1
        assert time.perf_counter() - started < 2

    def test_its_failures_are_not_counted(
        self, fake: FakeJellyfin, sign_in: SignIn, set_variables: Callable[..., None]
    ) -> None:
        fake.breaks("status", times=4)
        assert [sign_in().status_code for _ in range(4)] == [503] * 4
        assert counts() == {}
        assert sign_in().status_code == 200

    def test_asks_for_the_second_factor(
        self,
        fake: FakeJellyfin,
        sign_in: SignIn,
        anonymous: httpx.Client,
        client_of: Callable[..., httpx.Client],
    ) -> None:
        owner = client_of(None)
        owner.headers.update(bearer(sign_in().json()["access_token"]))
        secret = set_up_app(owner)
        enable(owner)
        answer = sign_in(device_name="My television")
        assert refused(answer) == (401, "MFA_REQUIRED")
        body = {
            "challenge": answer.json()["error"]["details"]["challenge"],
            "code": totp(secret),
        }
        opened = db.session.get(
            Session, done(anonymous.post("/auth/login/mfa", json=body))["session_id"]
        )
        assert opened is not None
        assert (opened.method, opened.device_name) == ("media_server", "My television")
        assert refused(sign_in(mfa_code=body["code"])) == (401, "INVALID_CODE")
        assert sign_in(mfa_code=totp(secret, 1)).status_code == 200

    def test_keeps_the_password_to_itself(self, fake: FakeJellyfin, sign_in: SignIn) -> None:
        with capture_logs() as logged:
            sign_in()
            sign_in(password="a wrong password")
            fake.breaks("status")
            sign_in()
        written = str(logged) + str([vars(line) for line in lines("user.login")])
        assert PASSWORD not in written
        assert "a wrong password" not in written


class TestAtOnce:
    """On a server of its own with real transactions."""

    @pytest.fixture
    def real(self, engine: Engine) -> Iterator[Committed]:
        with committed(engine) as made:
            yield made
            mine = select(User.id).where(User.provider_user_id.in_([ELODIE.id, ROOT.id]))
            made.users.extend(made.session.scalars(mine))
            made.session.execute(delete(SignInAttempts))
            made.session.commit()

    def test_two_first_sign_ins_make_one_account(self, fake: FakeJellyfin, real: Committed) -> None:
        body = {"username": ELODIE.name, "password": PASSWORD, "provider": "media_server"}
        answers: list[httpx.Response] = []
        with serving_with() as url:

            def sign_in() -> None:
                answers.append(httpx.post(f"{url}/api/v1/auth/login", json=body, timeout=20))

            threads = [threading.Thread(target=sign_in) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert [answer.status_code for answer in answers] == [200] * 4
        assert len({answer.json()["user"]["id"] for answer in answers}) == 1

    def test_no_connection_is_held_meanwhile(
        self, engine: Engine, real: Committed, set_variables: Callable[..., None]
    ) -> None:
        held: list[int] = []

        class Watching(FakeJellyfin):
            def answer(self, asked: Asked) -> Reply:
                held.append(engine.pool.checkedout())  # type: ignore[attr-defined]
                return super().answer(asked)

        with Watching(ROOT) as fake, serving_with() as url:
            set_variables(MEDIA_SERVER_URL=fake.url)
            before = engine.pool.checkedout()  # type: ignore[attr-defined]
            body = {"username": "root", "password": ROOT.password, "provider": "media_server"}
            answer = httpx.post(f"{url}/api/v1/auth/login", json=body, timeout=20)
        assert answer.status_code == 200
        assert held == [before, before]
