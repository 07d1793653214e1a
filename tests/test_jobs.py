"""marquee/jobs.py: jobs that exist exactly when a transaction was committed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from procrastinate.jobs import Job
from sqlalchemy import Engine, text

from marquee import clock, db, jobs

TASK = "a task of the tests"


@pytest.fixture
def queue(engine: Engine) -> Iterator[Engine]:
    """The real queue, and what was added to it taken away again."""
    yield engine
    db.session.remove()
    with engine.begin() as connection:
        connection.execute(
            text("delete from procrastinate_jobs where task_name = :task"), {"task": TASK}
        )


def waiting(engine: Engine) -> list[dict[str, Any]]:
    """The arguments of the jobs that another connection sees."""
    query = text("select args from procrastinate_jobs where task_name = :task order by id")
    with engine.connect() as connection:
        return list(connection.scalars(query, {"task": TASK}))


class Changed(Exception):
    """Somebody thought better of it."""


def test_a_job_is_there_when_the_transaction_is_committed(queue: Engine) -> None:
    with db.transaction():
        jobs.defer(TASK, user_id=7, kind="50% 'off'")
        jobs.defer(TASK, user_id=8)
        assert waiting(queue) == []
    assert waiting(queue) == [{"user_id": 7, "kind": "50% 'off'"}, {"user_id": 8}]


def test_and_never_otherwise(queue: Engine) -> None:
    def change_of_mind() -> None:
        with db.transaction():
            jobs.defer(TASK, user_id=7)
            raise Changed

    with pytest.raises(Changed):
        change_of_mind()
    assert waiting(queue) == []


def test_patience_has_an_end() -> None:
    strategy = jobs.patiently(OSError)

    def wait(error: Exception, attempts: int) -> float | None:
        job = Job(id=1, queue="q", lock=None, queueing_lock=None, task_name=TASK, attempts=attempts)
        decision = strategy.get_retry_decision(exception=error, job=job)
        if decision is None or decision.retry_at is None:
            return None
        return round((decision.retry_at - clock.now()).total_seconds())

    waits = [wait(TimeoutError(), attempts) for attempts in range(8)]
    assert waits == [4, 16, 64, 256, 1024, 4096, 16384, None]
    assert timedelta(seconds=sum(filter(None, waits))) > timedelta(hours=6)
    assert wait(ValueError(), 0) is None
