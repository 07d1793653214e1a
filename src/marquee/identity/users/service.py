"""Rules about accounts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select

from marquee.db import find, session
from marquee.errors import Forbidden
from marquee.identity.users.models import Role, User, UserRole
from marquee.viewer import Viewer

EVERYTHING = "*:*"
EVERYBODY = select(User)


def account(viewer: Viewer, user_id: int, *, permission: str) -> User:
    """The account that a path names: one's own, or any for those with the permission.

    Everybody else gets Forbidden whether it exists or not, so that nobody learns who is here.
    """
    if user_id != viewer.id and not viewer.may(permission):
        raise Forbidden("This is another user's.")
    return find(EVERYBODY, user_id)


def described(user: User) -> dict[str, Any]:
    """An account with its roles and the permissions that follow from them."""
    roles = roles_of(user.id)
    permissions = sorted({each for role in roles for each in role.permissions})
    columns = {column.key: getattr(user, column.key) for column in User.__mapper__.columns}
    return columns | {
        "roles": [role.name for role in roles],
        "permissions": permissions,
        "is_admin": EVERYTHING in permissions,
    }


def roles_of(user_id: int) -> Sequence[Row[str, list[str]]]:
    """Names and permissions of a user's roles."""
    query = select(Role.name, Role.permissions).join(UserRole, UserRole.role_id == Role.id)
    return session.execute(query.where(UserRole.user_id == user_id).order_by(Role.name)).all()


def with_permissions(user_id: Any) -> tuple[Any, Any]:  # noqa: ANN401 - a column
    """Two columns for a query over users: the names of the roles, and their permissions in one
    array.
    """
    mine = UserRole.user_id == user_id
    roles = (
        select(func.array_agg(Role.name)).join(UserRole, UserRole.role_id == Role.id).where(mine)
    )
    permission = func.unnest(Role.permissions).column_valued("permission", joins_implicitly=True)
    permissions = select(func.array_agg(permission)).select_from(Role)
    permissions = permissions.join(UserRole, UserRole.role_id == Role.id).where(mine)
    return roles.scalar_subquery(), permissions.scalar_subquery()
