"""Roles that an outside service decides on: given and taken as it says, with a line in the audit
log for each; but whoever is the last administrator stays one.
"""

from collections.abc import Iterable

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from marquee import audit
from marquee.db import session
from marquee.errors import Conflict
from marquee.identity.users import admins
from marquee.identity.users.models import Role, UserRole

log = structlog.get_logger("marquee")


def give(user_id: int, role_ids: Iterable[int], provider: str) -> set[int]:
    """Give a user roles, as the service `provider` says; those that the user did not have."""
    rows = [{"user_id": user_id, "role_id": each} for each in sorted(role_ids)]
    if not rows:
        return set()
    new = insert(UserRole).values(rows).on_conflict_do_nothing()
    given = set(session.scalars(new.returning(UserRole.role_id)))
    _tell("admin.role.assign", user_id, given, provider)
    return given


def take(user_id: int, role_ids: Iterable[int], provider: str) -> set[int]:
    """Take roles from a user, as the service `provider` says; those that are taken: none where
    nobody could administer the server without them.

    Call it before the user's row is locked.
    """
    theirs = (UserRole.user_id == user_id) & UserRole.role_id.in_(sorted(role_ids))
    if session.scalar(select(UserRole.id).where(theirs).limit(1)) is None:
        return set()
    admins.take_turns()
    try:
        with session.begin_nested(), admins.one_left():
            taken = set(session.scalars(delete(UserRole).where(theirs).returning(UserRole.role_id)))
    except Conflict:
        log.warning("last_admin_kept", user_id=user_id)
        return set()
    _tell("admin.role.revoke", user_id, taken, provider)
    return taken


def _tell(action: str, user_id: int, role_ids: set[int], provider: str) -> None:
    details = {"user_id": str(user_id), "provider": provider}
    if role_ids:
        for name in session.scalars(select(Role.name).where(Role.id.in_(role_ids))):
            audit.record(action, None, resource_id=name, details=details)
