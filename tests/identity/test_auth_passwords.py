"""Forgotten passwords, changed ones, and confirmed addresses."""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from marquee import clock, db
from marquee.audit import Activity
from marquee.identity.auth import passwords
from marquee.identity.auth.models import OneTimeToken
from marquee.identity.users.models import User
from tests.identity.browsers import bearer, code_of, credentials, csrf_pair, signed_in
from tests.identity.conftest import PASSWORD
from tests.letters import Letters

Set = Callable[..., None]
NEW = "seven purple bicycles"
UNKNOWN = "k3v9pWQm0sYt8bN5cX2jHfRzLdE7aUo4iGq6wTyPnBM"


def expire() -> None:
    """Let the time of all tokens be over."""
    past = clock.now() - timedelta(minutes=1)
    db.session.execute(update(OneTimeToken).values(expires_at=past))
    db.session.commit()


def change(user: User, **values: object) -> None:
    """Change an account, whatever transaction it was read in."""
    db.session.execute(update(User).where(User.id == user.id).values(**values))
    db.session.commit()


class TestForgotPassword:
    @pytest.mark.parametrize("email", ["casey@example.org", "nobody@example.org"])
    def test_answers_all_alike(
        self, anonymous: httpx.Client, letters: Letters, casey: User, email: str
    ) -> None:
        answer = anonymous.post("/auth/forgot-password", json={"email": email})
        assert (answer.status_code, answer.json()) == (202, {"ok": True})
        assert len(letters.deliver()) == (email == "casey@example.org")

    def test_takes_as_long_for_nobody(
        self, anonymous: httpx.Client, letters: Letters, casey: User
    ) -> None:
        took: dict[str, list[float]] = {"casey@example.org": [], "nobody@example.org": []}
        for _ in range(15):
            for email, times in took.items():
                started = time.perf_counter()
                anonymous.post("/auth/forgot-password", json={"email": email})
                times.append(time.perf_counter() - started)
        known, unknown = map(statistics.median, took.values())
        assert abs(known - unknown) < max(known, unknown) / 2

    def test_the_token_is_in_no_answer_and_no_log(
        self, anonymous: httpx.Client, letters: Letters, casey: User
    ) -> None:
        answer = anonymous.post("/auth/forgot-password", json={"email": casey.email})
        token = letters.token()
        assert token not in answer.text + str(answer.headers)
        lines = db.session.scalars(select(Activity)).all()
        assert [line.action for line in lines] == ["user.forgot_password"]
        assert token not in str([line.details for line in lines])
        stored = db.session.scalars(select(OneTimeToken)).one()
        assert token.encode() not in stored.digest

    def test_a_wrong_csrf_pair(self, anonymous: httpx.Client) -> None:
        body = {"email": "casey@example.org"}
        answer = anonymous.post("/auth/forgot-password", json=body, headers={"X-CSRF-Token": "x"})
        assert code_of(answer) == (403, "CSRF_FAILED")


class TestResetPassword:
    @pytest.fixture
    def token(self, anonymous: httpx.Client, letters: Letters, casey: User) -> str:
        """What Casey's letter carries."""
        anonymous.post("/auth/forgot-password", json={"email": casey.email})
        return letters.token()

    def reset(self, client: httpx.Client, token: str, password: str = NEW) -> httpx.Response:
        body = {"token": token, "new_password": password}
        return client.post("/auth/reset-password", json=body)

    def test_replaces_the_password_and_ends_all_sessions(
        self, anonymous: httpx.Client, token: str, letters: Letters, casey: User
    ) -> None:
        before = signed_in(anonymous)
        answer = self.reset(anonymous, token)
        assert (answer.status_code, answer.json()) == (200, {"ok": True})
        assert anonymous.get("/users/me", headers=bearer(before["access_token"])).status_code == 401
        refreshed = anonymous.post("/auth/refresh", json={"refresh_token": before["refresh_token"]})
        assert refreshed.status_code == 401
        assert anonymous.post("/auth/login", json=credentials()).status_code == 401
        user = signed_in(anonymous, password=NEW)["user"]
        assert user["email_verified"] is True
        assert [each["Subject"] for each in letters.deliver()] == ["Your password was changed"]

    def test_is_good_once(self, anonymous: httpx.Client, token: str) -> None:
        assert self.reset(anonymous, token).status_code == 200
        again = self.reset(anonymous, token, "another good password")
        assert code_of(again) == (400, "INVALID_OR_EXPIRED_TOKEN")
        signed_in(anonymous, password=NEW)

    def test_ends_the_other_letters(
        self, anonymous: httpx.Client, token: str, letters: Letters, casey: User
    ) -> None:
        anonymous.post("/auth/forgot-password", json={"email": casey.email})
        other = letters.token()
        assert self.reset(anonymous, token).status_code == 200
        assert code_of(self.reset(anonymous, other)) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_a_refused_password_leaves_the_token(self, anonymous: httpx.Client, token: str) -> None:
        assert code_of(self.reset(anonymous, token, "password1")) == (422, "WEAK_PASSWORD")
        assert self.reset(anonymous, token).status_code == 200

    def test_unknown_and_expired_tokens(self, anonymous: httpx.Client, token: str) -> None:
        assert code_of(self.reset(anonymous, UNKNOWN)) == (400, "INVALID_OR_EXPIRED_TOKEN")
        expire()
        assert code_of(self.reset(anonymous, token)) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_a_token_of_another_purpose(
        self, anonymous: httpx.Client, token: str, letters: Letters
    ) -> None:
        answer = anonymous.post("/auth/verify-email", json={"token": token})
        assert code_of(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_a_disabled_account_and_a_changed_address(
        self, anonymous: httpx.Client, token: str, casey: User
    ) -> None:
        change(casey, is_active=False)
        assert code_of(self.reset(anonymous, token)) == (400, "INVALID_OR_EXPIRED_TOKEN")
        change(casey, is_active=True, email="other@example.org")
        assert code_of(self.reset(anonymous, token)) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_opens_a_locked_account(
        self, anonymous: httpx.Client, token: str, set_variables: Set
    ) -> None:
        set_variables(SIGN_IN_ATTEMPTS="2")
        wrong = [
            anonymous.post("/auth/login", json=credentials(password="wrong")).status_code
            for _ in range(3)
        ]
        assert wrong == [401, 401, 429]
        assert self.reset(anonymous, token).status_code == 200
        # The address's own count is not forgotten, nor made smaller.
        assert anonymous.post("/auth/login", json=credentials(password=NEW)).status_code == 429
        set_variables(SIGN_IN_ATTEMPTS="5")
        signed_in(anonymous, password=NEW)

    def test_a_wrong_csrf_pair(self, anonymous: httpx.Client) -> None:
        body = {"token": UNKNOWN, "new_password": NEW}
        answer = anonymous.post("/auth/reset-password", json=body, headers={"X-CSRF-Token": "x"})
        assert code_of(answer) == (403, "CSRF_FAILED")


class TestVerifyEmail:
    @pytest.fixture
    def token(self, anonymous: httpx.Client, letters: Letters, casey: User) -> str:
        """What Casey's letter carries."""
        token = bearer(signed_in(anonymous)["access_token"])
        assert anonymous.post("/auth/resend-verification", headers=token).status_code == 204
        return letters.token()

    def test_confirms_the_address_once(
        self, anonymous: httpx.Client, token: str, casey: User
    ) -> None:
        assert anonymous.post("/auth/verify-email", json={"token": token}).status_code == 204
        assert signed_in(anonymous)["user"]["email_verified"] is True
        again = anonymous.post("/auth/verify-email", json={"token": token})
        assert code_of(again) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_not_another_address(self, anonymous: httpx.Client, token: str, casey: User) -> None:
        change(casey, email="other@example.org")
        answer = anonymous.post("/auth/verify-email", json={"token": token})
        assert code_of(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")
        assert signed_in(anonymous)["user"]["email_verified"] is False

    def test_unknown_and_expired_tokens(self, anonymous: httpx.Client, token: str) -> None:
        answer = anonymous.post("/auth/verify-email", json={"token": UNKNOWN})
        assert code_of(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")
        expire()
        answer = anonymous.post("/auth/verify-email", json={"token": token})
        assert code_of(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")


class TestResendVerification:
    def test_sends_another_letter(
        self, anonymous: httpx.Client, letters: Letters, casey: User
    ) -> None:
        token = bearer(signed_in(anonymous)["access_token"])
        for _ in range(2):
            assert anonymous.post("/auth/resend-verification", headers=token).status_code == 204
        assert len(letters.deliver()) == 2

    def test_not_for_a_confirmed_address(
        self, client: httpx.Client, letters: Letters, me: User
    ) -> None:
        me.email_verified = True
        db.session.commit()
        assert client.post("/auth/resend-verification").status_code == 204
        assert letters.deliver() == []

    def test_not_for_nobody(self, anonymous: httpx.Client) -> None:
        assert anonymous.post("/auth/resend-verification").status_code == 401


class TestChangePassword:
    def change(
        self, client: httpx.Client, token: str, old: str = PASSWORD, new: str = NEW
    ) -> httpx.Response:
        body = {"old_password": old, "new_password": new}
        return client.post("/auth/change-password", json=body, headers=bearer(token))

    def test_replaces_it_and_ends_the_other_sessions(
        self, anonymous: httpx.Client, letters: Letters, casey: User
    ) -> None:
        here, there = signed_in(anonymous), signed_in(anonymous)
        assert self.change(anonymous, here["access_token"]).status_code == 204
        assert anonymous.get("/users/me", headers=bearer(there["access_token"])).status_code == 401
        refresh = {"refresh_token": there["refresh_token"]}
        assert anonymous.post("/auth/refresh", json=refresh).status_code == 401
        assert anonymous.get("/users/me", headers=bearer(here["access_token"])).status_code == 200
        assert anonymous.post("/auth/login", json=credentials()).status_code == 401
        signed_in(anonymous, password=NEW)
        assert [each["Subject"] for each in letters.deliver()] == ["Your password was changed"]

    def test_a_wrong_old_password_is_a_failed_attempt(
        self, anonymous: httpx.Client, casey: User, set_variables: Set
    ) -> None:
        token = signed_in(anonymous)["access_token"]
        set_variables(SIGN_IN_ATTEMPTS="2")
        answers = [self.change(anonymous, token, "wrong") for _ in range(3)]
        assert [each.status_code for each in answers] == [401, 401, 429]
        assert answers[0].json()["error"]["code"] == "INVALID_CREDENTIALS"
        assert int(answers[2].headers["retry-after"]) > 800

    def test_a_weak_one(self, anonymous: httpx.Client, casey: User) -> None:
        token = signed_in(anonymous)["access_token"]
        for weak in ("password1", "casey@example.org"):
            assert code_of(self.change(anonymous, token, new=weak)) == (422, "WEAK_PASSWORD")

    def test_not_by_an_api_key(
        self, anonymous: httpx.Client, key_of: Callable[..., str], casey: User
    ) -> None:
        assert self.change(anonymous, key_of(casey)).status_code == 401


class TestLockOut:
    @pytest.fixture(autouse=True)
    def five(self, set_variables: Set) -> None:
        """The default, which the tests' environment lifts."""
        set_variables(SIGN_IN_ATTEMPTS=None)

    @pytest.mark.parametrize("name", ["Casey", "nobody"])
    def test_five_failures_lock_for_a_quarter_of_an_hour(
        self, anonymous: httpx.Client, casey: User, name: str
    ) -> None:
        wrong = credentials(name, "wrong")
        statuses = [anonymous.post("/auth/login", json=wrong).status_code for _ in range(6)]
        assert statuses == [401, 401, 401, 401, 401, 429]
        locked = anonymous.post("/auth/login", json=credentials(name))
        assert code_of(locked) == (429, "RATE_LIMITED")
        assert 890 < int(locked.headers["retry-after"]) <= 900

    def test_by_address_whatever_the_account(self, anonymous: httpx.Client, casey: User) -> None:
        for number in range(5):
            guess = credentials(f"nobody-{number}", "wrong")
            assert anonymous.post("/auth/login", json=guess).status_code == 401
        assert anonymous.post("/auth/login", json=credentials()).status_code == 429

    def test_by_account_whatever_the_name(self, anonymous: httpx.Client, casey: User) -> None:
        names = ["Casey", "casey", "casey@example.org", "CASEY", "Casey@Example.org", "casey"]
        statuses = [
            anonymous.post("/auth/login", json=credentials(name, "wrong")).status_code
            for name in names
        ]
        assert statuses[-1] == 429

    def test_success_forgets_failures(self, anonymous: httpx.Client, casey: User) -> None:
        for _ in range(2):
            anonymous.post("/auth/login", json=credentials(password="wrong"))
        for _ in range(6):
            signed_in(anonymous)

    def test_opens_again(self, anonymous: httpx.Client, casey: User) -> None:
        from marquee.identity.auth.models import SignInAttempts  # noqa: PLC0415

        for _ in range(6):
            anonymous.post("/auth/login", json=credentials(password="wrong"))
        past = clock.now() - timedelta(minutes=1)
        db.session.execute(update(SignInAttempts).values(ends_at=past))
        db.session.commit()
        signed_in(anonymous)

    def test_failures_of_browsers_count_alike(self, anonymous: httpx.Client, casey: User) -> None:
        wrong = credentials(password="wrong")
        for _ in range(5):
            anonymous.post("/auth/login", json=wrong, headers=csrf_pair())
        assert anonymous.post("/auth/login", json=credentials()).status_code == 429


def test_hashes_of_other_parameters_are_made_anew(anonymous: httpx.Client, casey: User) -> None:
    from argon2 import PasswordHasher  # noqa: PLC0415

    casey.password_hash = PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD)
    db.session.commit()
    signed_in(anonymous)
    db.session.refresh(casey)
    assert casey.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.fits(PASSWORD, casey.password_hash)
