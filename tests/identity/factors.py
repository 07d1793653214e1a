"""Accounts with second factors, made as their owners make them: by HTTP."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
from sqlalchemy import Engine, delete

from marquee.audit import Activity
from marquee.identity.auth import passwords
from marquee.identity.auth.models import OneTimeToken, SignInAttempts
from marquee.identity.users.models import User
from tests.authenticators import Device, totp
from tests.committed import committed
from tests.contract.checking import check_answer
from tests.identity.browsers import bearer, credentials, signed_in
from tests.identity.conftest import PASSWORD

AT_ONCE = 4


def done(answer: httpx.Response) -> Any:
    """The body of an answer that is no refusal."""
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


def set_up_app(client: httpx.Client) -> str:
    """Set up an app and confirm it with the code before the present one; its secret."""
    made = done(client.post("/mfa/totp/setup", json={"account_name": "Casey"}))
    done(client.post("/mfa/totp/verify", json={"code": totp(made["secret"], -1)}))
    secret: str = made["secret"]
    return secret


def set_up_codes(client: httpx.Client) -> list[str]:
    """Ten backup codes."""
    codes: list[str] = done(client.post("/mfa/backup-codes/generate"))["codes"]
    return codes


def set_up_passkey(client: httpx.Client, device: Device | None = None) -> tuple[Device, Any]:
    """A passkey: the device that has it, and what is shown of it."""
    device = device or Device()
    options = done(client.post("/mfa/webauthn/options"))["public_key"]
    body = {"name": "My phone", "credential": device.create(options)}
    return device, done(client.post("/mfa/webauthn", json=body))


def enable(client: httpx.Client) -> None:
    """Ask for a second factor from now on."""
    assert done(client.post("/mfa/enable")) == {"success": True}


def challenged(client: httpx.Client, name: str = "Casey") -> Any:
    """The details of the refusal to sign in with the password alone."""
    answer = client.post("/auth/login", json=credentials(name))
    assert answer.status_code == 401, answer.text
    error = answer.json()["error"]
    assert error["code"] == "MFA_REQUIRED"
    return error["details"]


@contextmanager
def really(engine: Engine, base_url: str) -> Iterator[tuple[User, httpx.Client]]:
    """An account whose rows are committed, and a client in which its owner has signed in."""
    hooks = {"response": [check_answer]}
    with committed(engine) as real:
        user = real.user()
        user.password_hash = passwords.hashed(PASSWORD)
        real.session.commit()
        try:
            with httpx.Client(
                base_url=f"{base_url}/api/v1", event_hooks=hooks, timeout=30
            ) as client:
                client.headers.update(bearer(signed_in(client, user.username)["access_token"]))
                yield user, client
        finally:
            real.session.rollback()
            # What hangs on nobody stays when the account goes.
            real.session.execute(delete(SignInAttempts))
            real.session.execute(delete(OneTimeToken))
            real.session.execute(delete(Activity).where(Activity.user_id.is_(None)))
            real.session.commit()


def at_once(base_url: str, path: str, bodies: list[Any]) -> list[httpx.Response]:
    """The answers to several requests of strangers at the same moment."""
    with ThreadPoolExecutor(len(bodies)) as threads:
        url = f"{base_url}/api/v1{path}"
        return list(threads.map(lambda body: httpx.post(url, json=body, timeout=30), bodies))
