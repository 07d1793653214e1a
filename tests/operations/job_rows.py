"""What tests of jobs look at: the queue, and the runs in the database."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from marquee import db, job_runs
from marquee.job_runs import JobRun

JOB, NOBODY = "clean-up", 9_007_199_254_740_991
SECOND = timedelta(seconds=1)


def queued() -> list[dict[str, Any]]:
    """The arguments of the job's tasks in the queue."""
    query = text("select args from procrastinate_jobs where task_name = :task")
    return list(db.session.scalars(query, {"task": job_runs.task_of(JOB)}))


def stored(run_id: int) -> JobRun:
    """A run as it is now."""
    run = db.session.get(JobRun, run_id, populate_existing=True)
    assert run is not None
    return run
