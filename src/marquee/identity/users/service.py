"""Rules about accounts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select

from marquee.db import find, missing, session
from marquee.errors import Forbidden
from marquee.identity.users import preferences
from marquee.identity.users.models import Role, User, UserRole
from marquee.viewer import Viewer

EVERYTHING = "*:*"
EVERYBODY = select(User)
PUBLIC = ("id", "username", "display_name", "avatar_url", "cover_url", "created_at")
"""What a profile shows to everybody who may see it."""


def account(viewer: Viewer, user_id: int, *, permission: str) -> User:
    """The account that a path names: one's own, or any for those with the permission.

    Everybody else gets Forbidden whether it exists or not, so that nobody learns who is here.
    """
    if user_id != viewer.id and not viewer.may(permission):
        raise Forbidden("This is another user's.")
    return find(EVERYBODY, user_id)


def profile(viewer: Viewer, user_id: int) -> dict[str, Any]:
    """What the viewer may see of an account: all of it for its owner and for those who may read
    users; of a public profile what is public, where the rest is None.

    Raises NotFound (USER_NOT_FOUND) for an account that does not exist, and the same where it is
    disabled or its profile is not public. Nobody has friends yet: `friends` is nobody else.
    """
    user = find(EVERYBODY, user_id)
    shown = described(user)
    if user.id == viewer.id or viewer.may("users:read"):
        return shown
    wanted = preferences.complete(user.preferences)
    if not user.is_active or wanted["profile_visibility"] != "public":
        raise missing(User, user_id)
    names = {*PUBLIC}
    names |= {"email"} if wanted["show_email"] else set()
    names |= {"last_login_at"} if wanted["show_activity"] else set()
    return {name: value if name in names else None for name, value in shown.items()}


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
