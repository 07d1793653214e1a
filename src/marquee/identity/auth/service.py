"""Rules of signing in."""

import secrets
from datetime import timedelta

from sqlalchemy.dialects.postgresql import insert

from marquee import audit, clock, signing
from marquee.db import session as database
from marquee.errors import Unauthenticated
from marquee.identity.auth import passwords
from marquee.identity.auth.models import Session
from marquee.identity.auth.schemes import SESSION_PURPOSE
from marquee.identity.users.models import User
from marquee.viewer import origin

LIFETIME = timedelta(days=30)


def sign_in(name: str, password: str, device_name: str | None) -> tuple[User, int]:
    """The account and a new session of it. Raises Unauthenticated (INVALID_CREDENTIALS).

    An unknown name costs as much time as a wrong password, and gets the same answer.
    """
    user = database.scalar(User.named(name))
    if user is not None:
        audit.subject.set((user.id, user.username))
    fits = passwords.fits(password, user.password_hash if user else None)
    if user is None or not fits or not user.is_active:
        raise Unauthenticated(
            "There is no account with this name and password.", "INVALID_CREDENTIALS"
        )
    if user.password_hash and passwords.outdated(user.password_hash):
        user.password_hash = passwords.hashed(password)
    user.last_login_at = clock.now()
    came_from = origin.get()
    opened = insert(Session).values(
        user_id=user.id,
        device_name=device_name,
        ip_address=came_from.address,
        user_agent=came_from.user_agent,
        expires_at=clock.now() + LIFETIME,
    )
    return user, int(database.execute(opened.returning(Session.id)).scalar_one())


def session_cookie(session_id: int) -> str:
    """What the browser's session cookie holds."""
    return signing.sign(SESSION_PURPOSE, str(session_id))


def csrf_token(session_id: int) -> str:
    """A CSRF token that is good for this session alone."""
    return signing.sign(signing.CSRF, f"{session_id}:{secrets.token_urlsafe(12)}")
