"""The list of accounts."""

from datetime import datetime
from functools import cache
from typing import Any, TypedDict

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

from marquee.identity.users.models import EARLIEST, LATEST, Role, User, UserRole
from marquee.identity.users.service import EVERYTHING

NOT_LISTED = ("password_hash", "preferences")
LIKE = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


class Filters(TypedDict, total=False):
    """Which accounts are asked for. `query` is how a user name or an e-mail address begins."""

    query: str
    role: str
    is_active: bool


@cache
def listed(
    given: frozenset[str], sort: str, *, descending: bool
) -> tuple[Select[*tuple[Any, ...]], tuple[ColumnElement[Any], ...]]:
    """The accounts with their roles, by the filters that are given (`begins`, `role`, `is_active`),
    for the viewer `viewer_id`, who sees others where `sees_all`; and the key to order them by.
    """
    mine = UserRole.user_id == User.id
    roles = select(Role.name).join(UserRole, UserRole.role_id == Role.id).where(mine)
    query = select(
        *(
            each
            for each in User.__table__.columns
            if each.key not in ("password_hash", "preferences")
        ),
        func.array(roles.order_by(Role.name).scalar_subquery(), type_=ARRAY(Text)).label("roles"),
        exists(roles.where(literal(EVERYTHING) == any_(Role.permissions))).label("is_admin"),
    ).where(or_(User.id == bindparam("viewer_id"), bindparam("sees_all")))
    if "begins" in given:
        begins = (
            func.lower(each).like(bindparam("begins")) for each in (User.username, User.email)
        )
        query = query.where(or_(*begins))
    if "role" in given:
        query = query.where(exists(roles.where(Role.name == bindparam("role"))))
    if "is_active" in given:
        query = query.where(User.is_active == bindparam("is_active"))
    return query, _key(sort, descending=descending)


def values(filters: Filters) -> dict[str, Any]:
    """The filters that are given, by the names that `listed` has for them."""
    given = {"begins" if name == "query" else name: each for name, each in filters.items()}
    if "query" in filters:
        given["begins"] = filters["query"].lower().translate(LIKE) + "%"
    return given


def _key(sort: str, *, descending: bool) -> tuple[ColumnElement[Any], ...]:
    if sort == "username":
        return (func.lower(User.username),)
    if sort == "created_at":
        return User.created_at.expression, User.id.expression
    never = literal(datetime.fromisoformat(EARLIEST if descending else LATEST))
    return func.coalesce(User.last_login_at, never), User.id.expression
