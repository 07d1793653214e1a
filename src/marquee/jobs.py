"""Background work: Procrastinate's queue in PostgreSQL.

A worker is a process of its own (`marquee worker`); several may run, on several machines. A domain
that has work to do gives a function that adds its tasks to the queue's application; its services
put jobs into the queue by `defer`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import procrastinate
import structlog
from procrastinate import PsycopgConnector, RetryStrategy
from procrastinate.contrib.sqlalchemy import SQLAlchemyPsycopg2Connector
from procrastinate.jobs import DEFAULT_QUEUE
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url

from marquee.db import session

log = structlog.get_logger("marquee")

Register = Callable[[procrastinate.App], None]

STALLED_SECONDS = 30
HOURS_KEPT = 24 * 30
_outside = procrastinate.App(connector=SQLAlchemyPsycopg2Connector())
"""The queue for those who only add to it: it knows no task, and uses the caller's connection."""


def defer(task: str, **arguments: str | int) -> None:
    """Add a job to the present transaction: there is one when that is committed, else none.

    A worker takes it up at once. Arguments are stored in plain text for weeks, and logged: ids,
    never a secret.
    """
    connection = session.connection()
    _outside.configure_task(task, queue=DEFAULT_QUEUE, connection=connection).defer(**arguments)


def patiently(*errors: type[Exception]) -> RetryStrategy:
    """Do a job again that ended by one of these errors: after 4 s, 16 s, 64 s, and so on, seven
    times within six hours. Then, or after any other error, it has failed, which is logged.
    """
    return RetryStrategy(max_attempts=7, exponential_wait=4, retry_exceptions=errors)


def make_app(database_url: str, tasks: Sequence[Register]) -> procrastinate.App:
    """The queue on a database, with the tasks of all domains and its own housekeeping."""
    app = procrastinate.App(connector=PsycopgConnector(conninfo=conninfo_of(database_url)))
    for register in (_housekeeping, *tasks):
        register(app)
    return app


def conninfo_of(database_url: str) -> str:
    """The same connection in libpq's own words, whose URLs escape other characters."""
    url = make_url(database_url)
    words: dict[str, Any] = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
        **url.query,
    }
    return make_conninfo(**{name: word for name, word in words.items() if word})


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
