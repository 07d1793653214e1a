"""Rules of reading the audit log."""

from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import ColumnElement, Row, Select, func, select

from marquee.audit import Activity
from marquee.db import as_dict, missing, rows, session
from marquee.errors import NotFound
from marquee.identity.users.models import User
from marquee.operations.activity.counting import tally
from marquee.viewer import Viewer

NEWEST_FIRST = (Activity.created_at.expression, Activity.id.expression)


class Filters(TypedDict, total=False):
    """What lines must have: these columns' values, and a moment in a span."""

    user_id: int
    action: str
    resource_type: str
    resource_id: str
    success: bool
    start_time: datetime
    end_time: datetime


def listed(viewer: Viewer, **filters: Unpack[Filters]) -> Select[Activity]:
    """The lines that fit all filters; from `start_time` on, and before `end_time`.

    Every filter has an index in this order, so that a page costs what it shows.
    """
    query = Activity.visible_to(viewer)
    for name, value in filters.items():
        query = query.where(_fits(name, value))
    return query


def described(line: Row[Any]) -> dict[str, Any]:
    """A line as the contract shows it."""
    details = dict(line.details or {})
    return {
        **as_dict(line),
        "changes": details.pop("changes", []),
        "error_message": details.pop("error_message", None),
        "metadata": details,
    }


def require_user(user_id: int) -> None:
    """Raise NotFound (USER_NOT_FOUND) where there is no such account."""
    if session.scalar(select(User.id).where(User.id == user_id)) is None:
        raise missing(User, user_id)


def nothing_about(resource_type: str, resource_id: str) -> NotFound:
    """The refusal that the log has no line about a thing."""
    return NotFound(f"The audit log has nothing about {resource_type} {resource_id}.")


def stats(viewer: Viewer) -> dict[str, Any]:
    """How many lines there are, and how old they are."""
    counted = tally(viewer)
    total, failed = counted.tried.total(), counted.refused.total()
    lines, moment = Activity.visible_to(viewer), Activity.created_at
    (ends,) = rows(lines.with_only_columns(func.min(moment), func.max(moment)))
    return {
        "total_count": total,
        "success_count": total - failed,
        "failed_count": failed,
        "oldest_entry": ends[0],
        "newest_entry": ends[1],
    }


def actions(viewer: Viewer, limit: int) -> list[dict[str, Any]]:
    """The most frequent actions with their counts; of those as frequent, by name."""
    found = sorted(tally(viewer).tried.items(), key=lambda each: (-each[1], each[0]))
    return [{"action": action, "count": count} for action, count in found[:limit]]


def _fits(name: str, value: Any) -> ColumnElement[bool]:  # noqa: ANN401 - a column's
    fits: ColumnElement[bool]
    if name == "start_time":
        fits = Activity.created_at >= value
    elif name == "end_time":
        fits = Activity.created_at < value
    elif name == "success":
        # In the words of the index of what failed, so that it is found.
        fits = Activity.success.expression if value else ~Activity.success.expression
    else:
        fits = getattr(Activity, name) == value
    return fits
