"""marquee/web/paging.py."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from marquee.errors import Invalid
from marquee.identity.users.models import User
from marquee.web.paging import DEEPEST, CursorPage, NumberedPage, by_cursor, numbered

Make = Callable[..., Any]
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def users(make: Make) -> list[User]:
    """Seven users; some were created at the same microsecond."""
    moments = (START + timedelta(microseconds=number // 3) for number in range(7))
    return [make(User, created_at=moment) for moment in moments]


def latest(limit: int, cursor: str | None = None, name: str = "users") -> CursorPage:
    return page(descending=True, limit=limit, cursor=cursor, name=name)


def page(*, descending: bool, limit: int, cursor: str | None, name: str = "users") -> CursorPage:
    key = (User.created_at.expression, User.id.expression)
    query = select(User.id)
    return by_cursor(
        query, {}, key=key, name=name, descending=descending, limit=limit, cursor=cursor
    )


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("descending", [True, False])
def test_pages_meet(users: list[User], limit: int, *, descending: bool) -> None:
    wanted = [user.id for user in users]
    seen: list[int] = []
    cursor = None
    while True:
        found = page(descending=descending, limit=limit, cursor=cursor)
        assert len(found.items) <= limit
        seen += [row.id for row in found.items]
        cursor = found.next_cursor
        if cursor is None:
            break
        assert len(found.items) == limit
    assert seen == (wanted[::-1] if descending else wanted)


def test_the_last_full_page_has_no_next(users: list[User]) -> None:
    assert latest(7).next_cursor is None
    assert latest(6).next_cursor is not None


def test_what_is_added_does_not_move_the_pages(users: list[User], make: Make) -> None:
    first = latest(3)
    make(User, created_at=START + timedelta(days=1))
    second = latest(3, first.next_cursor)
    assert [row.id for row in second.items] == [user.id for user in users[3:0:-1]]


def test_a_cursor_is_of_one_list(users: list[User]) -> None:
    cursor = latest(3).next_cursor
    assert cursor is not None
    for wrong in (cursor[::-1], cursor + "A", "x", cursor.partition(".")[0]):
        with pytest.raises(Invalid):
            latest(3, wrong)
    with pytest.raises(Invalid):
        latest(3, cursor, name="other")


def test_an_empty_list(database: None) -> None:
    query = select(User.id).where(User.id < 0)
    found = by_cursor(
        query, {}, key=(User.id.expression,), name="x", descending=True, limit=5, cursor=None
    )
    assert (list(found.items), found.next_cursor) == ([], None)


@pytest.mark.parametrize(
    "total,size,pages", [(0, 20, 0), (1, 20, 1), (20, 20, 1), (21, 20, 2), (5, 1, 5)]
)
def test_counts_pages(total: int, size: int, pages: int) -> None:
    assert NumberedPage(1, size, total, total_is_estimate=False, results=[]).total_pages == pages


def test_numbered_pages_reach_so_deep(users: list[User]) -> None:
    query = select(User.id).order_by(User.id)
    last = numbered(query, {}, counted=select(User.id), page=DEEPEST // 10, page_size=10)
    assert (last.total_results, last.total_is_estimate, list(last.results)) == (7, False, [])
    with pytest.raises(Invalid):
        numbered(query, {}, counted=select(User.id), page=DEEPEST // 10 + 1, page_size=10)


def test_beyond_so_many_the_total_is_the_planners(database: None) -> None:
    series = func.generate_series(1, DEEPEST + 5).table_valued("number").render_derived()
    counted = select(series.c.number)
    found = numbered(counted.order_by(series.c.number), {}, counted=counted, page=2, page_size=3)
    assert [row.number for row in found.results] == [4, 5, 6]
    assert found.total_is_estimate
    assert found.total_results > DEEPEST
