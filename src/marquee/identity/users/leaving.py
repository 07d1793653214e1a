"""Deleting one's own account, with all that hangs on it."""

from sqlalchemy import delete

from marquee import audit
from marquee.db import find, session
from marquee.errors import Unauthenticated
from marquee.identity.auth import attempts, confirming
from marquee.identity.users import belongings
from marquee.identity.users.admins import require_another_admin
from marquee.identity.users.avatars import service as avatars
from marquee.identity.users.models import User
from marquee.viewer import Viewer


def leave(viewer: Viewer, email: str, password: str | None) -> None:
    """Delete the viewer's account, in one transaction, and on every device at once.

    What belongs to it goes with it; lines of the audit log stay, without name and address. Raises
    Unauthenticated (INVALID_CREDENTIALS) where `email` is not the account's, Conflict (LAST_ADMIN),
    and what `confirming.confirm` raises.
    """
    user = find(User.visible_to(viewer), viewer.id)
    if email.lower() != (user.email or user.username).lower():
        raise Unauthenticated("This is not your e-mail address.", "INVALID_CREDENTIALS")
    confirming.confirm(viewer, user, password, field="password")
    require_another_admin(user.id)
    avatars.remove_files_of(user.id)
    for table, mine in belongings.of(user.id).items():
        if belongings.unbound(table) and table is not audit.Activity.__table__:
            session.execute(table.delete().where(mine))
    audit.forget(user.id)
    attempts.forget(user.id, user.username, *([user.email] if user.email else []))
    session.execute(
        delete(User).where(User.id == user.id).execution_options(synchronize_session=False)
    )
