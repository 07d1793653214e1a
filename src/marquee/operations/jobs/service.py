"""Rules of named jobs, for those who administer them."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Row, Select, func, select, true
from sqlalchemy.orm import aliased

from marquee import audit, clock, job_runs, jobs
from marquee.db import session
from marquee.errors import Conflict, Invalid, NotFound
from marquee.job_runs import ACTIVE, JobRun
from marquee.named_jobs import HOURS, MINUTES, Schedule
from marquee.operations.jobs import schedules
from marquee.operations.jobs.models import JobSchedule
from marquee.operations.jobs.named import JOBS, named
from marquee.progress import percent_of_all, percent_of_step
from marquee.viewer import Viewer

LATEST_FIRST = (JobRun.id.expression,)
LINES_IN_HISTORY = 100
PREFIX = "schedule_"
INTERVALS = ("interval_hours", "interval_minutes")


def listed(viewer: Viewer) -> list[dict[str, Any]]:
    """All jobs: when they are due, what they are at, and how they ended last."""
    of_jobs = {each.name: each for each in schedules.ensure()}
    running = {each.job_name: progress(each) for each in reversed(active(viewer))}
    ended = {each.job_name: history_line(each) for each in _last_ended(viewer)}
    return [_job(name, of_jobs[name], running.get(name), ended.get(name)) for name in JOBS]


def active(viewer: Viewer) -> list[JobRun]:
    """The runs that have not ended, the oldest first."""
    query = JobRun.visible_to(viewer).where(JobRun.status.in_(ACTIVE))
    return list(session.scalars(query.order_by(JobRun.id)))


def run(viewer: Viewer, run_id: int) -> JobRun:
    """One run. Raises NotFound (JOB_NOT_FOUND)."""
    found: JobRun | None = session.scalar(JobRun.visible_to(viewer).where(JobRun.id == run_id))
    if found is None:
        raise NotFound(f"There is no run {run_id}.", "JOB_NOT_FOUND")
    return found


def start(viewer: Viewer, name: str) -> JobRun:
    """Run a job now. Raises NotFound (JOB_NOT_FOUND), Conflict (JOB_RUNNING, with its `job_id`)."""
    job = named(name)
    audit.describe(name)
    return job_runs.start(name, viewer.id, concurrency=job.concurrency)


def cancel(viewer: Viewer, name: str) -> JobRun:
    """Cancel the oldest run of a job that has not ended: at once if it waits, else its worker stops
    it within a second. Raises NotFound (JOB_NOT_FOUND), Conflict (JOB_NOT_RUNNING).
    """
    named(name)
    audit.describe(name)
    query = JobRun.visible_to(viewer).where(JobRun.job_name == name, JobRun.status.in_(ACTIVE))
    found = session.scalars(query.order_by(JobRun.id).limit(1).with_for_update()).first()
    if found is None:
        raise Conflict(f"{name} is not running.", "JOB_NOT_RUNNING")
    found.is_cancelling = True
    found.version += 1
    if found.status == "pending":
        found.status, found.completed_at = "cancelled", clock.now()
    session.flush()
    return found


def history(viewer: Viewer, name: str) -> Select[JobRun]:
    """The runs of a job. Raises NotFound (JOB_NOT_FOUND)."""
    return JobRun.visible_to(viewer).where(JobRun.job_name == named(name).name)


def schedule(viewer: Viewer, name: str, *, to_change: bool = False) -> JobSchedule:
    """When a job is due; locked `to_change` it. Raises NotFound (JOB_NOT_FOUND)."""
    named(name)
    schedules.ensure()
    query = JobSchedule.visible_to(viewer).where(JobSchedule.name == name)
    query = query.with_for_update() if to_change else query
    found: JobSchedule = session.scalars(query.execution_options(populate_existing=True)).one()
    return found


def reschedule(row: JobSchedule, values: Mapping[str, Any]) -> JobSchedule:
    """Change what is named; a job's next run is counted from now. Raises Invalid for an interval
    without exactly one of hours and minutes, or one that does not divide a day.
    """
    given = {name.removeprefix(PREFIX): it for name, it in values.items()}
    is_enabled = given.pop("is_enabled", row.is_enabled)
    if "type" in given:
        given["kind"] = given.pop("type")
    before = config(row)
    if any(name in given for name in INTERVALS):
        # To name one is to mean that one alone, and an interval.
        given = {"kind": "interval"} | dict.fromkeys(INTERVALS) | given
    elif given.get("kind", row.kind) != "interval":
        given |= dict.fromkeys(INTERVALS)
    wanted = replace(row.schedule, **given)
    _require_interval(wanted)
    for name, value in asdict(wanted).items():
        setattr(row, name, value)
    row.is_enabled, row.updated_at = is_enabled, clock.now()
    row.next_run_at = wanted.next_after(row.updated_at) if is_enabled else None
    after = config(row)
    audit.describe(
        row.name,
        [
            audit.Change(name, _word(before[name]), _word(after[name]))
            for name in ("formatted", "is_enabled")
            if before[name] != after[name]
        ],
    )
    session.flush()
    return row


def status(viewer: Viewer) -> dict[str, Any]:
    """Whether anybody works, and what is due."""
    schedules.ensure()
    query = JobSchedule.visible_to(viewer).where(JobSchedule.name.in_(JOBS))
    due = session.scalars(query.where(JobSchedule.is_enabled, JobSchedule.kind != "manual"))
    workers = jobs.workers()
    order = list(JOBS)
    return {
        "is_running": workers > 0,
        "workers": workers,
        "scheduled_jobs": [
            {
                "job_name": each.name,
                "cron_expression": each.schedule.cron,
                "schedule": each.schedule.formatted,
                "next_run_at": each.next_run_at,
            }
            for each in sorted(due, key=lambda each: order.index(each.name))
        ],
    }


def config(row: JobSchedule) -> dict[str, Any]:
    """A schedule as it is shown to be changed."""
    values = asdict(row.schedule)
    values["type"] = values.pop("kind")
    return {
        "job_name": row.name,
        **{PREFIX + name: value for name, value in values.items()},
        "is_enabled": row.is_enabled,
        "formatted": row.schedule.formatted,
        "next_run_at": row.next_run_at,
    }


def progress(each: JobRun) -> dict[str, Any]:
    """How far a run is."""
    of_step = percent_of_step(each.items_processed, each.items_total)
    overall = percent_of_all(each.current_step_index, each.total_steps, of_step)
    if each.status == "completed":
        of_step = overall = 100
    return {
        "job_id": each.id,
        "job_name": each.job_name,
        "status": each.status,
        "is_cancelling": each.is_cancelling,
        "started_at": each.started_at,
        "completed_at": each.completed_at,
        "current_step": each.current_step,
        "current_step_index": each.current_step_index,
        "total_steps": each.total_steps,
        "step_progress": of_step,
        "overall_progress": overall,
        "items_processed": each.items_processed,
        "items_total": each.items_total,
        "current_item": each.current_item,
        "logs": each.logs,
        "error": each.error_message,
        "result": each.result,
    }


def history_line(each: JobRun | Row[Any]) -> dict[str, Any]:
    """A run as the history shows it."""
    duration = None
    if each.started_at and each.completed_at:
        duration = int((each.completed_at - each.started_at).total_seconds() * 1000)
    return {
        "id": each.id,
        "job_name": each.job_name,
        "status": each.status,
        "started_by": each.started_by,
        "created_at": each.created_at,
        "started_at": each.started_at,
        "completed_at": each.completed_at,
        "duration_ms": duration,
        "items_processed": each.items_processed,
        "items_total": each.items_total,
        "error_message": each.error_message,
        "metadata": {"logs": each.logs[-LINES_IN_HISTORY:], "result": each.result},
    }


def _require_interval(wanted: Schedule) -> None:
    hours, minutes = wanted.interval_hours, wanted.interval_minutes
    if (wanted.kind == "interval") != ((hours is None) != (minutes is None)):
        message = "an interval, and nothing else, has either hours or minutes"
        raise Invalid.value("body", "/schedule_interval_hours", message)
    for name, value, allowed in (("hours", hours, HOURS), ("minutes", minutes, MINUTES)):
        if value is not None and value not in allowed:
            message = f"is none of {', '.join(map(str, allowed))}"
            raise Invalid.value("body", f"/schedule_interval_{name}", message)


def _job(
    name: str,
    row: JobSchedule,
    running: dict[str, Any] | None,
    ended: dict[str, Any] | None,
) -> dict[str, Any]:
    values, timing = asdict(row.schedule), row.schedule
    values["type"] = values.pop("kind")
    return {
        "name": name,
        "description": JOBS[name].description,
        "cron": timing.cron,
        "manual_only": timing.kind == "manual",
        "status": "running" if running else "idle",
        "current_job_id": running and running["job_id"],
        "progress": running,
        "schedule": {**values, "is_enabled": row.is_enabled, "formatted": timing.formatted},
        "next_run_at": row.next_run_at,
        "last_run": ended,
    }


def _last_ended(viewer: Viewer) -> list[JobRun]:
    """The latest run of each job that has ended."""
    names = select(func.unnest(list(JOBS)).label("name")).subquery()
    visible = JobRun.visible_to(viewer)
    last = (
        visible.where(JobRun.job_name == names.c.name, JobRun.status.not_in(ACTIVE))
        .order_by(JobRun.id.desc())
        .limit(1)
        .lateral()
    )
    return list(
        session.scalars(select(aliased(JobRun, last)).select_from(names).join(last, true()))
    )


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
