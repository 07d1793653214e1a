"""Named jobs: what is due, how a run is performed, and what is written of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from croniter import croniter
from sqlalchemy import select, text

from marquee import clock, db
from marquee.identity.users.models import User
from marquee.job_runs import JobRun
from marquee.named_jobs import NamedJob, Schedule
from marquee.operations.jobs import runs, schedules
from marquee.operations.jobs.keeping import Keeper
from marquee.operations.jobs.models import JobSchedule
from marquee.operations.jobs.named import JOBS
from marquee.operations.jobs.running import GIVEN_UP, MOST_ATTEMPTS, perform
from marquee.progress import Cancelled, Progress
from tests.operations.job_rows import JOB, NOBODY, SECOND, queued, stored

Make = Callable[..., Any]


class TestWhatIsDue:
    def test_is_started_once(self, make: Make) -> None:
        schedules.ensure()
        row = db.session.scalars(select(JobSchedule).where(JobSchedule.name == JOB)).one()
        schedules.start_due()
        assert queued() == []
        row.next_run_at = clock.now() - 50 * SECOND
        schedules.start_due()
        schedules.start_due()
        (run,) = db.session.scalars(select(JobRun))
        assert queued() == [{"run_id": run.id}]
        assert run.started_by is None
        assert row.next_run_at > clock.now()
        # Left out while it is running.
        row.next_run_at = clock.now() - SECOND
        schedules.start_due()
        assert queued() == [{"run_id": run.id}]
        assert row.next_run_at > clock.now()

    def test_not_what_is_disabled(self, admin: httpx.Client) -> None:
        admin.patch(f"/jobs/{JOB}/config", json={"is_enabled": False})
        row = db.session.scalars(select(JobSchedule).where(JobSchedule.name == JOB)).one()
        row.next_run_at = clock.now() - SECOND
        schedules.start_due()
        assert queued() == []


class TestClearingUp:
    def test_is_a_job(self, make: Make) -> None:
        old = make(JobRun, job_name=JOB, completed_at=clock.now() - timedelta(days=31)).id
        young = make(JobRun, job_name=JOB, completed_at=clock.now() - timedelta(days=29)).id
        run_id = make(JobRun, job_name=JOB).id
        db.session.remove()
        perform(JOBS[JOB], run_id, Keeper(), lambda _: False)
        run = stored(run_id)
        assert (run.status, run.attempt, run.current_step_index) == (
            "completed",
            1,
            run.total_steps,
        )
        assert run.result is not None
        assert run.result["job_runs"] == 1
        left = set(db.session.scalars(select(JobRun.id)))
        assert (old in left, young in left) == (False, True)

    def test_stays_when_who_started_it_goes(self, make: Make) -> None:
        user = make(User)
        run = make(JobRun, job_name=JOB, started_by=user.id)
        db.session.delete(user)
        db.session.commit()
        assert stored(run.id).started_by is None


class TestPerforming:
    @staticmethod
    def ended(make: Make, function: Callable[[Progress], dict[str, int]], **run: Any) -> JobRun:
        """The run of a job of this function."""
        job = NamedJob("of-the-tests", "Tests.", function)
        run_id = make(JobRun, job_name=job.name, **run).id
        db.session.remove()
        try:
            perform(job, run_id, Keeper(), lambda error: isinstance(error, OSError))
        except (OSError, ValueError):
            db.session.remove()
        return stored(run_id)

    def test_what_fails(self, make: Make) -> None:
        def fail(progress: Progress) -> dict[str, int]:
            progress.log("So far\0.", file="x" * 1000)
            raise ValueError("no " * 1000)

        run = self.ended(make, fail)
        assert (run.status, run.completed_at is None) == ("failed", False)
        assert run.error_message is not None
        assert run.error_message.startswith("ValueError: no no ")
        assert len(run.error_message) == runs.LONGEST_ERROR
        assert (run.logs[0]["message"], run.logs[0]["data"]) == ("So far.", {"file": "x" * 500})

    def test_what_will_be_tried_again(self, make: Make) -> None:
        def fail(_: Progress) -> dict[str, int]:
            raise OSError("later")

        run = self.ended(make, fail)
        assert (run.status, run.completed_at) == ("pending", None)

    def test_what_fails_when_it_was_cancelled(self, make: Make) -> None:
        def fail(progress: Progress) -> dict[str, int]:
            progress.cancel()
            raise OSError("later")

        run = self.ended(make, fail)
        assert (run.status, run.completed_at is None) == ("cancelled", False)

    def test_what_was_cancelled_while_nobody_ran_it(self, make: Make) -> None:
        run = self.ended(make, lambda _: {"never": 1}, status="running", is_cancelling=True)
        assert (run.status, run.result) == ("cancelled", None)

    def test_what_was_begun_too_often(self, make: Make) -> None:
        run = self.ended(make, lambda _: {"never": 1}, status="running", attempt=MOST_ATTEMPTS)
        assert (run.status, run.error_message, run.result) == ("failed", GIVEN_UP, None)

    def test_only_the_latest_attempt_is_written(self, make: Make) -> None:
        def lose(_: Progress) -> dict[str, int]:
            db.session.execute(
                text("update job_runs set attempt = attempt + 1 where job_name = 'of-the-tests'")
            )
            db.session.commit()
            db.session.remove()
            return {"done": 1}

        run = self.ended(make, lose)
        assert (run.status, run.attempt, run.result) == ("running", 2, None)

    def test_what_the_queue_has_lost(self, make: Make) -> None:
        lost = make(JobRun, job_name=JOB, status="running", queue_id=NOBODY)
        runs.give_up_lost()
        assert (stored(lost.id).status, stored(lost.id).error_message) == ("failed", runs.LOST)

    def test_lines_are_bounded(self) -> None:
        progress = Progress()
        for number in range(600):
            progress.log(str(number))
        lines = progress.shown()["logs"]
        assert (len(lines), lines[0]["message"]) == (500, "100")

    def test_what_is_written_down_is_what_changed(self) -> None:
        progress = Progress()
        assert progress.changes() is None
        progress.plan(2)
        progress.step("one", items=4)
        progress.advance(3, current="Jaws")
        changes = progress.changes()
        assert changes is not None
        assert (changes["items_processed"], changes["current_item"]) == (3, "Jaws")
        assert (changes["logs"], progress.changes()) == (None, None)

    def test_cancelled_stops_at_the_next_word(self) -> None:
        progress = Progress()
        progress.cancel()
        with pytest.raises(Cancelled):
            progress.advance()


@pytest.mark.parametrize(
    "moment", ["2026-11-22T00:00:00", "2026-02-28T23:59:59", "1969-07-20T20:17"]
)
@pytest.mark.parametrize(
    "schedule",
    [
        Schedule.daily(3),
        Schedule.daily(0),
        Schedule.daily(23, 59),
        Schedule.weekly(0, 0),
        Schedule.weekly(6, 12, 30),
        Schedule.hourly(minute=17),
        *(Schedule.hourly(hours) for hours in (2, 3, 4, 6, 8, 12)),
        Schedule.minutely(15),
        Schedule.minutely(30),
    ],
    ids=lambda each: each.formatted,
)
def test_schedules_are_their_cron_expressions(schedule: Schedule, moment: str) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    cron = croniter(schedule.cron, at)
    for _ in range(5):
        at_next = schedule.next_after(at)
        assert at_next == cron.get_next(datetime)
        at = at_next


def test_reserved_words_are_no_jobs() -> None:
    with pytest.raises(ValueError, match="active"):
        NamedJob("active", "", lambda _: {})
