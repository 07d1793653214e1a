"""The contract's security schemes. Each takes a credential and returns whom it stands for, or None.

They are called in the handler's thread and transaction. A session or a key that is revoked, or
whose owner is disabled, stops working at once: it is looked up by one query, unless this process
did so within the last seconds and has heard of no change since (`known`).
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol

from sqlalchemy import Select, Update, bindparam, func, select, update

from marquee import clock, signing
from marquee.db import checkpoint, first
from marquee.db import session as database
from marquee.errors import Forbidden
from marquee.identity.api_keys.models import ApiKey
from marquee.identity.auth import known, tokens
from marquee.identity.auth.models import Session
from marquee.identity.users.models import User
from marquee.identity.users.service import with_permissions
from marquee.viewer import Viewer
from marquee.web.cookies import CSRF_COOKIE, SESSION_COOKIE, received

TokenInfo = dict[str, Any]

SESSION_PURPOSE = "session"
LONGEST = 4096
EXACT_TO = timedelta(minutes=1)
JWT_DOTS = 2


class CookieRequest(Protocol):
    """What the schemes of a browser need of a request."""

    cookies: dict[str, str]


def bearer(token: str) -> TokenInfo | None:
    """A JWT access token, or an API key."""
    return access_token(token) if token.count(".") == JWT_DOTS else api_key(token)


def access_token(token: str) -> TokenInfo | None:
    """A JWT access token, and nothing else: for what only the account itself may do."""

    def look_up() -> known.Found | None:
        claims = tokens.read(token)
        found = _of_session(claims.session_id) if claims else None
        if claims is None or found is None or found[0].id != claims.user_id:
            return None
        return found[0], min(claims.expires_at, found[1])

    # By the whole token: to verify its signature again costs more than all else.
    viewer = known.viewer(("token", hashlib.sha256(token.encode()).digest()), look_up)
    return {"sub": viewer} if viewer else None


def api_key(key: str) -> TokenInfo | None:
    """An API key that is neither revoked nor expired."""
    if len(key) > LONGEST or not key.isascii():
        return None
    digest = hashlib.sha256(key.encode()).digest()

    def look_up() -> known.Found | None:
        row = first(_by_digest(), {"digest": digest})
        if row is None:
            return None
        _touch(ApiKey, row.api_key_id, row.last_seen_at)
        credential = {"scopes": frozenset(row.scopes), "api_key_id": row.api_key_id}
        return _viewer(row, **credential), row.expires_at

    viewer = known.viewer(("key", digest), look_up)
    return {"sub": viewer} if viewer else None


def session(cookie: str) -> TokenInfo | None:
    """The cookie of a browser that has signed in."""
    signed = signing.unsign(SESSION_PURPOSE, cookie)
    if signed is None:
        return None
    session_id = int(signed)
    viewer = known.viewer(("session", session_id), lambda: _of_session(session_id))
    return {"sub": viewer} if viewer else None


def browser(cookie: str) -> TokenInfo:
    """The same cookie, where one that no longer holds counts as none."""
    return session(cookie) or {"stale": True}


def csrf(token: str, request: CookieRequest) -> TokenInfo:
    """The token of a form: equal to its cookie, signed by us, and bound to the session if there is
    one.
    """
    if not hmac.compare_digest(token.encode(), request.cookies.get(CSRF_COOKIE, "").encode()):
        raise Forbidden("X-CSRF-Token is not the value of the __csrf cookie.", "CSRF_FAILED")
    bound_to = signing.unsign(signing.CSRF, token)
    cookie = received(request.cookies, SESSION_COOKIE)
    session_id = signing.unsign(SESSION_PURPOSE, cookie) if cookie else None
    if bound_to is None or (session_id and bound_to.partition(":")[0] != session_id):
        raise Forbidden("X-CSRF-Token does not belong to this session.", "CSRF_FAILED")
    return {"csrf": True}


def _of_session(session_id: int) -> tuple[Viewer, datetime] | None:
    """Whose session it is, and until when it holds."""
    row = first(_by_session(), {"session_id": session_id})
    if row is None:
        return None
    _touch(Session, session_id, row.last_seen_at)
    return _viewer(row, session_id=session_id), row.expires_at


def _touch(model: type[ApiKey | Session], id_: int, last_seen_at: datetime | None) -> None:
    """Write down that a credential is in use, once a minute.

    Committed at once: a row that stayed locked for as long as the request lasts would be in the way
    of others, and of two who end each other's sessions one would fail.
    """
    if last_seen_at is None or clock.now() - last_seen_at > EXACT_TO:
        database.connection().execute(_touching(model), {"touched": id_})
        checkpoint()


@cache
def _touching(model: type[ApiKey | Session]) -> Update:
    """Whoever touches the same row at the same moment does not wait: it is touched already."""
    free = (
        select(model.id).where(model.id == bindparam("touched")).with_for_update(skip_locked=True)
    )
    seen = "last_used_at" if model is ApiKey else "last_activity_at"
    return update(model).where(model.id.in_(free)).values({seen: func.now()})


@cache
def _by_digest() -> Select[Any]:
    """Whose API key has a digest. Made once: to build it costs more than to run it."""
    query = _viewer_columns(
        ApiKey.id.label("api_key_id"),
        ApiKey.scopes,
        ApiKey.expires_at,
        ApiKey.last_used_at.label("last_seen_at"),
    )
    return query.join(ApiKey, ApiKey.user_id == User.id).where(
        ApiKey.digest == bindparam("digest"), ApiKey.is_active
    )


@cache
def _by_session() -> Select[Any]:
    """Whose session has an id."""
    query = _viewer_columns(Session.expires_at, Session.last_activity_at.label("last_seen_at"))
    return query.join(Session, Session.user_id == User.id).where(
        Session.id == bindparam("session_id"), Session.is_active
    )


def _viewer_columns(*more: Any) -> Select[Any]:  # noqa: ANN401 - columns
    roles, permissions = with_permissions(User.id)
    query = select(
        User.id, User.username, roles.label("roles"), permissions.label("permissions"), *more
    )
    return query.where(User.is_active)


def _viewer(row: Any, **credential: Any) -> Viewer:  # noqa: ANN401 - a row of `_viewer_columns`
    roles, permissions = tuple(row.roles or ()), frozenset(row.permissions or ())
    return Viewer(row.id, row.username, permissions, roles=roles, **credential)
