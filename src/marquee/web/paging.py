"""The two kinds of list: numbered pages of the catalogue, and pages by cursor of what grows."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypeAlias

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Row,
    Select,
    any_,
    bindparam,
    func,
    select,
    tuple_,
)

from marquee import signing
from marquee.db import rows, session
from marquee.errors import Invalid
from marquee.remembered import Remembered, key_of

DEEPEST = 10_000
SHORT = 2_000
"""What is taken for so short a list is found whole."""
FAR_DOWN = 1_000
ENTRY_BYTES = 1_000
"""What something remembered weighs, with its key, beside ids."""
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


def numbered(  # noqa: PLR0913 - what a numbered page is
    query: Statement,
    values: Values | None = None,
    *,
    counted: Statement,
    page: int,
    page_size: int,
    shown: Statement | None = None,
    remembered: Remembered[Any] | None = None,
    finish: Callable[[Sequence[Row[Any]]], Sequence[Any]] | None = None,
    number_of: Callable[[], int | None] | None = None,
) -> NumberedPage:
    """A page of an ordered query. `counted` selects the same rows without their order.

    With `shown` the query selects ids alone, and `shown` is the columns of the same tables, without
    a condition: an index then has the order of all pages, and only the rows of this one are read.
    `remembered` is where totals, and the ids of pages, are kept for others who ask for the same
    list. `finish` makes the
    results of the page's rows. `number_of` counts what is long more cheaply than the database does,
    or says None.

    `values` are those of the queries' `bindparam`s; queries that are one object at every call cost
    least. Raises Invalid for a page that lies beyond the 10,000th result.
    """
    if page * page_size > DEEPEST:
        raise Invalid.value(
            "query", "/page", f"reaches beyond result {DEEPEST}: narrow it by a filter"
        )
    values, start = values or {}, (page - 1) * page_size
    if shown is not None and remembered is not None and remembered.hears:
        total, is_estimate, ids = _remembered(
            query, counted, values, remembered, number_of, slice(start, start + page_size)
        )
        found = rows(_with_ids(query, shown), {"page_ids": ids})
    else:
        total, is_estimate = _total(counted, values)
        windowed = _windowed(query) if shown is None else _joined(query, shown)
        found = rows(windowed, values | {"page_size": page_size, "page_start": start})
    results = finish(found) if finish else found
    return NumberedPage(page, page_size, total, is_estimate, results)


def _remembered(  # noqa: PLR0913, PLR0917 - what a remembered page is
    query: Statement,
    counted: Statement,
    values: Values,
    remembered: Remembered[Any],
    number_of: Callable[[], int | None] | None,
    window: slice,
) -> tuple[int, bool, list[int]]:
    """The total, whether it is an estimate, and the ids of a page.

    What is taken for short is found whole, which counts it as well: to find one page of it would
    cost the same. So is what is read far down.
    """
    key = key_of(values)

    def ids(start: int, stop: int) -> "array[int]":
        found: array[int] = remembered.find(
            (query, key, start, stop),
            lambda: _ids(query, values | {"page_size": stop - start, "page_start": start}),
            lambda made: ENTRY_BYTES + len(made) * made.itemsize,
        )
        return found

    planned, total = remembered.find(
        (counted, key), lambda: _planned_total(counted, values, number_of), lambda _: ENTRY_BYTES
    )
    if total is not None and window.start < FAR_DOWN:
        page = ids(window.start, window.stop)
    else:
        whole = ids(0, DEEPEST + 1)
        total, page = len(whole), whole[window]
    is_estimate = total > DEEPEST
    return max(total, planned) if is_estimate else total, is_estimate, page.tolist()


def _planned_total(
    counted: Statement, values: Values, number_of: Callable[[], int | None] | None
) -> tuple[int, int | None]:
    """What there is beyond `DEEPEST`, as far as it is known, and the number up to there and one
    more; None where that is better counted by finding it.
    """
    if number_of is not None and (number := number_of()) is not None:
        return number, None if number <= SHORT else min(number, DEEPEST + 1)
    planned = _planned(counted, values)
    return planned, None if planned <= 2 * DEEPEST else _number(counted, values)


def _ids(query: Statement, values: Values) -> "array[int]":
    (row,) = rows(_window_of_ids(query), values)
    return array("q", row[0] or ())


@lru_cache(maxsize=512)
def _window_of_ids(query: Statement) -> Statement:
    """As one array: thousands of rows would cost more to take than to find."""
    found = _windowed(query).subquery()
    return select(func.array_agg(found.columns[0]))


@lru_cache(maxsize=512)
def _windowed(query: Statement) -> Statement:
    return query.limit(bindparam("page_size")).offset(bindparam("page_start"))


@lru_cache(maxsize=512)
def _joined(query: Statement, shown: Statement) -> Statement:
    """The rows of `shown` whose ids the window has, in its order. Once, whatever the planner takes
    the tables for: right after an import it may find them empty, and look for the window by row.
    """
    ids = _windowed(query).cte("page_ids").prefix_with("MATERIALIZED", dialect="postgresql")
    order = query._order_by_clauses  # noqa: SLF001 - SQLAlchemy tells it nowhere else
    return shown.join(ids, ids.c.id == _id(query)).order_by(*order)


@lru_cache(maxsize=512)
def _with_ids(query: Statement, shown: Statement) -> Statement:
    """The rows of `shown` with the ids `page_ids`, in their order."""
    ids = bindparam("page_ids", type_=ARRAY(BigInteger))
    return shown.where(_id(query) == any_(ids)).order_by(func.array_position(ids, _id(query)))


def _id(query: Statement) -> ColumnElement[int]:
    column: ColumnElement[int] = query.selected_columns[0]
    return column


@lru_cache(maxsize=512)
def _number_of(counted: Statement) -> Select[int]:
    return select(func.count()).select_from(counted.limit(DEEPEST + 1).subquery())


def _number(counted: Statement, values: Values) -> int:
    (row,) = rows(_number_of(counted), values)
    return int(row[0])


def _total(counted: Statement, values: Values) -> tuple[int, bool]:
    number = _number(counted, values)
    if number <= DEEPEST:
        return number, False
    return max(number, _planned(counted, values)), True


def _planned(counted: Statement, values: Values) -> int:
    """How many rows the planner expects."""
    written = counted.compile(session.get_bind()).construct_expanded_state(values)
    plan = (
        session.connection()
        .exec_driver_sql(f"EXPLAIN (FORMAT JSON) {written.statement}", written.parameters)
        .scalar_one()
    )
    return int(plan[0]["Plan"]["Plan Rows"])


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
