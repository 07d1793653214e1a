"""openapi/identity/mfa.yaml: the app, backup codes, and whether a second factor is asked for."""

import base64
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import Engine, select, update

from marquee import clock, db, sealing
from marquee.audit import Activity
from marquee.identity.auth.models import Session
from marquee.identity.mfa import totp as ours
from marquee.identity.mfa.models import BackupCode, Totp
from marquee.identity.users.models import User
from tests.answers import refused
from tests.authenticators import hotp, totp
from tests.identity.browsers import bearer, credentials, signed_in
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
SETUP = {"account_name": "casey@example.org"}
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
# RFC 6238, appendix B: the time, and the last six of the eight digits there.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]
CHANGES = [
    ("POST", "/mfa/totp/setup", SETUP),
    ("DELETE", "/mfa/totp", None),
    ("POST", "/mfa/backup-codes/generate", None),
    ("POST", "/mfa/backup-codes/regenerate", None),
    ("POST", "/mfa/enable", None),
    ("DELETE", "/mfa", None),
    ("POST", "/mfa/webauthn/options", None),
    ("DELETE", "/mfa/webauthn/5", None),
]


def status_of(client: httpx.Client) -> Any:
    return done(client.get("/mfa/status"))


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


class TestAlgorithm:
    """RFC 6238, before anything is made of it."""

    @pytest.mark.parametrize("moment,code", VECTORS)
    def test_gives_the_codes_of_the_standard(self, moment: int, code: str) -> None:
        assert ours.code_at(RFC_SECRET, moment // ours.PERIOD) == code
        assert hotp(RFC_SECRET, moment // 30) == code


class TestGetMfaStatus:
    def test_begins_with_nothing(self, account: httpx.Client, casey: User) -> None:
        assert status_of(account) == {
            "user_id": casey.id,
            "has_totp": False,
            "webauthn_count": 0,
            "unused_backup_codes": 0,
            "require_mfa": False,
        }

    def test_counts_what_there_is(self, account: httpx.Client, casey: User) -> None:
        set_up_app(account)
        set_up_codes(account)
        set_up_passkey(account)
        enable(account)
        assert status_of(account) == {
            "user_id": casey.id,
            "has_totp": True,
            "webauthn_count": 1,
            "unused_backup_codes": 10,
            "require_mfa": True,
        }

    def test_takes_a_key_and_tells_of_its_owner_alone(
        self, account: httpx.Client, client: httpx.Client, me: User
    ) -> None:
        set_up_app(account)
        shown = status_of(client)
        assert (shown["user_id"], shown["has_totp"]) == (me.id, False)


class TestSetupTotp:
    def test_shows_a_secret_as_text_address_and_picture(self, account: httpx.Client) -> None:
        made = done(account.post("/mfa/totp/setup", json=SETUP))
        assert re.fullmatch(r"[A-Z2-7]{32}", made["secret"])
        url = urlsplit(made["url"])
        assert (url.scheme, url.netloc) == ("otpauth", "totp")
        assert url.path == "/Marquee:casey%40example.org"
        assert parse_qs(url.query) == {"secret": [made["secret"]], "issuer": ["Marquee"]}
        picture = base64.b64decode(made["qr_code"], validate=True)
        assert picture.startswith(b"\x89PNG\r\n\x1a\n")

    @pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbarimg is not installed")
    def test_the_picture_is_the_address(self, account: httpx.Client, tmp_path: Path) -> None:
        made = done(account.post("/mfa/totp/setup", json=SETUP))
        file = tmp_path / "code.png"
        file.write_bytes(base64.b64decode(made["qr_code"]))
        read = subprocess.run(
            ["zbarimg", "--quiet", "--raw", str(file)], capture_output=True, text=True, check=True
        )
        assert read.stdout.strip() == made["url"]

    def test_is_encrypted_at_rest_and_proves_nothing_yet(
        self, account: httpx.Client, casey: User
    ) -> None:
        secret = done(account.post("/mfa/totp/setup", json=SETUP))["secret"]
        stored = db.session.scalars(select(Totp).where(Totp.user_id == casey.id)).one()
        assert secret not in stored.sealed_secret
        assert sealing.unseal(stored.sealed_secret) == secret
        assert status_of(account)["has_totp"] is False
        assert refused(account.post("/mfa/enable")) == (400, "NO_MFA_METHOD")

    def test_replaces_one_that_was_never_confirmed(self, account: httpx.Client) -> None:
        first, second = (
            done(account.post("/mfa/totp/setup", json=SETUP))["secret"] for _ in range(2)
        )
        answer = account.post("/mfa/totp/verify", json={"code": totp(first)})
        assert refused(answer) == (400, "INVALID_CODE")
        done(account.post("/mfa/totp/verify", json={"code": totp(second)}))

    def test_refuses_a_second_app(self, account: httpx.Client) -> None:
        set_up_app(account)
        assert refused(account.post("/mfa/totp/setup", json=SETUP)) == (409, "TOTP_EXISTS")
        done(account.delete("/mfa/totp"))
        set_up_app(account)

    @pytest.mark.parametrize("name", ["", "x" * 101, 7, None])
    def test_refuses_a_wrong_name(self, account: httpx.Client, name: Any) -> None:
        answer = account.post("/mfa/totp/setup", json={"account_name": name})
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_keeps_the_secret_out_of_the_audit_log(self, account: httpx.Client) -> None:
        done(account.post("/mfa/totp/setup", json=SETUP))
        line = db.session.scalars(select(Activity).order_by(Activity.id.desc())).first()
        assert line is not None
        assert (line.action, line.success, line.details) == ("mfa.setup_totp", True, None)


class TestVerifyTotp:
    @pytest.fixture
    def secret(self, account: httpx.Client) -> str:
        made: str = done(account.post("/mfa/totp/setup", json=SETUP))["secret"]
        return made

    @pytest.mark.parametrize("steps", [-1, 0, 1])
    def test_takes_the_code_of_now_and_those_beside_it(
        self, account: httpx.Client, secret: str, steps: int
    ) -> None:
        answer = account.post("/mfa/totp/verify", json={"code": totp(secret, steps)})
        assert done(answer) == {"success": True, "message": "The code is right."}
        assert status_of(account)["has_totp"] is True

    @pytest.mark.parametrize("steps", [-20, -2, 2, 20])
    def test_refuses_those_further_away(
        self, account: httpx.Client, secret: str, steps: int
    ) -> None:
        answer = account.post("/mfa/totp/verify", json={"code": totp(secret, steps)})
        assert refused(answer) == (400, "INVALID_CODE")
        assert status_of(account)["has_totp"] is False

    def test_takes_no_code_twice_and_none_from_before(
        self, account: httpx.Client, secret: str
    ) -> None:
        before, now, after = (totp(secret, steps) for steps in (-1, 0, 1))
        done(account.post("/mfa/totp/verify", json={"code": now}))
        for code in (now, before):
            answer = account.post("/mfa/totp/verify", json={"code": code})
            assert refused(answer) == (400, "INVALID_CODE")
        done(account.post("/mfa/totp/verify", json={"code": after}))

    @pytest.mark.skipif(shutil.which("oathtool") is None, reason="oathtool is not installed")
    def test_takes_the_codes_of_another_program(self, account: httpx.Client, secret: str) -> None:
        totp(secret)  # waits where a step is about to end
        command = ["oathtool", "--totp", "--base32", secret]
        code = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        done(account.post("/mfa/totp/verify", json={"code": code}))

    @pytest.mark.parametrize("code", ["12345", "1234567", "12345a", " 12345", "\uff11" * 6, 123456])
    def test_refuses_what_is_no_code(self, account: httpx.Client, code: Any) -> None:
        answer = account.post("/mfa/totp/verify", json={"code": code})
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_needs_an_app(self, account: httpx.Client) -> None:
        answer = account.post("/mfa/totp/verify", json={"code": "123456"})
        assert refused(answer) == (404, "TOTP_NOT_FOUND")

    def test_five_wrong_ones_lock(
        self, account: httpx.Client, secret: str, set_variables: Call
    ) -> None:
        set_variables(SIGN_IN_ATTEMPTS="5")
        code = totp(secret)
        for _ in range(5):
            answer = account.post("/mfa/totp/verify", json={"code": wrong(code)})
            assert refused(answer) == (400, "INVALID_CODE")
        answer = account.post("/mfa/totp/verify", json={"code": code})
        assert refused(answer) == (429, "RATE_LIMITED")
        assert 0 < int(answer.headers["retry-after"]) <= 900

    def test_at_once_only_one_is_taken(self, engine: Engine, base_url: str) -> None:
        with really(engine, base_url) as (user, client):
            secret = set_up_app(client)
            enable(client)
            body = credentials(user.username) | {"mfa_code": totp(secret)}
            answers = at_once(base_url, "/auth/login", [body] * AT_ONCE)
            assert sorted(each.status_code for each in answers) == [200, 401, 401, 401]


class TestDeleteTotp:
    def test_removes_it(self, account: httpx.Client) -> None:
        set_up_app(account)
        assert account.delete("/mfa/totp").status_code == 204
        assert status_of(account)["has_totp"] is False
        assert refused(account.delete("/mfa/totp")) == (404, "TOTP_NOT_FOUND")

    def test_not_while_it_is_the_last_factor(self, account: httpx.Client) -> None:
        set_up_app(account)
        set_up_codes(account)
        enable(account)
        assert refused(account.delete("/mfa/totp")) == (409, "LAST_FACTOR")
        assert status_of(account)["has_totp"] is True
        set_up_passkey(account)
        assert account.delete("/mfa/totp").status_code == 204

    def test_of_two_removals_at_once_one_factor_is_left(
        self, engine: Engine, base_url: str
    ) -> None:
        with really(engine, base_url) as (_, client):
            set_up_app(client)
            _, passkey = set_up_passkey(client)
            enable(client)
            paths = ["/mfa/totp", f"/mfa/webauthn/{passkey['id']}"]
            with ThreadPoolExecutor(2) as threads:
                answers = list(threads.map(client.delete, paths))
            assert sorted(each.status_code for each in answers) == [204, 409]


class TestGenerateBackupCodes:
    def test_makes_ten_that_are_stored_as_digests(self, account: httpx.Client, casey: User) -> None:
        made = done(account.post("/mfa/backup-codes/generate"))
        assert made["count"] == len(set(made["codes"])) == 10
        assert all(re.fullmatch(r"[0-9a-f]{4}(-[0-9a-f]{4}){3}", each) for each in made["codes"])
        assert status_of(account)["unused_backup_codes"] == 10
        kept = db.session.scalars(select(BackupCode).where(BackupCode.user_id == casey.id)).all()
        plain = [bytes.fromhex(code.replace("-", "")) for code in made["codes"]]
        assert not any(code in each.digest for each in kept for code in plain)

    def test_not_while_some_are_unused(self, account: httpx.Client, casey: User) -> None:
        set_up_codes(account)
        answer = account.post("/mfa/backup-codes/generate")
        assert refused(answer) == (409, "BACKUP_CODES_EXIST")
        db.session.execute(update(BackupCode).values(used_at=clock.now()))
        db.session.commit()
        assert len(set_up_codes(account)) == 10
        assert status_of(account)["unused_backup_codes"] == 10


class TestRegenerateBackupCodes:
    def test_those_from_before_are_worth_nothing(
        self, account: httpx.Client, anonymous: httpx.Client
    ) -> None:
        set_up_app(account)
        old = set_up_codes(account)
        new = done(account.post("/mfa/backup-codes/regenerate"))["codes"]
        assert not set(old) & set(new)
        enable(account)
        answer = anonymous.post("/auth/login", json=credentials() | {"mfa_code": old[0]})
        assert refused(answer) == (401, "INVALID_CODE")
        done(anonymous.post("/auth/login", json=credentials() | {"mfa_code": new[0]}))
        assert status_of(account)["unused_backup_codes"] == 9


class TestEnableMfa:
    def test_needs_a_factor(self, account: httpx.Client) -> None:
        assert refused(account.post("/mfa/enable")) == (400, "NO_MFA_METHOD")
        set_up_codes(account)
        assert refused(account.post("/mfa/enable")) == (400, "NO_MFA_METHOD")
        set_up_passkey(account)
        enable(account)
        enable(account)

    def test_is_asked_from_then_on(self, account: httpx.Client, anonymous: httpx.Client) -> None:
        set_up_app(account)
        signed_in(anonymous)
        enable(account)
        assert challenged(anonymous)["methods"] == ["totp"]
        assert account.get("/users/me").json()["mfa_enabled"] is True

    def test_ends_all_other_sessions(self, account: httpx.Client, anonymous: httpx.Client) -> None:
        other = signed_in(anonymous)
        set_up_app(account)
        enable(account)
        answer = anonymous.get("/users/me", headers=bearer(other["access_token"]))
        assert answer.status_code == 401
        refresh = {"refresh_token": other["refresh_token"]}
        assert anonymous.post("/auth/refresh", json=refresh).status_code == 401
        assert account.get("/users/me").status_code == 200


class TestDisableMfa:
    def test_asks_no_more_and_keeps_the_factors(
        self, account: httpx.Client, anonymous: httpx.Client
    ) -> None:
        set_up_app(account)
        enable(account)
        assert account.delete("/mfa").status_code == 204
        signed_in(anonymous)
        shown = status_of(account)
        assert (shown["require_mfa"], shown["has_totp"]) == (False, True)
        assert account.delete("/mfa").status_code == 204

    def test_then_the_last_factor_may_go(self, account: httpx.Client) -> None:
        set_up_app(account)
        enable(account)
        done(account.delete("/mfa"))
        assert account.delete("/mfa/totp").status_code == 204


class TestWhoMayChangeFactors:
    @pytest.mark.parametrize("method,path,body", CHANGES)
    def test_nobody_whose_sign_in_is_long_ago(
        self, account: httpx.Client, method: str, path: str, body: Any
    ) -> None:
        earlier = clock.now() - timedelta(minutes=10, seconds=1)
        db.session.execute(update(Session).values(created_at=earlier))
        db.session.commit()
        answer = account.request(method, path, json=body)
        assert refused(answer) == (403, "REAUTHENTICATION_REQUIRED")

    @pytest.mark.parametrize("method,path,body", CHANGES)
    def test_no_api_key(self, client: httpx.Client, method: str, path: str, body: Any) -> None:
        assert client.request(method, path, json=body).status_code == 401

    def test_a_refreshed_session_is_no_new_one(
        self, account: httpx.Client, anonymous: httpx.Client
    ) -> None:
        mine = signed_in(anonymous)
        earlier = clock.now() - timedelta(minutes=10, seconds=1)
        db.session.execute(update(Session).values(created_at=earlier))
        db.session.commit()
        again = done(anonymous.post("/auth/refresh", json={"refresh_token": mine["refresh_token"]}))
        answer = anonymous.post(
            "/mfa/totp/setup", json=SETUP, headers=bearer(again["access_token"])
        )
        assert refused(answer) == (403, "REAUTHENTICATION_REQUIRED")
