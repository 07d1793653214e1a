"""Which rows are whose, by the tables themselves: for all that is about everything of one user.

A row belongs to a user whom its column `user_id` names, or whom a foreign key names that deletes it
with the user; and so does what is deleted with such a row.
"""

import re
from typing import Any

from sqlalchemy import Column, ColumnElement, LargeBinary, Table, or_, select

from marquee.db import Model
from marquee.identity.users.models import User

CONCEALED = "concealed"
"""The key in a column's `info` that keeps it to ourselves where neither type nor name does."""
SECRETS = re.compile(r"password|digest|hash|secret|token|sealed|verifier|nonce")


def of(user_id: int) -> dict[Table, ColumnElement[bool]]:
    """Every table that can hold rows of a user, and which of its rows are this one's."""
    users = User.metadata.tables[User.__tablename__]
    owned: dict[Table, ColumnElement[bool]] = {users: users.c.id == user_id}
    # Sorted by dependency: a table comes after those that its rows are deleted with.
    for table in Model.metadata.sorted_tables:
        if table is users:
            continue
        named = [column == user_id for column in _owners(table)]
        through = [
            column.in_(select(parent.c.id).where(owned[parent]))
            for column, parent in _parents(table)
            if parent in owned
        ]
        if ways := named or through:
            owned[table] = or_(*ways)
    return owned


def unbound(table: Table) -> bool:
    """Whether rows name a user without a foreign key that deletes them with the user."""
    return "user_id" in table.c and not table.c.user_id.foreign_keys


def shown(column: Column[Any]) -> bool:
    """Whether a column may be shown to the row's owner: neither secret nor the digest of one."""
    binary = isinstance(column.type, LargeBinary)
    return not (binary or SECRETS.search(column.name) or column.info.get(CONCEALED))


def _owners(table: Table) -> list[Column[Any]]:
    """The columns that name whose a row is."""
    by_key = [column for column, parent in _parents(table) if parent.name == User.__tablename__]
    return [*by_key, *([table.c.user_id] if unbound(table) else [])]


def _parents(table: Table) -> list[tuple[Column[Any], Table]]:
    """The columns by which a row is deleted with another, and that one's table."""
    return [
        (key.parent, key.column.table)
        for key in table.foreign_keys
        if (key.ondelete or "").upper() == "CASCADE"
    ]
