"""Background work: Procrastinate's queue in PostgreSQL.

A worker is a process of its own (`marquee worker`); several may run, on several machines. A domain
that has work to do gives a function that adds its tasks to the queue's application.
"""

from collections.abc import Callable, Sequence

import procrastinate
import structlog
from procrastinate import PsycopgConnector
from sqlalchemy import make_url

log = structlog.get_logger("marquee")

Register = Callable[[procrastinate.App], None]

STALLED_SECONDS = 30
HOURS_KEPT = 24 * 30


def make_app(database_url: str, tasks: Sequence[Register]) -> procrastinate.App:
    """The queue on a database, with the tasks of all domains and its own housekeeping."""
    url = make_url(database_url).set(drivername="postgresql")
    conninfo = url.render_as_string(hide_password=False)
    app = procrastinate.App(connector=PsycopgConnector(conninfo=conninfo))
    for register in (_housekeeping, *tasks):
        register(app)
    return app


async def work(database_url: str, tasks: Sequence[Register], *, concurrency: int) -> None:
    """Do jobs until a signal says to stop; what is running is finished first."""
    app = make_app(database_url, tasks)
    async with app.open_async():
        await app.run_worker_async(concurrency=concurrency, install_signal_handlers=True)


def _housekeeping(app: procrastinate.App) -> None:
    @app.periodic(cron="* * * * *")
    @app.task(queueing_lock="retry-stalled", name="retry-stalled")
    async def retry_stalled(timestamp: int) -> None:
        """Take up what a worker that died has left behind: nothing else in Procrastinate does."""
        stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS)
        for job in stalled:
            log.warning("job_stalled", job=job.id, task=job.task_name, due=timestamp)
            await app.job_manager.retry_job(job)
        await app.job_manager.delete_old_jobs(nb_hours=HOURS_KEPT, include_failed=True)
