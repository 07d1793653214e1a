"""The audit log: one line for every write of every operation, and for failed sign-ins.

Lines are only added. The worker removes those older than `KEPT`.
"""

from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Index, func, insert, text
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model, session
from marquee.viewer import Viewer, origin

KEPT = timedelta(days=90)

subject: ContextVar[tuple[int | None, str | None]] = ContextVar("subject", default=(None, None))
"""Id and name of the account that a request without a caller is about: of who signs in."""


class Activity(Model):
    """Who did what to what, from where, and whether it worked."""

    __tablename__ = "activity"
    __table_args__ = (
        Index("activity_created_at_idx", text("created_at DESC"), text("id DESC")),
        Index("activity_user_idx", "user_id", text("id DESC")),
        Index("activity_resource_idx", "resource_type", "resource_id", text("id DESC")),
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


ADD = insert(Activity).inline()
"""Built once, and without the ORM: to build it costs more than to run it."""


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
        "resource_type": action.partition(".")[0],
        "resource_id": resource_id,
        "details": details,
        "ip_address": came_from.address,
        "user_agent": came_from.user_agent,
        "request_id": came_from.request_id,
        "success": error_code is None,
        "error_code": error_code,
    }
    session.connection().execute(ADD, line)
