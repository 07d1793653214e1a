"""The second step of signing in.

Every way in that proves one factor calls `require` before it opens a session. Guesses are counted
apart from passwords: else whoever knows the password could begin the count anew with it.
"""

from datetime import timedelta
from typing import Any

from marquee import audit
from marquee.db import checkpoint, session
from marquee.errors import Unauthenticated
from marquee.identity.auth import attempts, one_time, opening
from marquee.identity.auth.opening import Opened
from marquee.identity.mfa import backup_codes, passkeys, totp
from marquee.identity.mfa.passkeys import Credential
from marquee.identity.mfa.service import factors_of, locked
from marquee.identity.users.models import User

PURPOSE, LIFETIME = "mfa", timedelta(minutes=5)
GUESSES: attempts.Kind = "second_factor"


def require(
    user: User, code: str | None, *, device_name: str | None = None, method: str = "password"
) -> None:
    """Raise Unauthenticated unless the user needs no second factor, or has proved it by `code`.

    Without a code it is MFA_REQUIRED, with the challenge that `complete` takes: the session will
    then be opened as `method` on `device_name`. Also INVALID_CODE, and RateLimited.
    """
    # As it is now, and for as long as this takes: `enable` ends the sessions from before it.
    if not locked(user.id).mfa_enabled:
        return
    if code is None:
        details = begin(user, device_name=device_name, method=method)
        # The refusal rolls back, and the challenge must not go with it.
        checkpoint()
        raise Unauthenticated("Prove a second factor.", "MFA_REQUIRED", details=details)
    # Nobody who counts an attempt may hold the account: those who sign in take both the other way.
    checkpoint()
    _prove(user, code)


def begin(user: User, *, device_name: str | None, method: str) -> dict[str, Any]:
    """A challenge for a user who has proved one factor, as the details of MFA_REQUIRED."""
    remembered = {"device_name": device_name, "method": method}
    challenge = one_time.grant(PURPOSE, LIFETIME, user_id=user.id, data=remembered)
    methods = factors_of(user.id).methods
    details: dict[str, Any] = {
        "challenge": challenge,
        "methods": methods,
        "expires_in": int(LIFETIME.total_seconds()),
    }
    if "webauthn" in methods:
        details["public_key"] = passkeys.request_options(challenge, passkeys.of(user.id))
    return details


def complete(challenge: str, *, code: str | None, credential: Credential | None) -> Opened:
    """A session, for a challenge and the factor that it asked for.

    Raises Invalid (INVALID_OR_EXPIRED_TOKEN), Unauthenticated (INVALID_CODE, INVALID_CREDENTIALS)
    and RateLimited.
    """
    granted = one_time.peek(PURPOSE, challenge)
    user = session.get(User, granted.user_id) if granted else None
    if granted is None or user is None or not user.is_active:
        raise passkeys.bad_challenge()
    audit.subject.set((user.id, user.username))
    remembered = granted.data
    if code is not None:
        _prove(user, code)
    else:
        passkey = passkeys.proven(credential or {}, challenge, alone=False)
        if passkey is None or passkey.user_id != user.id:
            raise passkeys.refused()
    if one_time.redeem(PURPOSE, challenge) is None:
        raise passkeys.bad_challenge()
    return opening.open_session(user, **remembered)


def verify_totp(user_id: int, code: str) -> bool:
    """Whether this is a code of the user's app, which is confirmed by it. Counts as a guess.

    Raises NotFound (TOTP_NOT_FOUND) and RateLimited.
    """
    if totp.of(user_id) is None:
        raise totp.none_there()
    attempts.begin(user_id, GUESSES)
    right = totp.take(user_id, code, confirm=True)
    if right:
        attempts.succeeded(user_id, GUESSES)
    return right


def _prove(user: User, code: str) -> None:
    attempts.begin(user.id, GUESSES)
    if not (totp if code.isdigit() else backup_codes).take(user.id, code):
        raise Unauthenticated("The code is wrong, or was used before.", "INVALID_CODE")
    attempts.succeeded(user.id, GUESSES)
