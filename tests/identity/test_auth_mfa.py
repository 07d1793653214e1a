"""openapi/identity/auth.yaml: signing in where a second factor is asked for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, delete, select, update

from marquee import clock, db
from marquee.audit import Activity
from marquee.identity.auth import one_time, service
from marquee.identity.auth.models import OneTimeToken, Session, SignInAttempts
from marquee.identity.mfa.models import BackupCode
from marquee.identity.users.models import User
from tests.answers import refused
from tests.authenticators import Device, totp, with_client_data
from tests.identity.browsers import bearer, cookies_of, credentials, csrf_pair, signed_in
from tests.identity.conftest import PASSWORD
from tests.identity.factors import (
    AT_ONCE,
    at_once,
    challenged,
    done,
    enable,
    really,
    set_up_app,
    set_up_codes,
    set_up_passkey,
)

Call = Callable[..., Any]


@pytest.fixture
def secret(account: httpx.Client) -> str:
    """That of Casey's app, whose codes are asked for."""
    secret = set_up_app(account)
    enable(account)
    return secret


def login(client: httpx.Client, code: str, **more: Any) -> httpx.Response:
    return client.post("/auth/login", json=credentials() | {"mfa_code": code} | more)


def complete(client: httpx.Client, challenge: str, **proof: Any) -> httpx.Response:
    return client.post("/auth/login/mfa", json={"challenge": challenge} | proof)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def sessions_of(user: User) -> int:
    return len(db.session.scalars(select(Session).where(Session.user_id == user.id)).all())


class TestLogin:
    def test_the_password_alone_opens_nothing(
        self, anonymous: httpx.Client, casey: User, secret: str
    ) -> None:
        before = sessions_of(casey)
        details = challenged(anonymous)
        assert set(details) == {"challenge", "methods", "expires_in"}
        assert (details["methods"], details["expires_in"]) == (["totp"], 300)
        answer = anonymous.post("/auth/login", json=credentials(), headers=csrf_pair())
        assert "set-cookie" not in answer.headers
        assert sessions_of(casey) == before

    def test_a_wrong_password_is_not_told_of_it(self, anonymous: httpx.Client, secret: str) -> None:
        for more in ({}, {"mfa_code": totp(secret)}):
            answer = anonymous.post("/auth/login", json=credentials(password="wrong") | more)
            assert refused(answer) == (401, "INVALID_CREDENTIALS")
            assert "details" not in answer.json()["error"]

    def test_takes_both_at_once(self, anonymous: httpx.Client, casey: User, secret: str) -> None:
        opened = done(login(anonymous, totp(secret)))
        assert opened["user"]["id"] == casey.id
        assert opened["user"]["mfa_enabled"] is True

    def test_takes_a_backup_code_once_however_it_is_written(
        self, account: httpx.Client, anonymous: httpx.Client, secret: str
    ) -> None:
        one, two, three, *_ = set_up_codes(account)
        for code in (one, two.upper(), three.replace("-", "")):
            done(login(anonymous, code))
            assert refused(login(anonymous, code)) == (401, "INVALID_CODE")
        assert done(account.get("/mfa/status"))["unused_backup_codes"] == 7

    def test_takes_no_code_twice(self, anonymous: httpx.Client, secret: str) -> None:
        code = totp(secret)
        done(login(anonymous, code))
        assert refused(login(anonymous, code)) == (401, "INVALID_CODE")
        challenge = challenged(anonymous)["challenge"]
        assert refused(complete(anonymous, challenge, code=code)) == (401, "INVALID_CODE")

    def test_takes_nobody_elses_codes(
        self, account: httpx.Client, anonymous: httpx.Client, secret: str, make: Call
    ) -> None:
        codes = set_up_codes(account)
        other = make(User, mfa_enabled=True, password_hash=self.hash_of(account))
        db.session.execute(update(BackupCode).values(user_id=other.id))
        db.session.commit()
        assert refused(login(anonymous, codes[0])) == (401, "INVALID_CODE")
        body = {"username": other.username, "password": PASSWORD, "mfa_code": codes[0]}
        assert refused(anonymous.post("/auth/login", json=body)) == (401, "INVALID_CODE")

    @staticmethod
    def hash_of(account: httpx.Client) -> str:
        known = db.session.get(User, account.get("/users/me").json()["id"])
        assert known is not None
        assert known.password_hash is not None
        return known.password_hash

    @pytest.mark.parametrize("code", ["", "12345", "abcdef", "0000-0000-0000-000g", "1" * 16 + "0"])
    def test_refuses_what_is_no_code(self, anonymous: httpx.Client, secret: str, code: str) -> None:
        assert refused(login(anonymous, code)) == (400, "VALIDATION_ERROR")

    def test_a_code_that_nobody_asks_for_is_ignored(
        self, anonymous: httpx.Client, casey: User
    ) -> None:
        done(login(anonymous, "123456"))

    def test_the_right_password_does_not_begin_the_count_of_guesses_anew(
        self, anonymous: httpx.Client, secret: str, set_variables: Call
    ) -> None:
        set_variables(SIGN_IN_ATTEMPTS="5")
        code = totp(secret)
        for _ in range(5):
            assert refused(login(anonymous, wrong(code))) == (401, "INVALID_CODE")
            # Another address, as far as the count of addresses goes.
            addresses = SignInAttempts.key.like("address:%")
            db.session.execute(delete(SignInAttempts).where(addresses))
            db.session.commit()
        assert refused(login(anonymous, code)) == (429, "RATE_LIMITED")
        challenge = challenged(anonymous)["challenge"]
        answer = complete(anonymous, challenge, code=code)
        assert refused(answer) == (429, "RATE_LIMITED")
        assert int(answer.headers["retry-after"]) <= 900

    def test_is_audited(self, anonymous: httpx.Client, casey: User, secret: str) -> None:
        challenged(anonymous)
        login(anonymous, wrong(totp(secret)))
        done(login(anonymous, totp(secret)))
        query = select(Activity).where(Activity.action == "user.login").order_by(Activity.id)
        lines = db.session.scalars(query).all()[-3:]
        assert [line.error_code for line in lines] == ["MFA_REQUIRED", "INVALID_CODE", None]
        assert {line.user_id for line in lines} == {casey.id}


class TestCompleteLogin:
    def test_opens_the_session_that_was_asked_for(
        self, anonymous: httpx.Client, casey: User, secret: str
    ) -> None:
        body = credentials() | {"device_name": "My laptop"}
        error = anonymous.post("/auth/login", json=body).json()["error"]
        opened = done(complete(anonymous, error["details"]["challenge"], code=totp(secret)))
        session = db.session.get_one(Session, opened["session_id"])
        assert (session.user_id, session.device_name) == (casey.id, "My laptop")
        assert session.method == "password"
        me = anonymous.get("/users/me", headers=bearer(opened["access_token"]))
        assert me.json()["id"] == casey.id

    def test_sets_the_cookies_of_a_browser(self, anonymous: httpx.Client, secret: str) -> None:
        challenge = challenged(anonymous)["challenge"]
        body = {"challenge": challenge, "code": totp(secret)}
        answer = anonymous.post("/auth/login/mfa", json=body, headers=csrf_pair())
        assert answer.status_code == 200
        assert set(cookies_of(answer)) == {"marquee_session", "__csrf"}

    def test_refuses_half_a_csrf_pair(self, anonymous: httpx.Client, secret: str) -> None:
        body = {"challenge": challenged(anonymous)["challenge"], "code": totp(secret)}
        answer = anonymous.post("/auth/login/mfa", json=body, headers={"X-CSRF-Token": "made-up"})
        assert refused(answer) == (403, "CSRF_FAILED")

    def test_a_challenge_survives_a_wrong_code_and_is_good_once(
        self, account: httpx.Client, anonymous: httpx.Client, secret: str
    ) -> None:
        codes = set_up_codes(account)
        challenge, code = challenged(anonymous)["challenge"], totp(secret)
        answer = complete(anonymous, challenge, code=wrong(code))
        assert refused(answer) == (401, "INVALID_CODE")
        done(complete(anonymous, challenge, code=code))
        answer = complete(anonymous, challenge, code=codes[0])
        assert refused(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")
        assert done(account.get("/mfa/status"))["unused_backup_codes"] == 10

    def test_a_challenge_expires(self, anonymous: httpx.Client, secret: str) -> None:
        challenge = challenged(anonymous)["challenge"]
        db.session.execute(
            update(OneTimeToken).values(expires_at=clock.now() - timedelta(minutes=1))
        )
        db.session.commit()
        answer = complete(anonymous, challenge, code=totp(secret))
        assert refused(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_a_token_for_another_purpose_is_no_challenge(
        self, anonymous: httpx.Client, secret: str
    ) -> None:
        options = done(anonymous.post("/auth/passkeys/options"))["public_key"]
        for token in (options["challenge"], "x" * 43):
            answer = complete(anonymous, token, code=totp(secret))
            assert refused(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_another_users_factor_does_not_answer_it(
        self, client_of: Call, anonymous: httpx.Client, casey: User, secret: str, make_user: Call
    ) -> None:
        other = make_user("user", username="Robin", password_hash=casey.password_hash)
        robin = client_of(None)
        robin.headers.update(bearer(signed_in(robin, "Robin")["access_token"]))
        theirs = set_up_app(robin)
        codes = set_up_codes(robin)
        device, _ = set_up_passkey(robin)
        enable(robin)
        assert other.id != casey.id
        details = challenged(anonymous)
        for code in (totp(theirs), codes[0]):
            answer = complete(anonymous, details["challenge"], code=code)
            assert refused(answer) == (401, "INVALID_CODE")
        options = challenged(anonymous, "Robin")["public_key"]
        signed = device.get(options | {"challenge": details["challenge"]})
        answer = complete(anonymous, details["challenge"], credential=signed)
        assert refused(answer) == (401, "INVALID_CREDENTIALS")

    def test_not_after_the_account_was_disabled(
        self, anonymous: httpx.Client, casey: User, secret: str
    ) -> None:
        challenge = challenged(anonymous)["challenge"]
        casey.is_active = False
        db.session.commit()
        answer = complete(anonymous, challenge, code=totp(secret))
        assert refused(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_not_after_the_password_was_replaced(
        self, anonymous: httpx.Client, casey: User, secret: str
    ) -> None:
        challenge = challenged(anonymous)["challenge"]
        service.set_password(casey.id, "another hash")
        db.session.commit()
        answer = complete(anonymous, challenge, code=totp(secret))
        assert refused(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")

    @pytest.mark.parametrize("proof", [{}, {"code": "123456", "credential": {}}, {"password": "x"}])
    def test_takes_exactly_one_proof(
        self, anonymous: httpx.Client, secret: str, proof: dict[str, Any]
    ) -> None:
        answer = complete(anonymous, challenged(anonymous)["challenge"], **proof)
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_one_challenge_at_once_opens_one_session_and_costs_one_code(
        self, engine: Engine, base_url: str
    ) -> None:
        with really(engine, base_url) as (user, client):
            set_up_app(client)
            codes = set_up_codes(client)
            enable(client)
            challenge = challenged(client, user.username)["challenge"]
            bodies = [{"challenge": challenge, "code": code} for code in codes[:AT_ONCE]]
            answers = at_once(base_url, "/auth/login/mfa", bodies)
            assert sorted(each.status_code for each in answers) == [200, 400, 400, 400]
            assert done(client.get("/mfa/status"))["unused_backup_codes"] == 9

    def test_one_backup_code_at_once_is_taken_once(self, engine: Engine, base_url: str) -> None:
        with really(engine, base_url) as (user, client):
            set_up_app(client)
            code = set_up_codes(client)[0]
            enable(client)
            bodies = [
                {"challenge": challenged(client, user.username)["challenge"], "code": code}
                for _ in range(AT_ONCE)
            ]
            answers = at_once(base_url, "/auth/login/mfa", bodies)
            assert sorted(each.status_code for each in answers) == [200, 401, 401, 401]


class TestCompleteLoginWithAPasskey:
    @pytest.fixture
    def device(self, account: httpx.Client) -> Device:
        """Casey's security key, which asks nobody for a PIN."""
        device, _ = set_up_passkey(account, Device(verifies=False))
        enable(account)
        return device

    def test_takes_its_signature(
        self, anonymous: httpx.Client, casey: User, device: Device
    ) -> None:
        details = challenged(anonymous)
        assert details["methods"] == ["webauthn"]
        options = details["public_key"]
        assert options["challenge"] == details["challenge"]
        (allowed,) = options["allowCredentials"]
        assert allowed["transports"] == ["hybrid", "internal"]
        signed = device.get(options)
        assert signed["id"] == allowed["id"]
        opened = done(complete(anonymous, details["challenge"], credential=signed))
        assert opened["user"]["id"] == casey.id
        answer = complete(anonymous, details["challenge"], credential=signed)
        assert refused(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_not_of_another_challenge(self, anonymous: httpx.Client, device: Device) -> None:
        one, two = challenged(anonymous), challenged(anonymous)
        signed = device.get(one["public_key"])
        answer = complete(anonymous, two["challenge"], credential=signed)
        assert refused(answer) == (401, "INVALID_CREDENTIALS")

    def test_not_from_a_frame_of_another_page(
        self, anonymous: httpx.Client, device: Device
    ) -> None:
        details, device.framed = challenged(anonymous), True
        signed = device.get(details["public_key"])
        answer = complete(anonymous, details["challenge"], credential=signed)
        assert refused(answer) == (401, "INVALID_CREDENTIALS")

    def test_not_from_another_page(self, anonymous: httpx.Client, device: Device) -> None:
        details = challenged(anonymous)
        signed = device.get(details["public_key"], origin="https://evil.example")
        answer = complete(anonymous, details["challenge"], credential=signed)
        assert refused(answer) == (401, "INVALID_CREDENTIALS")
        moved = with_client_data(signed, origin="http://localhost:8080")
        answer = complete(anonymous, details["challenge"], credential=moved)
        assert refused(answer) == (401, "INVALID_CREDENTIALS")


class TestNoOtherWayIn:
    def test_a_new_password_signs_nobody_in(
        self, anonymous: httpx.Client, casey: User, secret: str
    ) -> None:
        owner = {"user_id": casey.id, "data": {"email": casey.email}}
        token = one_time.grant(service.RESET, timedelta(minutes=1), **owner)
        db.session.commit()
        body = {"token": token, "new_password": "seven purple bicycles"}
        assert done(anonymous.post("/auth/reset-password", json=body)) == {"ok": True}
        again = credentials(password="seven purple bicycles")
        assert refused(anonymous.post("/auth/login", json=again)) == (401, "MFA_REQUIRED")
