"""The contract's security schemes. Each takes a credential and returns whom it stands for, or None.

They are called in the handler's thread and transaction. A session or a key that is revoked, or
whose owner is disabled, stops working at once: each is looked up for every request, by one query.
"""

import hashlib
import hmac
from functools import cache
from typing import Any, Protocol

from sqlalchemy import Select, bindparam, func, or_, select

from marquee import signing
from marquee.db import first
from marquee.errors import Forbidden
from marquee.identity.api_keys.models import ApiKey
from marquee.identity.auth import tokens
from marquee.identity.auth.models import Session
from marquee.identity.users.models import User
from marquee.identity.users.service import with_permissions
from marquee.viewer import Viewer
from marquee.web.cookies import CSRF_COOKIE, SESSION_COOKIE, received

TokenInfo = dict[str, Any]

SESSION_PURPOSE = "session"
LONGEST = 4096
JWT_DOTS = 2


class CookieRequest(Protocol):
    """What the schemes of a browser need of a request."""

    cookies: dict[str, str]


def bearer(token: str) -> TokenInfo | None:
    """A JWT access token, or an API key."""
    if token.count(".") != JWT_DOTS:
        return api_key(token)
    claims = tokens.read(token)
    return _of_session(claims.session_id, claims.user_id) if claims else None


def api_key(key: str) -> TokenInfo | None:
    """An API key that is neither revoked nor expired."""
    if len(key) > LONGEST or not key.isascii():
        return None
    row = first(_by_digest(), {"digest": hashlib.sha256(key.encode()).digest()})
    if row is None:
        return None
    return {"sub": _viewer(row, scopes=frozenset(row.scopes), api_key_id=row.api_key_id)}


def session(cookie: str) -> TokenInfo | None:
    """The cookie of a browser that has signed in."""
    signed = signing.unsign(SESSION_PURPOSE, cookie)
    return _of_session(int(signed)) if signed else None


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


def _of_session(session_id: int, user_id: int | None = None) -> TokenInfo | None:
    row = first(_by_session(), {"session_id": session_id})
    if row is None or user_id not in (None, row.id):
        return None
    return {"sub": _viewer(row, session_id=row.session_id)}


@cache
def _by_digest() -> Select[Any]:
    """Whose API key has a digest. Made once: to build it costs more than to run it."""
    query = _viewer_columns(ApiKey.id.label("api_key_id"), ApiKey.scopes)
    return query.join(ApiKey, ApiKey.user_id == User.id).where(
        ApiKey.digest == bindparam("digest"),
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.now()),
    )


@cache
def _by_session() -> Select[Any]:
    """Whose session has an id."""
    query = _viewer_columns(Session.id.label("session_id"))
    return query.join(Session, Session.user_id == User.id).where(
        Session.id == bindparam("session_id"),
        Session.revoked_at.is_(None),
        Session.expires_at > func.now(),
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
