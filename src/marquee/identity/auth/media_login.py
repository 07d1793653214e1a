"""Signing in with an account of the media server.

The media server looks at the password. Its account has one of its own here, made when it first
comes, and never one that somebody made here, whatever the names. Who administers the media server
administers this one: each sign-in makes it so.
"""

from typing import Final

from sqlalchemy import select

from marquee import audit, settings
from marquee.db import checkpoint
from marquee.db import session as database
from marquee.errors import Conflict, Unavailable
from marquee.identity.auth import attempts, opening
from marquee.identity.auth.opening import Opened
from marquee.identity.auth.service import no_password, no_such_account
from marquee.identity.mfa import challenge
from marquee.identity.users import creating, granting
from marquee.identity.users.models import Role, User
from marquee.services import media_server
from marquee.services.media_server import MediaUser

METHOD: Final = "media_server"
ADMIN = "admin"
LONGEST_DISPLAY_NAME = 100


def sign_in(
    name: str, password: str, device_name: str | None, mfa_code: str | None = None
) -> Opened:
    """A new session.

    Raises NotConfigured where there is no media server, Unavailable and TimedOut where it does not
    serve, Invalid for an empty password that the settings do not allow; Unauthenticated
    (INVALID_CREDENTIALS, MFA_REQUIRED, INVALID_CODE) and RateLimited as for local accounts.
    """
    server = media_server.current()
    if not password and not settings.current().allow_passwordless_login:
        raise no_password()
    account = name.strip()
    # Commits: no connection is held while the media server is asked.
    attempts.begin(account, METHOD)
    try:
        found = server.sign_in(name, password)
    except Unavailable:
        attempts.take_back(account, METHOD)
        checkpoint()
        raise
    if found is None:
        raise no_such_account()
    user = _account_of(server.kind, found)
    audit.subject.set((user.id, user.username))
    if not user.is_active:
        raise no_such_account()
    attempts.succeeded(account, METHOD)
    # First, as everybody else waits for the turn of administrators before the user's row.
    _follow(user, is_admin=found.is_admin)
    user.max_parental_rating = found.max_parental_rating
    challenge.require(user, mfa_code, device_name=device_name, method=METHOD)
    return opening.open_session(user, device_name, method=METHOD)


def _account_of(provider: str, found: MediaUser) -> User:
    """The account here of one there; a new one where it has none."""
    known = select(User).where(User.provider == provider, User.provider_user_id == found.id)
    if user := database.scalar(known):
        return user
    try:
        return _created(provider, found)
    except Conflict:
        # Somebody has taken the name just now, or the same person comes twice at once.
        return database.scalar(known) or _created(provider, found)


def _created(provider: str, found: MediaUser) -> User:
    """A new account under a name that nobody has. Raises Conflict where it is taken just now."""
    return creating.add(
        username=creating.free_username(found.name),
        email=None,
        display_name=found.name[:LONGEST_DISPLAY_NAME],
        provider=provider,
        provider_user_id=found.id,
    )


def _follow(user: User, *, is_admin: bool) -> None:
    """Give the role of administrators, or take it away; the last administrator keeps it."""
    role_id = database.scalars(select(Role.id).where(Role.name == ADMIN)).one()
    change = granting.give if is_admin else granting.take
    change(user.id, [role_id], user.provider)
