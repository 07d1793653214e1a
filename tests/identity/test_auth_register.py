"""POST /auth/register, in its three settings."""

import statistics
import time
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import func, select

from marquee import db
from marquee.audit import Activity
from marquee.identity.auth import passwords
from marquee.identity.auth.models import Session
from marquee.identity.users.models import User
from tests.identity.browsers import bearer, code_of, cookies_of, csrf_pair, signed_in
from tests.identity.conftest import PASSWORD
from tests.letters import Letters

Set = Callable[..., None]
ROBIN = {"email": "Robin@Example.org", "password": PASSWORD}


def robin(**changes: str) -> dict[str, str]:
    return {**ROBIN, **changes}


class TestRegister:
    def test_creates_an_account_and_signs_it_in(
        self, anonymous: httpx.Client, letters: Letters
    ) -> None:
        body = robin(username="robin", display_name="Robin", device_name="My phone")
        answer = anonymous.post("/auth/register", json=body)
        assert answer.status_code == 201
        made = answer.json()
        user = made["user"]
        assert (user["username"], user["email"]) == ("robin", "Robin@Example.org")
        assert (user["display_name"], user["roles"]) == ("Robin", ["user"])
        assert (user["email_verified"], user["is_admin"]) == (False, False)
        me = anonymous.get("/users/me", headers=bearer(made["access_token"]))
        assert me.json()["id"] == user["id"]
        opened = db.session.get(Session, made["session_id"])
        assert opened is not None
        assert opened.device_name == "My phone"
        assert signed_in(anonymous, "robin@example.org")["user"]["id"] == user["id"]

    def test_sends_a_letter_that_confirms_the_address(
        self, anonymous: httpx.Client, letters: Letters
    ) -> None:
        made = anonymous.post("/auth/register", json=robin()).json()
        (letter,) = letters.deliver()
        assert letter["To"] == "Robin@Example.org"
        assert letter["Subject"] == "Confirm your e-mail address"
        assert not made["user"]["email_verified"]

    def test_makes_a_name_from_the_address(
        self, anonymous: httpx.Client, letters: Letters, casey: User
    ) -> None:
        first = anonymous.post("/auth/register", json=robin(email="casey@other.example")).json()
        assert first["user"]["username"].startswith("casey-")
        short = anonymous.post("/auth/register", json=robin(email="x@other.example")).json()
        assert short["user"]["username"] == "user-x"

    def test_sets_cookies_for_a_browser(self, anonymous: httpx.Client, letters: Letters) -> None:
        assert cookies_of(anonymous.post("/auth/register", json=robin())) == {}
        answer = anonymous.post(
            "/auth/register", json=robin(email="a@b.example"), headers=csrf_pair()
        )
        assert set(cookies_of(answer)) == {"marquee_session", "__csrf"}

    def test_a_wrong_csrf_pair(self, anonymous: httpx.Client) -> None:
        answer = anonymous.post("/auth/register", json=robin(), headers={"X-CSRF-Token": "x"})
        assert code_of(answer) == (403, "CSRF_FAILED")

    def test_a_taken_address_or_name(
        self, anonymous: httpx.Client, letters: Letters, casey: User
    ) -> None:
        taken = anonymous.post("/auth/register", json=robin(email="CASEY@example.org"))
        assert code_of(taken) == (409, "EMAIL_TAKEN")
        taken = anonymous.post("/auth/register", json=robin(username="cAsEy"))
        assert code_of(taken) == (409, "USERNAME_TAKEN")
        assert letters.deliver() == []
        assert db.session.scalar(select(func.count()).select_from(User)) == 1

    @pytest.mark.parametrize(
        "password", ["password", "PASSWORD", "12345678", "qwertyuiop", "robin@example.org"]
    )
    def test_a_password_that_everybody_tries(self, anonymous: httpx.Client, password: str) -> None:
        answer = anonymous.post("/auth/register", json=robin(password=password))
        assert code_of(answer) == (422, "WEAK_PASSWORD")

    @pytest.mark.parametrize("password", ["passphrase of letters", "п" * 8, "🎬" * 128, " " * 9])
    def test_any_characters_will_do(
        self, anonymous: httpx.Client, letters: Letters, password: str
    ) -> None:
        assert anonymous.post("/auth/register", json=robin(password=password)).status_code == 201
        signed_in(anonymous, "robin@example.org", password)

    @pytest.mark.parametrize(
        "changes",
        [
            {"password": "1234567"},
            {"password": "x" * 129},
            {"email": "robin"},
            {"email": "robin@localhost"},
            {"email": f"{'x' * 250}@example.org"},
            {"username": "ro"},
            {"username": "robin hood"},
            {"username": "röbin"},
            {"role": "admin"},
            {"is_admin": "true"},
            {"email_verified": "true"},
            {"id": "1"},
        ],
        ids=str,
    )
    def test_what_the_contract_refuses(
        self, anonymous: httpx.Client, changes: dict[str, str]
    ) -> None:
        answer = anonymous.post("/auth/register", json=robin(**changes))
        assert code_of(answer) == (400, "VALIDATION_ERROR")

    def test_tells_the_audit_log(self, anonymous: httpx.Client, letters: Letters) -> None:
        made = anonymous.post("/auth/register", json=robin(username="robin")).json()
        line = db.session.scalars(select(Activity)).one()
        assert (line.action, line.success) == ("user.create", True)
        assert (line.user_id, line.username) == (made["user"]["id"], "robin")
        assert PASSWORD not in str(line.details)

    def test_closed(self, anonymous: httpx.Client, set_variables: Set) -> None:
        set_variables(REGISTRATION="closed")
        answer = anonymous.post("/auth/register", json=robin())
        assert code_of(answer) == (403, "REGISTRATION_CLOSED")
        assert db.session.scalar(select(func.count()).select_from(User)) == 0


class TestRegisterWhereAddressesAreConfirmedFirst:
    @pytest.fixture(autouse=True)
    def verified(self, letters: Letters, set_variables: Set) -> None:
        set_variables(REGISTRATION="verified")

    def test_the_same_answer_for_everybody(
        self, anonymous: httpx.Client, letters: Letters, casey: User
    ) -> None:
        new = anonymous.post("/auth/register", json=robin())
        known = anonymous.post("/auth/register", json=robin(email="casey@example.org"))
        assert (new.status_code, new.json()) == (202, {"ok": True})
        assert (known.status_code, known.json()) == (202, {"ok": True})
        assert new.headers.keys() == known.headers.keys()
        subjects = {letter["To"]: letter["Subject"] for letter in letters.deliver()}
        assert subjects == {
            "Robin@Example.org": "Confirm your e-mail address",
            "Casey@Example.org": "You already have an account",
        }

    def test_nobody_signs_in_before(self, anonymous: httpx.Client, letters: Letters) -> None:
        anonymous.post("/auth/register", json=robin())
        body = {"username": "robin@example.org", "password": PASSWORD}
        answer = anonymous.post("/auth/login", json=body)
        assert code_of(answer) == (403, "EMAIL_NOT_VERIFIED")
        assert anonymous.post("/auth/login", json=body | {"password": "wrong"}).status_code == 401
        confirmed = anonymous.post("/auth/verify-email", json={"token": letters.token()})
        assert confirmed.status_code == 204
        assert signed_in(anonymous, "robin@example.org")["user"]["email_verified"] is True

    def test_takes_as_long_for_a_known_address(self, anonymous: httpx.Client, casey: User) -> None:
        """Medians of interleaved calls, in CPU seconds: a hash left out would be 100 %."""
        took: dict[str, list[float]] = {"new": [], "known": []}
        for number in range(9):
            for kind, times in took.items():
                email = f"{number}@new.example" if kind == "new" else "casey@example.org"
                started = time.process_time()
                anonymous.post("/auth/register", json=robin(email=email))
                times.append(time.process_time() - started)
        started = time.process_time()
        passwords.fits("wrong", None)
        hashing = time.process_time() - started
        new, known = map(statistics.median, took.values())
        assert abs(new - known) < hashing / 2
