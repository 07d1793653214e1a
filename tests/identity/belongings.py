"""A user with a row in every table that can hold one, and a word of theirs in every column."""

import re
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    func,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import INET, JSONB

from marquee import clock, db
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.titles import search_title, sort_title
from marquee.identity.oidc.models import OidcProvider
from marquee.identity.users import belongings
from marquee.identity.users.models import Role, User

CANARY = "canary-of-{}"
ADDRESS = "203.0.113.77"
numbers = count(7_000_000)


def fill(user_id: int) -> list[Table]:
    """Add such rows for a user; the tables that have one. What the account itself has, stays."""
    filled = []
    for table, mine in belongings.of(user_id).items():
        if table is User.__table__:
            words = {
                column.name: func.coalesce(column, CANARY.format(f"users.{column.name}"))
                for column in table.columns
                if column.name in ("password_hash", "avatar_url", "cover_url")
            }
            db.session.execute(table.update().where(mine).values(words))
        else:
            db.session.execute(insert(table).values(_row(table, user_id)))
        filled.append(table)
    db.session.commit()
    return filled


def _row(table: Table, user_id: int) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.name == "user_id":
            row[column.name] = user_id
        elif column.foreign_keys:
            row[column.name] = _target(table, column, user_id, row)
        elif not column.primary_key:
            row[column.name] = _value(table, column)
    return row


def _target(table: Table, column: Column[Any], user_id: int, row: dict[str, Any]) -> int | None:
    """Something to refer to; only one of the alternatives `movie_id`, `tvshow_id` and
    `episode_id`.
    """
    (key,) = column.foreign_keys
    target = key.column.table
    if target is User.__table__:
        return user_id
    if target.name in ("sessions", "trakt_accounts", "channels", "recommendations"):
        mine = select(target.c.id).where(belongings.of(user_id)[target]).limit(1)
        return int(db.session.scalars(mine).one())
    if target.name in ("tvshows", "episodes") and row.get("movie_id"):
        return None
    made: dict[str, Any] = {
        "movies": Movie(
            title="Jaws", search_title=search_title("Jaws"), sort_title=sort_title("Jaws")
        ),
        "roles": Role(name=f"role-{next(numbers)}"),
        "oidc_providers": OidcProvider(
            name=f"provider-{next(numbers)}",
            display_name="Provider",
            provider_type="generic",
            issuer_url="https://id.example.org",
            client_id="marquee",
            scopes=["openid"],
        ),
    }
    assert target.name in made, (
        f"{table.name}.{column.name} refers to {target.name}: say above how to make one."
    )
    db.session.add(made[target.name])
    db.session.flush()
    found: int = made[target.name].id
    return found


def one_of(column: Column[Any]) -> str | None:
    """A word that a column may hold which holds no others; None for any other column."""
    for each in column.table.constraints:
        if isinstance(each, CheckConstraint):
            found = re.match(rf"{column.name} IN \('([^']+)'", str(each.sqltext))
            if found:
                return found[1]
    return None


def _value(table: Table, column: Column[Any]) -> Any:
    word = one_of(column) or CANARY.format(f"{table.name}.{column.name}")
    for kind, value in {
        LargeBinary: f"{word}-{next(numbers)}".encode(),
        JSONB: {"word": word, "address": ADDRESS},
        INET: ADDRESS,
        DateTime: clock.now() + timedelta(hours=1),
        Boolean: True,
        SmallInteger: 200,
        Integer: next(numbers),
        Float: 1.0,
        Text: word,
    }.items():
        if isinstance(column.type, kind):
            return value
        if isinstance(column.type, ARRAY) and isinstance(column.type.item_type, kind):
            return [value]
    raise AssertionError(f"{table.name}.{column.name}: say above what may stand in it.")
