"""Rules of signing in and of passwords.

A password is looked at outside the database transaction: `checkpoint` gives the connection back
before, and nothing that was read earlier is written later without being asked for again.
"""

from sqlalchemy import update

from marquee import audit, settings
from marquee.db import checkpoint
from marquee.db import session as database
from marquee.errors import Forbidden, Invalid, Unauthenticated
from marquee.identity.auth import attempts, one_time, opening, passwords
from marquee.identity.auth.models import OneTimeToken
from marquee.identity.auth.opening import Opened
from marquee.identity.mailing import send_soon
from marquee.identity.mfa import challenge, passkeys
from marquee.identity.mfa.passkeys import Credential
from marquee.identity.users.models import User

VERIFY, RESET = "verify_email", "reset_password"
"""Purposes of tokens that mails carry."""


def sign_in(
    name: str, password: str, device_name: str | None, mfa_code: str | None = None
) -> Opened:
    """A new session.

    Raises Unauthenticated (INVALID_CREDENTIALS, MFA_REQUIRED, INVALID_CODE) and RateLimited. An
    unknown name costs as much time as a wrong password, and gets the same answer.
    """
    if not password:
        raise no_password()
    user = database.scalar(User.named(name))
    if user is not None:
        audit.subject.set((user.id, user.username))
    prove(user, name, password)
    if user is None or not user.is_active:
        raise no_such_account()
    require_confirmed(user)
    challenge.require(user, mfa_code, device_name=device_name)
    return opening.open_session(user, device_name)


def sign_in_with_passkey(credential: Credential, device_name: str | None) -> Opened:
    """A new session for a passkey that has verified its user, which is both factors.

    Raises Invalid (INVALID_OR_EXPIRED_TOKEN) and Unauthenticated (INVALID_CREDENTIALS).
    """
    signed = passkeys.challenge_of(credential)
    if one_time.redeem(passkeys.LOGIN, signed) is None:
        raise passkeys.bad_challenge()
    # It stays used where the passkey is refused.
    checkpoint()
    passkey = passkeys.proven(credential, signed, alone=True)
    user = database.get(User, passkey.user_id) if passkey else None
    if user is None or not user.is_active:
        raise passkeys.refused()
    audit.subject.set((user.id, user.username))
    require_confirmed(user)
    return opening.open_session(user, device_name, method="passkey")


def prove(user: User | None, name: str, password: str) -> None:
    """Count an attempt and look at a password.

    Raises Unauthenticated (INVALID_CREDENTIALS) and RateLimited. A hash of other parameters than
    today's is made anew.
    """
    attempts.begin(user.id if user else name)
    fits = passwords.fits(password, user.password_hash if user else None)
    if user is None or not fits:
        raise no_such_account()
    attempts.succeeded(user.id)
    if user.password_hash and passwords.outdated(user.password_hash):
        set_password(user.id, passwords.hashed(password))


def require_confirmed(user: User) -> None:
    """Raise Forbidden where this server wants an e-mail confirmed first and it is not yet."""
    if settings.current().registration == "verified" and user.email and not user.email_verified:
        raise Forbidden("Confirm your e-mail address first.", "EMAIL_NOT_VERIFIED")


def change_password(user: User, old: str, new: str, session_id: int | None) -> None:
    """Replace a password; all other sessions end.

    Raises Unauthenticated (INVALID_CREDENTIALS), Unprocessable (WEAK_PASSWORD) and RateLimited.
    """
    passwords.refuse_weak(new, user.username, user.email or "")
    prove(user, user.username, old)
    checkpoint()
    set_password(user.id, passwords.hashed(new))
    opening.end_all(user.id, but=session_id)
    send_soon("password_changed", user.id)


def reset_password(token: str, password: str) -> None:
    """Set a password by a token from a mail; all sessions end, and the address is confirmed.

    Raises Invalid (INVALID_OR_EXPIRED_TOKEN) and Unprocessable (WEAK_PASSWORD).
    """
    user = _owner(one_time.peek(RESET, token))
    passwords.refuse_weak(password, user.username, user.email or "")
    checkpoint()
    password_hash = passwords.hashed(password)
    if one_time.redeem(RESET, token) is None:
        raise Invalid("The token has just been used.", "INVALID_OR_EXPIRED_TOKEN")
    set_password(user.id, password_hash)
    database.execute(update(User).where(User.id == user.id).values(email_verified=True))
    attempts.clear(user.id)
    one_time.revoke(RESET, user.id)
    opening.end_all(user.id)
    send_soon("password_changed", user.id)


def verify_email(token: str) -> None:
    """Confirm an address by a token from a mail. Raises Invalid (INVALID_OR_EXPIRED_TOKEN)."""
    user = _owner(one_time.redeem(VERIFY, token))
    database.execute(update(User).where(User.id == user.id).values(email_verified=True))


def _owner(granted: OneTimeToken | None) -> User:
    """Whom a token was mailed to, if the account still has that address.

    Raises Invalid (INVALID_OR_EXPIRED_TOKEN).
    """
    user = database.get(User, granted.user_id) if granted else None
    if granted is None or user is None or not user.is_active:
        raise Invalid("The token is unknown, used or expired.", "INVALID_OR_EXPIRED_TOKEN")
    if granted.data["email"] != user.email:
        raise Invalid("The account has another address by now.", "INVALID_OR_EXPIRED_TOKEN")
    audit.subject.set((user.id, user.username))
    return user


def set_password(user_id: int, password_hash: str) -> None:
    """Store a password's hash."""
    database.execute(update(User).where(User.id == user_id).values(password_hash=password_hash))
    # They were given for the password from before.
    one_time.revoke(challenge.PURPOSE, user_id)


def no_password() -> Invalid:
    """The refusal of an empty password."""
    return Invalid.value("body", "/password", "is needed here")


def no_such_account() -> Unauthenticated:
    """The one answer to a name and a password that do not fit."""
    return Unauthenticated(
        "There is no account with this name and password.", "INVALID_CREDENTIALS"
    )
