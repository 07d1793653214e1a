"""Proof that the owner of an account is here now, not just a session left open or copied."""

from datetime import timedelta

from sqlalchemy import select

from marquee import clock
from marquee.db import session
from marquee.errors import Forbidden
from marquee.identity.auth.models import Session
from marquee.viewer import Viewer

RECENT = timedelta(minutes=10)


def require_recent(viewer: Viewer) -> None:
    """Raise Forbidden (REAUTHENTICATION_REQUIRED) unless the caller has just signed in.

    For what changes how one signs in (ASVS 5, 7.5.1). Going on with a session by a refresh token
    does not make it a new one.
    """
    query = select(Session.created_at).where(Session.id == viewer.session_id)
    opened_at = session.scalar(query)
    if opened_at is None or clock.now() - opened_at > RECENT:
        raise Forbidden("Sign in again before you change this.", "REAUTHENTICATION_REQUIRED")
