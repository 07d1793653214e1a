"""The audit log: one line for every write of every operation, and for failed sign-ins.

Lines are only added. The worker removes those older than `KEPT`.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from sqlalchemy import Index, Select, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model, session
from marquee.viewer import Viewer, origin

KEPT = timedelta(days=90)

subject: ContextVar[tuple[int | None, str | None]] = ContextVar("subject", default=(None, None))
"""Id and name of the account that a request without a caller is about: of who signs in."""


class Change(NamedTuple):
    """One value of a field that became another; None for what was not there, or is not any more."""

    name: str
    before: str | None
    after: str | None


class Described(NamedTuple):
    """What a request's line is about."""

    resource_id: str | None = None
    changes: Sequence[Change] = ()


described: ContextVar[Described] = ContextVar("described", default=Described())  # noqa: B039 - it is frozen
"""What the request says of itself, by `describe`."""


LATEST_FIRST = (text("created_at DESC"), text("id DESC"))
"""The order in which lines are read, within every filter."""


class Activity(Model):
    """Who did what to what, from where, and whether it worked."""

    __tablename__ = "activity"
    __table_args__ = (
        Index("activity_created_at_idx", *LATEST_FIRST),
        Index("activity_user_idx", "user_id", *LATEST_FIRST),
        Index("activity_action_idx", "action", *LATEST_FIRST),
        Index("activity_resource_idx", "resource_type", "resource_id", *LATEST_FIRST),
        Index("activity_failed_idx", *LATEST_FIRST, postgresql_where=text("NOT success")),
    )

    user_id: Mapped[int | None]
    username: Mapped[str | None]
    action: Mapped[str]
    resource_type: Mapped[str | None]
    resource_id: Mapped[str | None]
    details: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    ip_address: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str | None]
    request_id: Mapped[str | None]
    success: Mapped[bool]
    error_code: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """All, for those who may read the log; one's own lines for everybody else."""
        query = select(cls)
        return query if viewer.may("audit:list") else query.where(cls.user_id == viewer.id)


FORGOTTEN = "forgotten"
"""The key of the users, in the session's `info`, whom the present transaction has forgotten."""
IDENTIFYING = ("username", "details", "ip_address", "user_agent")
ADD = insert(Activity).inline()
"""Built once, and without the ORM: to build it costs more than to run it."""


def describe(resource_id: str, changes: Sequence[Change] = ()) -> None:
    """Say what the line of the present request is about, where neither the end of its path nor the
    `id` in its answer does; and what it changes, or would have changed if it is refused.
    """
    described.set(Described(resource_id, changes))


def record(
    action: str,
    viewer: Viewer | None,
    *,
    resource_id: str | None = None,
    error_code: str | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Add a line to the log, in the present transaction."""
    came_from = origin.get()
    user_id, username = (viewer.id, viewer.username) if viewer else subject.get()
    line = {
        "user_id": user_id,
        "username": username,
        "action": action,
        "resource_type": action.split(".")[-2],
        "resource_id": resource_id,
        "details": details,
        "ip_address": came_from.address,
        "user_agent": came_from.user_agent,
        "request_id": came_from.request_id,
        "success": error_code is None,
        "error_code": error_code,
    }
    if user_id in session.info.get(FORGOTTEN, ()):
        line |= dict.fromkeys(IDENTIFYING)
    session.connection().execute(ADD, line)


def forget(user_id: int) -> None:
    """Take out of all lines of a user who it was and where: for an account that is deleted. The
    lines that the present transaction still adds are without it too.
    """
    session.execute(
        update(Activity)
        .where(Activity.user_id == user_id)
        .values(dict.fromkeys(IDENTIFYING))
        .execution_options(synchronize_session=False)
    )
    session.info.setdefault(FORGOTTEN, set()).add(user_id)
