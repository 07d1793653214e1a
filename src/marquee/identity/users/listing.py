"""The list of accounts."""

from datetime import datetime
from functools import cache
from typing import Any, TypeAlias, TypedDict

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    any_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
)

from marquee.db import first
from marquee.identity.users.models import EARLIEST, LATEST, Role, User, UserRole
from marquee.identity.users.service import EVERYTHING
from marquee.viewer import Viewer

Listed: TypeAlias = Select[*tuple[Any, ...]]
Key: TypeAlias = tuple[ColumnElement[Any], ...]

NOT_LISTED = ("password_hash", "preferences")
LIKE = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


class Filters(TypedDict, total=False):
    """Which accounts are asked for. `query` is how a user name or an e-mail address begins."""

    query: str
    role: str
    is_active: bool


def asked(
    viewer: Viewer, sort: str, order: str, filters: Filters
) -> tuple[Listed, dict[str, Any], Key]:
    """The accounts that a viewer asks for and may see: the query, its values, and the key by which
    it is ordered.
    """
    values = {"begins" if name == "query" else name: each for name, each in filters.items()}
    if "query" in filters:
        values["begins"] = filters["query"].lower().translate(LIKE) + "%"
    if "role" in filters:
        # Only of an id does the planner know how many have it: few administrators, many users.
        found = first(select(Role.id).where(Role.name == filters["role"]))
        values["role"] = found.id if found else 0
    query, key = listed(frozenset(values), sort, descending=order == "desc")
    return query, {**values, "viewer_id": viewer.id, "sees_all": viewer.may("users:read")}, key


@cache
def listed(given: frozenset[str], sort: str, *, descending: bool) -> tuple[Listed, Key]:
    """The accounts with their roles, by the filters that are given (`begins`, `role` by its id,
    `is_active`), for the viewer `viewer_id`, who sees others where `sees_all`; and the key to order
    them by.
    """
    mine = UserRole.user_id == User.id
    roles = select(Role.name).join(UserRole, UserRole.role_id == Role.id).where(mine)
    query = select(
        *(each for each in User.__table__.columns if each.key not in NOT_LISTED),
        func.array(roles.order_by(Role.name).scalar_subquery(), type_=ARRAY(Text)).label("roles"),
        exists(roles.where(literal(EVERYTHING) == any_(Role.permissions))).label("is_admin"),
    ).where(or_(User.id == bindparam("viewer_id"), bindparam("sees_all")))
    if "begins" in given:
        begins = (
            func.lower(each).like(bindparam("begins")) for each in (User.username, User.email)
        )
        query = query.where(or_(*begins))
    if "role" in given:
        having = select(UserRole.user_id).where(UserRole.role_id == bindparam("role"))
        query = query.where(User.id.in_(having))
    if "is_active" in given:
        query = query.where(User.is_active == bindparam("is_active"))
    return query, _key(sort, descending=descending)


def _key(sort: str, *, descending: bool) -> Key:
    if sort == "username":
        return (func.lower(User.username),)
    if sort == "created_at":
        return User.created_at.expression, User.id.expression
    never = literal(datetime.fromisoformat(EARLIEST if descending else LATEST))
    return func.coalesce(User.last_login_at, never), User.id.expression
