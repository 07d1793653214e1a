"""The two kinds of list: numbered pages of the catalogue, and pages by cursor of what grows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeAlias

import orjson
from sqlalchemy import ColumnElement, Row, Select, bindparam, func, select, tuple_

from marquee import signing
from marquee.db import rows, session
from marquee.errors import Invalid

DEEPEST = 10_000
PURPOSE = "cursor"

Statement: TypeAlias = Select[*tuple[Any, ...]]
Values: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class NumberedPage:
    """One numbered page. Totals are exact up to `DEEPEST`, and the planner's estimate beyond."""

    page: int
    page_size: int
    total_results: int
    total_is_estimate: bool
    results: Sequence[Any]

    @property
    def total_pages(self) -> int:
        """How many pages there are, with the last one's rest."""
        return -(-self.total_results // self.page_size)


def numbered(
    query: Statement,
    values: Values | None = None,
    *,
    counted: Statement,
    page: int,
    page_size: int,
) -> NumberedPage:
    """A page of an ordered query. `counted` selects the same rows without their order.

    `values` are those of the queries' `bindparam`s; queries that are one object at every call cost
    least. Raises Invalid for a page that lies beyond the 10,000th result.
    """
    if page * page_size > DEEPEST:
        raise Invalid.value(
            "query", "/page", f"reaches beyond result {DEEPEST}: narrow it by a filter"
        )
    values = values or {}
    total, is_estimate = _total(counted, values)
    window = {"page_size": page_size, "page_start": (page - 1) * page_size}
    found = rows(_windowed(query), values | window)
    return NumberedPage(page, page_size, total, is_estimate, found)


@lru_cache(maxsize=512)
def _windowed(query: Statement) -> Statement:
    return query.limit(bindparam("page_size")).offset(bindparam("page_start"))


@lru_cache(maxsize=512)
def _number_of(counted: Statement) -> Select[int]:
    return select(func.count()).select_from(counted.limit(DEEPEST + 1).subquery())


def _total(counted: Statement, values: Values) -> tuple[int, bool]:
    (row,) = rows(_number_of(counted), values)
    if row[0] <= DEEPEST:
        return row[0], False
    written = counted.compile(session.get_bind()).construct_expanded_state(values)
    plan = (
        session.connection()
        .exec_driver_sql(f"EXPLAIN (FORMAT JSON) {written.statement}", written.parameters)
        .scalar_one()
    )
    return max(row[0], int(plan[0]["Plan"]["Plan Rows"])), True


@dataclass(frozen=True)
class CursorPage:
    """One page of a list that grows, with the cursor of the next; None on the last."""

    items: Sequence[Row[Any]]
    next_cursor: str | None


def by_cursor(  # noqa: PLR0913 - what a page by cursor is
    query: Statement,
    values: Values | None = None,
    *,
    key: Sequence[ColumnElement[Any]],
    name: str,
    descending: bool,
    limit: int,
    cursor: str | None,
) -> CursorPage:
    """A page of a query, in the order of `key`, whose values no two rows share.

    `values` are those of the query's `bindparam`s; a query and keys that are the same objects at
    every call cost least. `name` is what the cursor is good for, e.g. `favorites:rating:desc`: the
    cursor of another list, or of another order, is refused (Invalid). The keys are selected beside
    the rows, as `key_0`, `key_1`, …
    """
    values = {**(values or {}), "page_limit": limit + 1}
    if cursor is not None:
        values |= {f"after_{n}": each for n, each in enumerate(_decode(name, cursor, len(key)))}
    found = rows(_keyed(query, tuple(key), descending, cursor is not None), values)
    shown = found[:limit]
    if len(found) <= limit:
        return CursorPage(shown, None)
    last = [getattr(shown[-1], f"key_{n}") for n in range(len(key))]
    return CursorPage(
        shown, signing.sign(PURPOSE, orjson.dumps([name, *map(_pack, last)]).decode())
    )


@lru_cache(maxsize=512)
def _keyed(
    query: Statement,
    key: tuple[ColumnElement[Any], ...],
    descending: bool,  # noqa: FBT001 - a cache's key
    goes_on: bool,  # noqa: FBT001
) -> Statement:
    keyed = query.add_columns(*(column.label(f"key_{n}") for n, column in enumerate(key)))
    if goes_on:
        after = tuple_(*(bindparam(f"after_{n}", type_=each.type) for n, each in enumerate(key)))
        keyed = keyed.where(tuple_(*key) < after if descending else tuple_(*key) > after)
    order = [column.desc() if descending else column.asc() for column in key]
    return keyed.order_by(*order).limit(bindparam("page_limit"))


KINDS: dict[str, Callable[[str], object]] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}


def _pack(value: object) -> object:
    kind = type(value).__name__
    return [kind, value.isoformat()] if isinstance(value, (date, datetime)) else value


def _unpack(value: Any) -> object:  # noqa: ANN401 - JSON that we wrote
    return KINDS[value[0]](value[1]) if isinstance(value, list) else value


def _decode(name: str, cursor: str, keys: int) -> list[Any]:
    signed = signing.unsign(PURPOSE, cursor)
    words = orjson.loads(signed) if signed is not None else [None]
    if words[0] != name or len(words) != keys + 1:
        raise Invalid.value("query", "/cursor", "is not a cursor of this list in this order")
    return [_unpack(word) for word in words[1:]]
