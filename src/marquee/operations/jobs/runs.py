"""The life of a run that was asked for: begun, perhaps begun again, ended once."""

from typing import Any

from sqlalchemy import Row, Update, bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from marquee import clock
from marquee.db import session
from marquee.job_runs import ACTIVE, JobRun

LONGEST_ERROR = 1000
NOT_QUEUED = text(
    "not exists (select from procrastinate_jobs as queued "
    "where queued.id = job_runs.queue_id and queued.status in ('todo', 'doing'))"
)
LOST = "Its worker was lost, and the queue has given it up."
MINE = (JobRun.id == bindparam("run_id")) & (JobRun.attempt == bindparam("mine"))
NEXT_VERSION = {"version": JobRun.version + 1}


def begin(run_id: int) -> Row[int, list[dict[str, Any]], bool, dict[str, int]] | None:
    """Take a run up: which attempt this is, the lines of the one before, whether the run is to be
    cancelled, and its arguments. None for one that has ended.
    """
    return session.execute(
        update(JobRun)
        .where(JobRun.id == run_id, JobRun.status.in_(ACTIVE))
        .values(
            NEXT_VERSION
            | {
                "status": "running",
                "attempt": JobRun.attempt + 1,
                "error_message": None,
                "started_at": func.coalesce(JobRun.started_at, clock.now()),
            }
        )
        .returning(JobRun.attempt, JobRun.logs, JobRun.is_cancelling, JobRun.arguments)
    ).first()


def write(run_id: int, attempt: int, values: dict[str, Any]) -> None:
    """Write down what a run has come to, unless another worker has begun it since."""
    session.connection().execute(
        _to_be_written(tuple(values)),
        {"run_id": run_id, "mine": attempt, **{f"new_{name}": it for name, it in values.items()}},
    )


def end(run_id: int, attempt: int, values: dict[str, Any]) -> None:
    """End a run with this `status`, or put it back (`pending`); unless another worker has begun it
    since.
    """
    completed = None if values["status"] == "pending" else clock.now()
    write(run_id, attempt, {**values, "completed_at": completed})


def to_stop(held: dict[int, int]) -> set[int]:
    """Those of these runs, by id with the attempt that is being made, that are to stop."""
    query = select(JobRun.id, JobRun.attempt, JobRun.is_cancelling).where(JobRun.id.in_(held))
    going_on = {
        run_id
        for run_id, attempt, is_cancelling in session.execute(query)
        if attempt == held[run_id] and not is_cancelling
    }
    return held.keys() - going_on


def give_up_lost() -> None:
    """End the runs that the queue does not know any more, so that their jobs can be run again."""
    session.execute(
        update(JobRun)
        .where(JobRun.status.in_(ACTIVE), JobRun.queue_id.is_not(None), NOT_QUEUED)
        .values(
            NEXT_VERSION | {"status": "failed", "error_message": LOST, "completed_at": clock.now()}
        )
        .execution_options(synchronize_session=False)
    )


def _to_be_written(names: tuple[str, ...]) -> Update:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    if "logs" in values:
        # None: no line was added, and the long column need not be written again.
        lines = bindparam("new_logs", type_=JSONB(none_as_null=True))
        values["logs"] = func.coalesce(lines, JobRun.logs)
    query = update(JobRun).where(MINE, JobRun.status == "running")
    return query.values(values | NEXT_VERSION)
