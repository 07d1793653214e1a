"""The two kinds of list: numbered pages of the catalogue, and pages by cursor of what grows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Row, Select, func, select, tuple_

from marquee import signing
from marquee.db import session
from marquee.errors import Invalid

DEEPEST = 10_000
PURPOSE = "cursor"


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
    query: Select[*tuple[Any, ...]], *, counted: Select[*tuple[Any, ...]], page: int, page_size: int
) -> NumberedPage:
    """A page of an ordered query. `counted` selects the same rows without their order.

    Raises Invalid for a page that lies beyond the 10,000th result.
    """
    if page * page_size > DEEPEST:
        raise Invalid.value(
            "query", "/page", f"reaches beyond result {DEEPEST}: narrow it by a filter"
        )
    total, is_estimate = _total(counted)
    rows = session.execute(query.limit(page_size).offset((page - 1) * page_size)).all()
    return NumberedPage(page, page_size, total, is_estimate, rows)


def _total(counted: Select[Any]) -> tuple[int, bool]:
    capped = counted.limit(DEEPEST + 1).subquery()
    total = session.scalar(select(func.count()).select_from(capped)) or 0
    if total <= DEEPEST:
        return total, False
    compiled = counted.compile(session.get_bind(), compile_kwargs={"render_postcompile": True})
    plan = (
        session.connection()
        .exec_driver_sql(f"EXPLAIN (FORMAT JSON) {compiled}", compiled.params)
        .scalar_one()
    )
    return max(total, int(plan[0]["Plan"]["Plan Rows"])), True


@dataclass(frozen=True)
class CursorPage:
    """One page of a list that grows, with the cursor of the next; None on the last."""

    items: Sequence[Row[Any]]
    next_cursor: str | None


def by_cursor(  # noqa: PLR0913 - what a page by cursor is
    query: Select[Any],
    *,
    key: Sequence[ColumnElement[Any]],
    name: str,
    descending: bool,
    limit: int,
    cursor: str | None,
) -> CursorPage:
    """A page of a query, in the order of `key`, whose values no two rows share.

    `name` is what the cursor is good for, e.g. `favorites:rating:desc`: the cursor of another list,
    or of another order, is refused (Invalid). The keys are selected beside the rows, as `key_0`,
    `key_1`, …
    """
    keyed = query.add_columns(*(column.label(f"key_{n}") for n, column in enumerate(key)))
    if cursor is not None:
        after = tuple_(*_decode(name, cursor, len(key)))
        keyed = keyed.where(tuple_(*key) < after if descending else tuple_(*key) > after)
    order = [column.desc() if descending else column.asc() for column in key]
    rows = session.execute(keyed.order_by(*order).limit(limit + 1)).all()
    shown = rows[:limit]
    if len(rows) <= limit:
        return CursorPage(shown, None)
    last = [getattr(shown[-1], f"key_{n}") for n in range(len(key))]
    return CursorPage(
        shown, signing.sign(PURPOSE, orjson.dumps([name, *map(_pack, last)]).decode())
    )


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
