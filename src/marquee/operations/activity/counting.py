"""How many lines the audit log has, by action: exact, without reading all of it.

A line never changes, and none is added to a day that is over: the worker counts each day once. Who
asks adds up those days, and counts today's lines, those of the day that is being removed, and those
of days that nobody has counted. (1,000,000 lines of 90 days: 180 ms to count all of them, 5 ms so.)
"""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, delete, func, select, true
from sqlalchemy.dialects.postgresql import insert

from marquee import clock
from marquee.audit import KEPT, Activity
from marquee.db import checkpoint, session
from marquee.operations.activity.models import ActivityDay
from marquee.viewer import Viewer

DAY = timedelta(days=1)
SETTLED = timedelta(hours=1)
"""After so long nothing that began before midnight can still commit."""


class Tally(NamedTuple):
    """Lines by action: all of them, and those that were refused."""

    tried: Counter[str]
    refused: Counter[str]

    def add(self, action: str, worked: int, refused: int) -> None:
        """Count more lines."""
        self.tried[action] += worked + refused
        self.refused[action] += refused


def tally(viewer: Viewer) -> Tally:
    """All lines, by action."""
    counted, found = Tally(Counter(), Counter()), ActivityDay.visible_to(viewer)
    days = list(
        session.scalars(found.where(ActivityDay.day > _removing()).order_by(ActivityDay.day))
    )
    for each in days:
        for action, (worked, refused) in each.counts.items():
            counted.add(action, worked, refused)
    others: ColumnElement[bool] = true()
    if days:
        first, end = _midnight(days[0].day), _midnight(days[-1].day + DAY)
        others = (Activity.created_at < first) | (Activity.created_at >= end)
    for action, worked, refused in session.execute(_by_action(Activity.visible_to(viewer), others)):
        counted.add(action, worked, refused)
    return counted


def count_days() -> None:
    """Count the days that are over and have not been counted; forget those that are removed.

    Commits after each day.
    """
    session.execute(delete(ActivityDay).where(ActivityDay.day <= _removing()))
    latest = session.scalar(select(func.max(ActivityDay.day)))
    oldest = session.scalar(select(func.min(Activity.created_at)))
    before = oldest.astimezone(UTC).date() - DAY if oldest else clock.now().date()
    day = max(latest or before, _removing()) + DAY
    while _midnight(day + DAY) + SETTLED <= clock.now():
        lines = (Activity.created_at >= _midnight(day)) & (
            Activity.created_at < _midnight(day + DAY)
        )
        found = session.execute(_by_action(select(Activity), lines)).all()
        counts = {action: [worked, refused] for action, worked, refused in found}
        session.execute(insert(ActivityDay).values(day=day, counts=counts).on_conflict_do_nothing())
        checkpoint()
        day += DAY


def _by_action(query: Select[Activity], lines: ColumnElement[bool]) -> Select[str, int, int]:
    worked = func.count().filter(Activity.success)
    refused = func.count().filter(~Activity.success)
    return (
        query.where(lines)
        .with_only_columns(Activity.action, worked, refused)
        .group_by(Activity.action)
    )


def _removing() -> date:
    """The day whose lines are being removed, hour by hour; those before it are gone."""
    return (clock.now() - KEPT).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
