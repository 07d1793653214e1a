"""The table of the schedules of named jobs."""

from datetime import datetime
from typing import Self

from sqlalchemy import Index, Select, SmallInteger, Text, func, literal, select
from sqlalchemy import true as always
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model
from marquee.job_runs import administers
from marquee.named_jobs import Kind, Schedule
from marquee.viewer import Viewer


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
        return select(cls).where(literal(administers(viewer)))
