"""Changing accounts: one's own, and as an administrator those of others."""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy.exc import IntegrityError

from marquee import audit
from marquee.db import find, session
from marquee.errors import Conflict, Invalid
from marquee.identity.auth import confirming, one_time, opening
from marquee.identity.auth.service import RESET, VERIFY
from marquee.identity.mailing import send_soon
from marquee.identity.users.admins import require_another_admin
from marquee.identity.users.models import User
from marquee.viewer import Viewer

Changes = dict[str, Any]


def require_disabling(viewer: Viewer, user_id: int) -> None:
    """Raise Conflict where the viewer may not disable this user: oneself, or the last administrator
    (LAST_ADMIN). Call it before the user's row is locked.
    """
    if user_id == viewer.id:
        raise Conflict("You cannot disable your own account.")
    require_another_admin(user_id)


def change(viewer: Viewer, user: User, changes: Changes) -> None:
    """Change an account as an administrator. Who is disabled is signed out everywhere."""
    if (is_active := changes.get("is_active", user.is_active)) != user.is_active:
        action = "admin.user.unban" if is_active else "admin.user.ban"
        audit.record(action, viewer, resource_id=str(user.id))
    if not is_active:
        opening.end_all(user.id)
    _set(user, changes)


def change_own(viewer: Viewer, changes: Changes) -> User:
    """Change the viewer's account.

    Another e-mail address is unconfirmed until its owner follows the link in a mail; links in mails
    to the one before are worth nothing any more. Raises Conflict (EMAIL_TAKEN), Invalid for an
    unknown time zone, and what `confirming.confirm` raises.
    """
    user = find(User.visible_to(viewer), viewer.id)
    wanted = dict(changes)
    password = wanted.pop("current_password", None)
    if (zone := wanted.get("timezone")) is not None and zone not in _timezones():
        raise Invalid.value("body", "/timezone", "is no time zone of the IANA database")
    moves = wanted.get("email", user.email or "").lower() != (user.email or "").lower()
    if moves:
        confirming.confirm(viewer, user, password, field="current_password")
        wanted["email_verified"] = False
        for purpose in (VERIFY, RESET):
            one_time.revoke(purpose, user.id)
    try:
        _set(user, wanted)
    except IntegrityError as error:
        raise Conflict("An account with this e-mail address exists.", "EMAIL_TAKEN") from error
    if moves:
        send_soon("verify_email", user.id)
    return user


def change_profile(viewer: Viewer, changes: Changes) -> User:
    """Change what the viewer's profile shows."""
    user = find(User.visible_to(viewer), viewer.id)
    _set(user, changes)
    return user


def _set(user: User, changes: Changes) -> None:
    for name, value in changes.items():
        setattr(user, name, value)
    session.flush()


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())
