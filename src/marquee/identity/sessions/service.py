"""Where a user is signed in. How sessions open, go on and end is in `auth.opening`."""

from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, select

from marquee.db import find, first
from marquee.errors import NotFound
from marquee.identity.auth import opening
from marquee.identity.auth.models import Session
from marquee.viewer import Viewer

SHOWN = (
    "id",
    "device_name",
    "ip_address",
    "user_agent",
    "method",
    "created_at",
    "last_activity_at",
    "expires_at",
)


@cache
def listed() -> Select[*tuple[Any, ...]]:
    """The sessions of the user `owner_id` that hold; which is `current_id`."""
    return select(
        *(getattr(Session, name) for name in SHOWN),
        Session.is_active.label("is_active"),
        (Session.id == bindparam("current_id")).label("is_current"),
    ).where(Session.user_id == bindparam("owner_id"), Session.is_active)


def seen_by(viewer: Viewer) -> dict[str, int]:
    """The values that `listed` needs."""
    return {"owner_id": viewer.id, "current_id": viewer.session_id or 0}


def current(viewer: Viewer) -> Row[Any]:
    """The session of this request. Raises NotFound for a caller without one."""
    row = first(_one(), seen_by(viewer))
    if row is None:
        raise NotFound("This request belongs to no session.", "SESSION_NOT_FOUND")
    return row


def revoke(viewer: Viewer, session_id: int) -> None:
    """End a session of the caller. Raises NotFound."""
    opening.end(Session.id == find(Session.visible_to(viewer), session_id).id)


@cache
def _one() -> Select[*tuple[Any, ...]]:
    return listed().where(Session.id == bindparam("current_id"))
