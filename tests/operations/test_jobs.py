"""openapi/operations/jobs.yaml, without a worker. What is done: test_jobs_running.py; with real
workers and servers: test_jobs_workers.py.
"""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from marquee import clock, db
from marquee.audit import Activity
from marquee.job_runs import JobRun
from marquee.operations.jobs import runs
from marquee.operations.jobs.keeping import Keeper
from marquee.operations.jobs.models import JobSchedule
from marquee.operations.jobs.named import JOBS
from marquee.operations.jobs.running import perform
from tests.answers import refused
from tests.operations.job_rows import JOB, NOBODY, SECOND, queued, stored

Make = Callable[..., Any]


class TestListJobs:
    def test_that_never_ran(self, admin: httpx.Client) -> None:
        (shown,) = (each for each in admin.get("/jobs").json()["jobs"] if each["name"] == JOB)
        assert shown.pop("next_run_at") > clock.now().isoformat()
        assert shown == {
            "name": JOB,
            "description": JOBS[JOB].description,
            "cron": "17 */1 * * *",
            "manual_only": False,
            "status": "idle",
            "current_job_id": None,
            "progress": None,
            "schedule": {
                "type": "interval",
                "hour": 0,
                "minute": 17,
                "day_of_week": 0,
                "interval_hours": 1,
                "interval_minutes": None,
                "is_enabled": True,
                "formatted": "Every hour at minute 17",
            },
            "last_run": None,
        }

    def test_that_runs_and_ran(self, admin: httpx.Client, make: Make) -> None:
        now = clock.now()
        make(JobRun, job_name=JOB, status="completed")
        span = {"started_at": now - 3 * SECOND, "completed_at": now - SECOND}
        last = make(JobRun, job_name=JOB, status="failed", error_message="no", **span)
        steps = {"current_step": "sessions", "current_step_index": 2, "total_steps": 4}
        items = {"items_processed": 5, "items_total": 10}
        run = make(JobRun, job_name=JOB, status="running", **steps, **items)
        (shown,) = (each for each in admin.get("/jobs").json()["jobs"] if each["name"] == JOB)
        assert (shown["status"], shown["current_job_id"]) == ("running", run.id)
        assert shown["progress"] == {
            "overall_progress": 37,
            "current_step": "sessions",
            **items,
        }
        assert (shown["last_run"]["id"], shown["last_run"]["status"]) == (last.id, "failed")
        assert (shown["last_run"]["duration_ms"], shown["last_run"]["error_message"]) == (
            2000,
            "no",
        )

    def test_is_for_administrators(self, client: httpx.Client) -> None:
        assert refused(client.get("/jobs")) == (403, "INSUFFICIENT_PERMISSIONS")


class TestListActiveJobs:
    def test_the_oldest_first(self, admin: httpx.Client, make: Make) -> None:
        assert admin.get("/jobs/active").json() == {"jobs": []}
        line = {"timestamp": "2026-11-22T08:17:00.2Z", "level": "info", "message": "x", "data": {}}
        first = make(JobRun, job_name=JOB, status="running", logs=[line])
        second = make(JobRun, job_name=JOB)
        make(JobRun, job_name=JOB, status="cancelled")
        shown = admin.get("/jobs/active").json()["jobs"]
        assert [each["job_id"] for each in shown] == [first.id, second.id]
        assert [each["status"] for each in shown] == ["running", "pending"]
        assert shown[0]["logs"] == [line]
        assert (shown[1]["overall_progress"], shown[1]["started_at"]) == (0, None)


class TestRunJob:
    def test_once_at_a_time(self, admin: httpx.Client, make: Make) -> None:
        started = admin.post(f"/jobs/{JOB}/run")
        job_id = started.json()["job_id"]
        assert (started.status_code, started.json()["status"]) == (202, "pending")
        assert queued() == [{"run_id": job_id}]
        again = admin.post(f"/jobs/{JOB}/run")
        assert refused(again) == (409, "JOB_RUNNING")
        assert again.json()["error"]["details"] == {"job_id": job_id}
        assert queued() == [{"run_id": job_id}]

    def test_says_who_asked(self, admin: httpx.Client) -> None:
        job_id = admin.post(f"/jobs/{JOB}/run").json()["job_id"]
        (line,) = db.session.scalars(select(Activity).where(Activity.action == "job.run"))
        assert (line.resource_id, line.success) == (JOB, True)
        assert stored(job_id).started_by == line.user_id

    def test_unknown(self, admin: httpx.Client) -> None:
        assert refused(admin.post("/jobs/no-such-job/run")) == (404, "JOB_NOT_FOUND")


class TestCancelJob:
    def test_what_waits_is_cancelled_at_once(self, admin: httpx.Client) -> None:
        db.session.remove()
        job_id = admin.post(f"/jobs/{JOB}/run").json()["job_id"]
        answer = admin.post(f"/jobs/{JOB}/cancel")
        assert (answer.status_code, answer.json()["job_id"]) == (202, job_id)
        assert answer.json()["status"] == "cancelled"
        # The queue's job finds nothing to do.
        perform(JOBS[JOB], job_id, Keeper(), lambda _: False)
        assert (stored(job_id).status, stored(job_id).attempt) == ("cancelled", 0)
        assert admin.post(f"/jobs/{JOB}/run").status_code == 202

    def test_what_runs_is_told(self, admin: httpx.Client, make: Make) -> None:
        run = make(JobRun, job_name=JOB, status="running", attempt=1)
        answer = admin.post(f"/jobs/{JOB}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "running")
        assert admin.get("/jobs/active").json()["jobs"][0]["is_cancelling"]
        assert runs.to_stop({run.id: 1}) == {run.id}

    def test_nothing(self, admin: httpx.Client) -> None:
        assert refused(admin.post(f"/jobs/{JOB}/cancel")) == (409, "JOB_NOT_RUNNING")

    def test_unknown(self, admin: httpx.Client) -> None:
        assert refused(admin.post("/jobs/no-such-job/cancel")) == (404, "JOB_NOT_FOUND")


class TestGetJobConfig:
    def test_is_the_default_at_first(self, admin: httpx.Client) -> None:
        answer = admin.get(f"/jobs/{JOB}/config")
        assert answer.json()["schedule_type"] == "interval"
        assert (answer.json()["schedule_interval_hours"], answer.json()["is_enabled"]) == (1, True)

    def test_unknown(self, admin: httpx.Client) -> None:
        assert refused(admin.get("/jobs/no-such-job/config")) == (404, "JOB_NOT_FOUND")


class TestUpdateJobConfig:
    @pytest.mark.parametrize(
        "change,formatted",
        [
            ({"schedule_type": "daily", "schedule_hour": 3}, "Daily at 03:17 UTC"),
            (
                {
                    "schedule_type": "weekly",
                    "schedule_day_of_week": 6,
                    "schedule_hour": 23,
                    "schedule_minute": 5,
                },
                "Saturdays at 23:05 UTC",
            ),
            ({"schedule_interval_hours": 12}, "Every 12 hours at minute 17"),
            ({"schedule_interval_minutes": 15}, "Every 15 minutes"),
            ({"schedule_type": "manual"}, "By hand"),
            ({"is_enabled": False}, "Every hour at minute 17"),
        ],
        ids=str,
    )
    def test_holds_at_once(
        self, admin: httpx.Client, change: dict[str, Any], formatted: str
    ) -> None:
        answer = admin.patch(f"/jobs/{JOB}/config", json=change)
        shown = answer.json()
        assert (answer.status_code, shown["formatted"]) == (200, formatted)
        assert {name: shown[name] for name in change} == change
        never = shown["schedule_type"] == "manual" or not shown["is_enabled"]
        assert (shown["next_run_at"] is None) == never
        again = admin.get(f"/jobs/{JOB}/config")
        assert (again.json(), again.headers["etag"]) == (shown, answer.headers["etag"])
        in_list = admin.get("/jobs").json()["jobs"][0]
        assert in_list["schedule"]["formatted"] == formatted
        assert in_list["manual_only"] == (shown["schedule_type"] == "manual")

    def test_is_in_the_log(self, admin: httpx.Client) -> None:
        admin.patch(f"/jobs/{JOB}/config", json={"is_enabled": False})
        (line,) = db.session.scalars(select(Activity).where(Activity.action == "job.update"))
        assert line.resource_id == JOB
        change = {"name": "is_enabled", "before": "true", "after": "false"}
        assert line.details is not None
        assert line.details["changes"] == [change]

    @pytest.mark.parametrize(
        "change",
        [
            {"schedule_interval_hours": 5},
            {"schedule_interval_minutes": 20},
            {"schedule_interval_hours": 2, "schedule_interval_minutes": 15},
            {"schedule_type": "daily", "schedule_interval_hours": 2},
            {"schedule_hour": 24},
            {"schedule_day_of_week": 7},
            {"schedule_type": "yearly"},
            {"cron": "* * * * *"},
            {},
        ],
        ids=str,
    )
    def test_what_cannot_be(self, admin: httpx.Client, change: dict[str, Any]) -> None:
        answer = admin.patch(f"/jobs/{JOB}/config", json=change)
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_interval_of_nothing(self, admin: httpx.Client, make: Make) -> None:
        never = {"hour": 0, "minute": 0, "day_of_week": 0}
        make(JobSchedule, name=JOB, kind="manual", **never)
        answer = admin.patch(f"/jobs/{JOB}/config", json={"schedule_type": "interval"})
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_of_another_version(self, admin: httpx.Client) -> None:
        etag = admin.get(f"/jobs/{JOB}/config").headers["etag"]
        change, meant = {"is_enabled": False}, {"If-Match": etag}
        path = f"/jobs/{JOB}/config"
        assert admin.patch(path, json=change, headers=meant).status_code == 200
        again = admin.patch(path, json=change, headers=meant)
        assert refused(again) == (412, "PRECONDITION_FAILED")

    def test_unknown(self, admin: httpx.Client) -> None:
        answer = admin.patch("/jobs/no-such-job/config", json={"is_enabled": False})
        assert refused(answer) == (404, "JOB_NOT_FOUND")


class TestListJobHistory:
    def test_by_page(self, admin: httpx.Client, make: Make) -> None:
        made = [make(JobRun, job_name=JOB, status="completed").id for _ in range(5)]
        make(JobRun, job_name="another", status="completed")
        found, cursor = [], {}
        while True:
            page = admin.get(f"/jobs/{JOB}/history", params={"limit": 2, **cursor}).json()
            found += [each["id"] for each in page["history"]]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert found == made[::-1]

    def test_has_the_last_lines(self, admin: httpx.Client, make: Make) -> None:
        line = {"timestamp": "2026-11-22T08:17:00.2Z", "level": "info", "data": {}}
        lines = [{**line, "message": str(number)} for number in range(150)]
        make(JobRun, job_name=JOB, status="completed", logs=lines, result={"sessions": 3})
        (shown,) = admin.get(f"/jobs/{JOB}/history").json()["history"]
        assert shown["metadata"]["logs"] == lines[50:]
        assert shown["metadata"]["result"] == {"sessions": 3}

    def test_bad_cursor(self, admin: httpx.Client) -> None:
        answer = admin.get(f"/jobs/{JOB}/history", params={"cursor": "x"})
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_unknown(self, admin: httpx.Client) -> None:
        assert refused(admin.get("/jobs/no-such-job/history")) == (404, "JOB_NOT_FOUND")


class TestGetSchedulerStatus:
    def test_what_is_due(self, admin: httpx.Client) -> None:
        db.session.execute(text("delete from procrastinate_workers"))
        db.session.commit()
        shown = admin.get("/jobs/scheduler/status").json()
        assert (shown["is_running"], shown["workers"]) == (False, 0)
        due = {each["job_name"]: each["cron_expression"] for each in shown["scheduled_jobs"]}
        assert due.pop(JOB) == "17 */1 * * *"
        admin.patch(f"/jobs/{JOB}/config", json={"is_enabled": False})
        db.session.execute(text("insert into procrastinate_workers default values"))
        db.session.commit()
        shown = admin.get("/jobs/scheduler/status").json()
        assert (shown["is_running"], shown["workers"]) == (True, 1)
        assert {each["job_name"] for each in shown["scheduled_jobs"]} == set(due)


class TestStreamJobProgress:
    """Of what has ended; how a stream goes on: test_jobs_workers.py."""

    def test_ends_with_the_last_state(self, admin: httpx.Client, make: Make) -> None:
        run = make(JobRun, job_name=JOB, status="failed", version=7, error_message="no")
        answer = admin.get(f"/jobs/progress/stream/{run.id}")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.text.startswith("id: 7\nretry: 2000\ndata: {")
        assert answer.text.endswith("}\n\n")

    def test_is_not_told_twice(self, admin: httpx.Client, make: Make) -> None:
        path = f"/jobs/progress/stream/{make(JobRun, job_name=JOB, status='failed', version=7).id}"
        assert admin.get(path, headers={"Last-Event-ID": "7"}).status_code == 204
        assert admin.get(path, headers={"Last-Event-ID": "6"}).text.startswith("id: 7\n")
        bad = admin.get(path, headers={"Last-Event-ID": "six"})
        assert refused(bad) == (400, "VALIDATION_ERROR")

    def test_unknown(self, admin: httpx.Client) -> None:
        answer = admin.get(f"/jobs/progress/stream/{NOBODY}")
        assert refused(answer) == (404, "JOB_NOT_FOUND")
