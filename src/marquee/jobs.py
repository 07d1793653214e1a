"""Background work: Procrastinate's queue in PostgreSQL.

A worker is a process of its own (`marquee worker`); several may run, on several machines. A domain
that has work to do gives a function that adds its tasks to the queue's application; its services
put jobs into the queue by `defer`. What administrators see, start and put on a schedule is a
`marquee.named_jobs.NamedJob`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog
from sqlalchemy import make_url, text

from marquee.db import session
from marquee.late import late

if TYPE_CHECKING:
    import procrastinate
    from procrastinate.contrib import sqlalchemy as connectors
    from psycopg import conninfo
else:
    procrastinate = late("procrastinate")
    connectors, conninfo = late("procrastinate.contrib.sqlalchemy"), late("psycopg.conninfo")

log = structlog.get_logger("marquee")

Register: TypeAlias = "Callable[[procrastinate.App], None]"

HEARTBEAT_SECONDS = 4
STALLED_SECONDS = 16
"""After so long without a heartbeat, a worker is taken for dead. It has a thread for each job, so
that a job does not keep its heart from beating.
"""
HOURS_KEPT = 24 * 30
STALLED = text(
    "select id, task_name from procrastinate_jobs as job where status = 'doing' and not exists "
    "(select from procrastinate_workers as worker where worker.id = job.worker_id "
    "and worker.last_heartbeat > now() - :seconds * interval '1 second') "
    "order by id for update skip locked"
)
ALIVE = text(
    "select count(*) from procrastinate_workers "
    "where last_heartbeat > now() - :seconds * interval '1 second'"
)
AGAIN = text(
    "select procrastinate_retry_job_v2(id, now(), null, null, null) "
    "from unnest(cast(:ids as bigint[])) as id"
)


def defer(task: str, **arguments: str | int) -> int:
    """Add a job to the present transaction: there is one when that is committed, else none. Its id.

    A worker takes it up at once. Arguments are stored in plain text for weeks, and logged: ids,
    never a secret.
    """
    connection = session.connection()
    configured = _outside().configure_task(task, connection=connection)
    return int(configured.defer(**arguments))


@cache
def _outside() -> procrastinate.App:
    """The queue for those who only add to it: it knows no task, and uses the caller's
    connection.
    """
    return procrastinate.App(connector=connectors.SQLAlchemyPsycopg2Connector())


def patiently(*errors: type[Exception]) -> procrastinate.RetryStrategy:
    """Do a job again that ended by one of these errors: after 4 s, 16 s, 64 s, and so on, seven
    times within six hours. Then, or after any other error, it has failed, which is logged.
    """
    return procrastinate.RetryStrategy(max_attempts=7, exponential_wait=4, retry_exceptions=errors)


def make_app(database_url: str, tasks: Sequence[Register]) -> procrastinate.App:
    """The queue on a database, with the tasks of all domains and its own housekeeping."""
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(conninfo=conninfo_of(database_url))
    )
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
    return conninfo.make_conninfo(**{name: word for name, word in words.items() if word})


async def work(database_url: str, tasks: Sequence[Register], *, concurrency: int) -> None:
    """Do jobs until a signal says to stop; what is running is finished first."""
    app = make_app(database_url, tasks)
    async with app.open_async():
        await app.run_worker_async(
            concurrency=concurrency,
            install_signal_handlers=True,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
        )


def take_up_stalled() -> None:
    """Put back what a worker that died has left behind: nothing else in Procrastinate does.

    The rows are locked before they are put back: of several workers that look, one finds each.
    """
    stalled = session.execute(STALLED, {"seconds": STALLED_SECONDS}).all()
    if not stalled:
        return
    for job_id, task in stalled:
        log.warning("job_stalled", job=job_id, task=task)
    session.execute(AGAIN, {"ids": [job_id for job_id, _ in stalled]})


def workers() -> int:
    """How many worker processes are alive."""
    return int(session.scalars(ALIVE, {"seconds": STALLED_SECONDS}).one())


def _housekeeping(app: procrastinate.App) -> None:
    @app.periodic(cron="7 * * * *")
    @app.task(queueing_lock="delete-old-jobs", name="delete-old-jobs")
    async def delete_old_jobs(timestamp: int) -> None:
        await app.job_manager.delete_old_jobs(nb_hours=HOURS_KEPT, include_failed=True)
        log.info("old_jobs_deleted", due=timestamp)
