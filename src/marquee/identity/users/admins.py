"""There is always somebody who can administer the server."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import ColumnElement, any_, exists, func, literal, select, true

from marquee.db import session
from marquee.errors import Conflict
from marquee.identity.users.models import Role, User, UserRole
from marquee.identity.users.service import EVERYTHING


def require_another_admin(user_id: int) -> None:
    """Raise Conflict (LAST_ADMIN) where nobody but this user can administer the server.

    Call it before the user is disabled or deleted; of two administrators who go at the same moment,
    one stays. A user who is no administrator may always go.
    """
    take_turns()
    if not session.scalar(select(_there_is(User.id == user_id))):
        return
    if not session.scalar(select(_there_is(User.id != user_id))):
        raise Conflict("Nobody else can administer this server.", "LAST_ADMIN")


def take_turns() -> None:
    """Wait for others who change who may administer the server, and let those who come later wait
    until this transaction ends.
    """
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("admins", 0))))


def require_one() -> None:
    """Raise Conflict (LAST_ADMIN) where nobody can administer the server any more.

    Call it after a change to roles that began with `take_turns`.
    """
    if not session.scalar(select(_there_is(true()))):
        raise Conflict("Nobody could administer this server any more.", "LAST_ADMIN")


@contextmanager
def one_left() -> Iterator[None]:
    """Raise Conflict (LAST_ADMIN) where the block has left nobody to administer the server.

    Call `take_turns` before.
    """
    there_was = session.scalar(select(_there_is(true())))
    yield
    session.flush()
    if there_was:
        require_one()


def _there_is(whom: ColumnElement[bool]) -> ColumnElement[bool]:
    """That there is an administrator among these users who is not disabled."""
    return exists(
        select(User.id)
        .join(UserRole, UserRole.user_id == User.id)
        .join(Role, Role.id == UserRole.role_id)
        .where(whom, User.is_active, literal(EVERYTHING) == any_(Role.permissions))
    )
