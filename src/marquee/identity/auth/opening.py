"""Opening sessions, going on with them, and ending them.

Refresh tokens rotate (RFC 9700 §4.14.2): each is good once, and who brings a used one shows that it
has been copied; then the whole session ends.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert

from marquee import audit, clock, settings
from marquee.db import checkpoint, session
from marquee.errors import Unauthenticated
from marquee.identity.auth.models import RefreshToken, Session
from marquee.identity.auth.one_time import BYTES, digest_of
from marquee.identity.users.models import User
from marquee.viewer import Viewer, origin


@dataclass(frozen=True, slots=True)
class Opened:
    """A session, and the token that goes on with it."""

    user: User
    session_id: int
    refresh_token: str


def lifetime() -> timedelta:
    """How long a session lasts that is not used."""
    return timedelta(seconds=settings.current().refresh_token_lifetime)


def open_session(user: User, device_name: str | None, method: str = "password") -> Opened:
    """A new session of a user; the oldest of too many ends."""
    now, came_from = clock.now(), origin.get()
    # Locks the user's row: of two sign-ins at once, the second counts the first's session.
    session.execute(
        update(User)
        .where(User.id == user.id)
        .values(last_login_at=now, updated_at=User.updated_at)
        .execution_options(synchronize_session="fetch")
    )
    opened = insert(Session).values(
        user_id=user.id,
        method=method,
        device_name=device_name,
        ip_address=came_from.address,
        user_agent=came_from.user_agent,
        expires_at=now + lifetime(),
    )
    session_id = session.execute(opened.returning(Session.id)).scalar_one()
    _end_the_oldest(user.id)
    return Opened(user, session_id, _refresh_token(session_id))


def refresh(token: str) -> Opened:
    """Go on with a session: a new refresh token for an old one.

    Raises Unauthenticated (INVALID_TOKEN); for a token that was used before, after its session has
    been ended and that has been written to the audit log.
    """
    query = (
        select(RefreshToken, Session, User)
        .join(Session, Session.id == RefreshToken.session_id)
        .join(User, User.id == Session.user_id)
        .where(RefreshToken.digest == digest_of(token), User.is_active, Session.is_active)
        .with_for_update(of=[RefreshToken, Session])
    )
    found = session.execute(query).first()
    if found is None:
        raise Unauthenticated("The refresh token does not hold.")
    known, opened, user = found
    audit.subject.set((user.id, user.username))
    if known.used_at is not None:
        end(Session.id == opened.id)
        audit.record("session.revoke", None, resource_id=str(opened.id), error_code="TOKEN_REUSED")
        checkpoint()
        raise Unauthenticated("The refresh token was used before: its session has been ended.")
    known.used_at = opened.last_activity_at = clock.now()
    opened.expires_at = clock.now() + lifetime()
    return Opened(user, opened.id, _refresh_token(opened.id))


def log_out(viewer: Viewer, refresh_token: str | None, *, everywhere: bool) -> None:
    """End the caller's session, or that of a refresh token of theirs, or all of them."""
    if everywhere:
        end_all(viewer.id)
        return
    named = select(RefreshToken.session_id).where(
        RefreshToken.digest == digest_of(refresh_token or "")
    )
    mine = Session.user_id == viewer.id
    end(mine & ((Session.id == (viewer.session_id or 0)) | Session.id.in_(named)))


def end(which: ColumnElement[bool]) -> int:
    """End sessions; how many. Their refresh tokens end with them."""
    ended: Any = session.execute(
        update(Session)
        .where(which, Session.is_active)
        .values(revoked_at=func.now())
        .execution_options(synchronize_session=False)
    )
    return int(ended.rowcount)


def end_all(user_id: int, *, but: int | None = None) -> int:
    """End all sessions of a user, perhaps but one; how many."""
    return end((Session.user_id == user_id) & (Session.id != (but or 0)))


def _refresh_token(session_id: int) -> str:
    token = secrets.token_urlsafe(BYTES)
    session.execute(insert(RefreshToken).values(session_id=session_id, digest=digest_of(token)))
    return token


def _end_the_oldest(user_id: int) -> None:
    newest = (
        select(Session.id)
        .where(Session.user_id == user_id, Session.is_active)
        .order_by(Session.id.desc())
        .offset(settings.current().session_max_per_user)
    )
    end(Session.id.in_(newest))
