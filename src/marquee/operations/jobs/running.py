"""The worker's part: running a named job, and writing down how it ended."""

import time
from collections.abc import Callable
from typing import Any

import procrastinate
import structlog
from procrastinate import JobContext
from sqlalchemy.exc import SQLAlchemyError

from marquee import jobs
from marquee.db import transaction
from marquee.job_runs import task_of
from marquee.named_jobs import NamedJob
from marquee.operations.jobs import runs
from marquee.operations.jobs.keeping import Keeper
from marquee.operations.jobs.named import JOBS
from marquee.progress import Cancelled, Progress, plain

log = structlog.get_logger("marquee")

PAUSES = (0, 1, 2, 4, 8, 16, 32)
"""Seconds between attempts to write down how a run has ended, if the database is away."""

MOST_ATTEMPTS = 10
"""A run that was begun so often takes its workers with it."""
GIVEN_UP = f"Begun {MOST_ATTEMPTS} times, and never ended."


def registering(keeper: Keeper) -> jobs.Register:
    """What adds a task for each job to a queue, for a worker with this keeper."""

    def register(app: procrastinate.App) -> None:
        for job in JOBS.values():
            _add(app, job, keeper)

    return register


def perform(
    job: NamedJob, run_id: int, keeper: Keeper, will_retry: Callable[[Exception], bool]
) -> None:
    """Run a job, unless the run has ended already. Raises what the job raises, but Cancelled."""
    with transaction():
        begun = runs.begin(run_id)
    if begun is None:
        return
    attempt, lines, is_cancelling, arguments = begun
    if attempt > MOST_ATTEMPTS:
        _end(run_id, attempt, {"status": "failed", "error_message": GIVEN_UP})
        return
    progress = Progress(lines)
    if attempt > 1:
        progress.log(f"Begun again: attempt {attempt}.", "warn")
    if is_cancelling:
        progress.cancel()
    ended: dict[str, Any] = {}
    try:
        with keeper.holding(run_id, attempt, progress):
            progress.check()
            ended = {"status": "completed", "result": job.function(progress, **arguments)}
    except Cancelled:
        ended = {"status": "cancelled"}
    except Exception as error:
        if progress.is_cancelled:
            ended = {"status": "cancelled"}
        else:
            status = "pending" if will_retry(error) else "failed"
            message = plain(f"{type(error).__name__}: {error}", runs.LONGEST_ERROR)
            ended = {"status": status, "error_message": message}
            raise
    finally:
        if ended:
            _end(run_id, attempt, {**progress.shown(), **ended})
    log.info("job_ended", job=job.name, run=run_id, status=ended["status"])


def _add(app: procrastinate.App, job: NamedJob, keeper: Keeper) -> None:
    strategy = jobs.patiently(*job.patient_with)

    @app.task(name=task_of(job.name), retry=strategy, pass_context=True)
    def run(context: JobContext, run_id: int) -> None:
        def will_retry(error: Exception) -> bool:
            decision = strategy.get_retry_decision(exception=error, job=context.job)
            return decision is not None

        perform(job, run_id, keeper, will_retry)


def _end(run_id: int, attempt: int, values: dict[str, Any]) -> None:
    """Write it down, with patience: a run that ended must not seem to go on."""
    for pause in PAUSES:
        time.sleep(pause)
        try:
            with transaction():
                runs.end(run_id, attempt, values)
        except SQLAlchemyError as error:
            log.warning("job_end_not_written", run=run_id, error=str(error).strip()[:200])
        else:
            return
