"""The tables of named jobs."""

from datetime import datetime
from typing import Any, Self

from sqlalchemy import (
    ForeignKey,
    Index,
    Select,
    SmallInteger,
    Text,
    false,
    func,
    literal,
    select,
    text,
)
from sqlalchemy import true as always
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model
from marquee.identity.users.models import User
from marquee.named_jobs import Kind, Schedule
from marquee.viewer import Viewer

ACTIVE = ("pending", "running")
ACTIVE_ONLY = text("status = ANY (ARRAY['pending'::text, 'running'::text])")


def _administers(viewer: Viewer) -> bool:
    return any(viewer.may(f"admin:{each}") for each in ("list", "get", "create", "update"))


class JobSchedule(Model):
    """When a job is due. Made from the job's default when it is first asked for."""

    __tablename__ = "job_schedules"
    __table_args__ = (Index("job_schedules_due_idx", "next_run_at", postgresql_where="is_enabled"),)

    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[Kind] = mapped_column(Text)
    hour: Mapped[int] = mapped_column(SmallInteger)
    minute: Mapped[int] = mapped_column(SmallInteger)
    day_of_week: Mapped[int] = mapped_column(SmallInteger)
    interval_hours: Mapped[int | None] = mapped_column(SmallInteger)
    interval_minutes: Mapped[int | None] = mapped_column(SmallInteger)
    is_enabled: Mapped[bool] = mapped_column(server_default=always())
    next_run_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def schedule(self) -> Schedule:
        """The same as a value."""
        return Schedule(
            self.kind,
            self.hour,
            self.minute,
            self.day_of_week,
            self.interval_hours,
            self.interval_minutes,
        )

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """All, for those who administer the server."""
        return select(cls).where(literal(_administers(viewer)))


class JobRun(Model):
    """One run of a job, from the moment that it is asked for."""

    __tablename__ = "job_runs"
    __table_args__ = (
        Index("job_runs_history_idx", "job_name", text("id DESC")),
        Index("job_runs_active_idx", "job_name", postgresql_where=ACTIVE_ONLY),
    )

    job_name: Mapped[str]
    status: Mapped[str] = mapped_column(default="pending", server_default="pending")
    """`pending`, `running`, `completed`, `failed` or `cancelled`."""
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often it was begun. Who began it earlier cannot write here any more."""
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often what is shown of it has changed."""
    queue_id: Mapped[int | None]
    """Its job in the queue."""
    started_by: Mapped[int | None] = mapped_column(
        ForeignKey(User.id, ondelete="SET NULL"), index=True
    )
    """Who asked for it; None for the schedule, and for those who are gone."""
    is_cancelling: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None] = mapped_column(index=True)
    current_step: Mapped[str | None]
    current_step_index: Mapped[int] = mapped_column(default=0, server_default="0")
    total_steps: Mapped[int] = mapped_column(default=0, server_default="0")
    items_processed: Mapped[int] = mapped_column(default=0, server_default="0")
    items_total: Mapped[int | None]
    current_item: Mapped[str | None]
    logs: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default="[]")
    result: Mapped[dict[str, int] | None] = mapped_column(JSONB(none_as_null=True))
    error_message: Mapped[str | None]

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """All, for those who administer the server."""
        return select(cls).where(literal(_administers(viewer)))
