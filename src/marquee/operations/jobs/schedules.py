"""When jobs are due: rows that every worker looks at, so that a change holds for all at once."""

from collections.abc import Sequence
from dataclasses import asdict

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from marquee import clock, job_runs
from marquee.db import session
from marquee.errors import Conflict
from marquee.operations.jobs.models import JobSchedule
from marquee.operations.jobs.named import JOBS

log = structlog.get_logger("marquee")


def ensure() -> Sequence[JobSchedule]:
    """The schedules of all jobs, those that had none from their defaults; by their names' order."""
    query = select(JobSchedule).where(JobSchedule.name.in_(JOBS))
    found = {each.name: each for each in session.scalars(query)}
    if len(found) < len(JOBS):
        missing = [_default(name) for name in JOBS if name not in found]
        session.execute(insert(JobSchedule).values(missing).on_conflict_do_nothing())
        found = {each.name: each for each in session.scalars(query)}
    return [found[name] for name in JOBS]


def start_due() -> None:
    """Start what is due. A job that is running still is left out until it is due again.

    In one transaction, which holds the rows: however many workers do this, each moment that a job
    is due starts it once, or not at all if nobody was there; then it is once for all of them.
    """
    now = clock.now()
    due = JobSchedule.is_enabled & (JobSchedule.next_run_at <= now)
    query = select(JobSchedule).where(due, JobSchedule.name.in_(JOBS))
    # In one order, so that two workers never wait for each other.
    rows = session.scalars(query.order_by(JobSchedule.id).with_for_update(skip_locked=True))
    for each in rows.all():
        each.next_run_at = each.schedule.next_after(now)
        try:
            job_runs.start(each.name, concurrency=JOBS[each.name].concurrency)
        except Conflict:
            log.info("job_still_running", job=each.name)


def _default(name: str) -> dict[str, object]:
    schedule = JOBS[name].schedule
    return {"name": name, **asdict(schedule), "next_run_at": schedule.next_after(clock.now())}
