"""Runs of named jobs, and how every domain asks for one.

`marquee.operations.jobs` does what was asked for, and shows it.
"""

from datetime import datetime
from typing import Any, Self

from sqlalchemy import ForeignKey, Index, Select, false, func, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marquee import jobs
from marquee.db import Model, session
from marquee.errors import Conflict
from marquee.viewer import Viewer

ACTIVE = ("pending", "running")
ACTIVE_ONLY = text("status = ANY (ARRAY['pending'::text, 'running'::text])")


def administers(viewer: Viewer) -> bool:
    """Whether the caller may see and start jobs."""
    return any(viewer.may(f"admin:{each}") for each in ("list", "get", "create", "update"))


class JobRun(Model):
    """One run of a job, from the moment that it is asked for."""

    __tablename__ = "job_runs"
    __table_args__ = (
        Index("job_runs_history_idx", "job_name", text("id DESC")),
        Index("job_runs_active_idx", "job_name", postgresql_where=ACTIVE_ONLY),
    )

    job_name: Mapped[str]
    arguments: Mapped[dict[str, int]] = mapped_column(JSONB, default=dict, server_default="{}")
    """What the job's function is called with; none for all of its work."""
    status: Mapped[str] = mapped_column(default="pending", server_default="pending")
    """`pending`, `running`, `completed`, `failed` or `cancelled`."""
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often it was begun. Who began it earlier cannot write here any more."""
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often what is shown of it has changed."""
    queue_id: Mapped[int | None]
    """Its job in the queue."""
    started_by: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
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
        return select(cls).where(literal(administers(viewer)))


def task_of(job_name: str) -> str:
    """The name of a job's task in the queue."""
    return f"job:{job_name}"


def accepted(run: JobRun, message: str) -> tuple[dict[str, Any], int]:
    """The answer of an operation that a run goes on for: `JobAnswer` of the contract, and 202."""
    return {"message": message, "job_id": run.id, "status": run.status}, 202


def start(
    job_name: str,
    started_by: int | None = None,
    *,
    concurrency: int = 1,
    **arguments: int,
) -> JobRun:
    """Ask for a run of a job, in the present transaction.

    `arguments` narrow the work, e.g. `movie_id=42`. Raises Conflict (JOB_RUNNING, with its
    `job_id`) where as many runs with the same arguments have not ended as there may be.
    """
    # Of two who ask at once, the second waits here and sees what the first has asked for.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"job:{job_name}", 0))))
    same = JobRun.arguments == arguments
    query = select(JobRun.id).where(JobRun.job_name == job_name, JobRun.status.in_(ACTIVE), same)
    active = session.scalars(query.order_by(JobRun.id)).all()
    if len(active) >= concurrency:
        details: dict[str, object] = {"job_id": active[0]}
        raise Conflict(f"{job_name} is running already.", "JOB_RUNNING", details=details)
    run = JobRun(job_name=job_name, started_by=started_by, arguments=arguments)
    session.add(run)
    session.flush()
    run.queue_id = jobs.defer(task_of(job_name), run_id=run.id)
    return run
