"""Rules of roles.

A permission is `resource:action`; a policy is one permission of one role. Nobody gives or takes
what they may not do themselves, and somebody always can administer the server. Who changes a role
waits for others who do (`admins.take_turns`), so that no two of them count on what the other takes
away.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypedDict, Unpack

from sqlalchemy import ColumnElement, Row, Select, Text, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from marquee import audit, clock
from marquee.audit import Change
from marquee.db import session
from marquee.errors import Conflict, Forbidden, NotFound
from marquee.identity.users import admins
from marquee.identity.users.models import Role, User, UserRole
from marquee.identity.users.service import EVERYTHING, roles_of
from marquee.viewer import Viewer

ADMIN = "admin"
MOST_ROLES, MOST_PERMISSIONS, MOST_ROLES_OF_A_USER = 1000, 500, 100
BESIDE_OPERATIONS = {
    EVERYTHING: "Everything. Whoever has it is an administrator.",
    "users:read": "See what is another user's, by operations that one may call for oneself.",
    "users:write": "Change what is another user's, by operations that one may call for oneself.",
}
"""Permissions that rules ask for beside an operation's own, and what they allow."""

Pair = dict[str, str]
Statement = Select[*tuple[Any, ...]]


class PolicyFilters(TypedDict, total=False):
    """Values that a policy must have."""

    subject: str
    object: str
    action: str


def counted(viewer: Viewer) -> Select[Role, int]:
    """Roles by name, each with the number of users who have it."""
    users = select(func.count()).where(UserRole.role_id == Role.id).scalar_subquery()
    return Role.visible_to(viewer).add_columns(users.label("user_count")).order_by(Role.name)


def listed(viewer: Viewer) -> Sequence[Row[Role, int]]:
    """All roles, each with the number of users who have it."""
    return session.execute(counted(viewer)).all()


def named(viewer: Viewer, name: str) -> Row[Role, int]:
    """One role with the number of its users. Raises NotFound (ROLE_NOT_FOUND)."""
    found = session.execute(counted(viewer).where(Role.name == name)).first()
    if found is None:
        raise _no_role(name)
    return found


def to_change(viewer: Viewer, name: str) -> Role:
    """A role that nobody else changes until the transaction ends. Raises NotFound."""
    audit.describe(name)
    admins.take_turns()
    role: Role | None = session.scalar(
        Role.visible_to(viewer).where(Role.name == name).with_for_update(key_share=True)
    )
    if role is None:
        raise _no_role(name)
    return role


def create(viewer: Viewer, name: str, description: str | None, pairs: Iterable[Pair]) -> Role:
    """A new role. Raises Forbidden and Conflict (ROLE_EXISTS, ROLE_LIMIT)."""
    permissions = sorted(_joined(pairs))
    audit.describe(name, [Change("permissions", None, each) for each in permissions])
    _require_held(viewer, permissions)
    admins.take_turns()
    if session.scalar(select(Role.id).where(func.lower(Role.name) == name.lower())):
        raise Conflict(f"There is a role {name} already.", "ROLE_EXISTS")
    if session.scalars(select(func.count()).select_from(Role)).one() >= MOST_ROLES:
        raise Conflict(f"There are {MOST_ROLES} roles: delete one first.", "ROLE_LIMIT")
    role = Role(name=name, description=description, permissions=permissions)
    session.add(role)
    session.flush()
    return role


def remove(viewer: Viewer, role: Role) -> None:
    """Delete a role. Raises Forbidden and Conflict (BUILT_IN_ROLE, LAST_ADMIN)."""
    if role.is_built_in:
        raise Conflict(f"The role {role.name} is built in.", "BUILT_IN_ROLE")
    _require_held(viewer, role.permissions)
    session.delete(role)
    session.flush()
    if EVERYTHING in role.permissions:
        admins.require_one()


def replace(viewer: Viewer, role: Role, pairs: Iterable[Pair]) -> None:
    """Let a role allow just this. Raises Forbidden and Conflict (BUILT_IN_ROLE, LAST_ADMIN)."""
    before, after = set(role.permissions), _joined(pairs)
    given = [Change("permissions", None, each) for each in sorted(after - before)]
    taken = [Change("permissions", each, None) for each in sorted(before - after)]
    audit.describe(role.name, given + taken)
    _require_held(viewer, before ^ after)
    role.permissions, role.updated_at = sorted(after), clock.now()
    session.flush()
    if EVERYTHING in before - after:
        admins.require_one()
        if role.name == ADMIN:
            raise Conflict(f"The role {ADMIN} keeps {EVERYTHING}.", "BUILT_IN_ROLE")


def add_policy(viewer: Viewer, role: Role, pair: Pair) -> None:
    """Let a role allow one more thing.

    Raises Forbidden and Conflict (POLICY_EXISTS, ROLE_LIMIT).
    """
    if not _joined([pair]).isdisjoint(role.permissions):
        raise Conflict(f"The role {role.name} allows it already.", "POLICY_EXISTS")
    if len(role.permissions) >= MOST_PERMISSIONS:
        raise Conflict(f"A role has {MOST_PERMISSIONS} permissions at the most.", "ROLE_LIMIT")
    replace(viewer, role, [*split(role.permissions), pair])


def remove_policy(viewer: Viewer, role: Role, pair: Pair) -> None:
    """Let a role no longer allow one thing.

    Raises Forbidden, NotFound (POLICY_NOT_FOUND) and Conflict (BUILT_IN_ROLE, LAST_ADMIN).
    """
    left = [each for each in split(role.permissions) if each != pair]
    if len(left) == len(role.permissions):
        raise NotFound(f"The role {role.name} has no such policy.", "POLICY_NOT_FOUND")
    replace(viewer, role, left)


def policies(viewer: Viewer, **filters: Unpack[PolicyFilters]) -> tuple[Statement, tuple[Any, ...]]:
    """Every permission of every role as `subject`, `object` and `action`, and the key of their
    order. `filters` are values of these.
    """
    permission = func.unnest(Role.permissions, type_=Text()).column_valued(
        "permission", joins_implicitly=True
    )
    columns: dict[str, ColumnElement[str]] = {
        "subject": Role.name.expression,
        "object": func.split_part(permission, ":", 1),
        "action": func.split_part(permission, ":", 2),
    }
    shown = [column.label(name) for name, column in columns.items()]
    query = Role.visible_to(viewer).with_only_columns(*shown)
    query = query.where(*(columns[name] == each for name, each in filters.items()))
    return query, (Role.name.expression, permission)


def assign(viewer: Viewer, user: User, name: str) -> None:
    """Give a user a role.

    Raises Forbidden, NotFound (ROLE_NOT_FOUND) and Conflict (ROLE_ASSIGNED, ROLE_LIMIT).
    """
    role = to_change(viewer, name)
    _require_held(viewer, role.permissions)
    if len(roles_of(user.id)) >= MOST_ROLES_OF_A_USER:
        raise Conflict(f"A user has {MOST_ROLES_OF_A_USER} roles at the most.", "ROLE_LIMIT")
    new = insert(UserRole).values(user_id=user.id, role_id=role.id).on_conflict_do_nothing()
    if session.scalar(new.returning(UserRole.id)) is None:
        raise Conflict(f"The user has the role {name} already.", "ROLE_ASSIGNED")


def revoke(viewer: Viewer, user: User, name: str) -> None:
    """Take a role from a user. Raises Forbidden, NotFound and Conflict (LAST_ADMIN)."""
    role = to_change(viewer, name)
    _require_held(viewer, role.permissions)
    theirs = (UserRole.user_id == user.id) & (UserRole.role_id == role.id)
    if session.scalar(delete(UserRole).where(theirs).returning(UserRole.id)) is None:
        raise NotFound(f"The user does not have the role {name}.", "ROLE_NOT_FOUND")
    if EVERYTHING in role.permissions:
        admins.require_one()


def vocabulary(
    viewer: Viewer, asked_for: Mapping[str, Collection[str]]
) -> list[dict[str, str | bool]]:
    """All permissions that there are, each with what it allows and whether the viewer holds it,
    and so may give it to a role.

    `asked_for` has the permissions that operations ask for, with the operations' summaries.
    """
    described = {name: "; ".join(summaries) + "." for name, summaries in asked_for.items()}
    described |= {
        f"{resource}:*": f"Every action on {resource}."
        for resource in {name.partition(":")[0] for name in asked_for}
    }
    described |= BESIDE_OPERATIONS
    return [
        {**pair, "description": described[name], "is_held": viewer.may(name)}
        for name, pair in zip(sorted(described), split(sorted(described)), strict=True)
    ]


def split(permissions: Iterable[str]) -> list[Pair]:
    """`resource:action` in two."""
    parted = (each.partition(":") for each in permissions)
    return [{"resource": resource, "action": action} for resource, _, action in parted]


def _joined(pairs: Iterable[Pair]) -> set[str]:
    return {f"{each['resource']}:{each['action']}" for each in pairs}


def _require_held(viewer: Viewer, permissions: Iterable[str]) -> None:
    missing = sorted(each for each in permissions if not viewer.may(each))
    if missing:
        raise Forbidden(f"You cannot give or take what you may not do yourself: {missing[0]}.")


def _no_role(name: str) -> NotFound:
    return NotFound(f"There is no role {name}.", "ROLE_NOT_FOUND")
