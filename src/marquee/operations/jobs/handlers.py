"""Handlers of openapi/operations/jobs.yaml."""

from typing import Any

from marquee.job_runs import accepted
from marquee.operations.jobs import service, watching
from marquee.operations.jobs.models import JobSchedule
from marquee.viewer import Viewer
from marquee.web.answers import Stream
from marquee.web.conditions import require_version, version_tag
from marquee.web.paging import by_cursor

Shown = tuple[dict[str, Any], int, dict[str, str]]


def list_jobs(user: Viewer) -> dict[str, Any]:
    return {"jobs": service.listed(user)}


def list_active_jobs(user: Viewer) -> dict[str, Any]:
    return {"jobs": [service.progress(each) for each in service.active(user)]}


def get_scheduler_status(user: Viewer) -> dict[str, Any]:
    return service.status(user)


def run_job(user: Viewer, job_name: str) -> tuple[dict[str, Any], int]:
    return accepted(service.start(user, job_name), f"{job_name} starts.")


def cancel_job(user: Viewer, job_name: str) -> tuple[dict[str, Any], int]:
    run = service.cancel(user, job_name)
    waited = run.status == "cancelled"
    return accepted(run, f"{job_name} {'was cancelled' if waited else 'stops'}.")


def list_job_history(
    user: Viewer, job_name: str, limit: int, cursor: str | None = None
) -> dict[str, Any]:
    query, key = service.history(user, job_name), service.LATEST_FIRST
    name = f"jobs:{job_name}"
    page = by_cursor(query, key=key, name=name, descending=True, limit=limit, cursor=cursor)
    history = [service.history_line(each) for each in page.items]
    return {"history": history, "next_cursor": page.next_cursor}


def get_job_config(user: Viewer, job_name: str) -> Shown:
    return _shown(service.schedule(user, job_name))


def update_job_config(user: Viewer, job_name: str, body: dict[str, Any]) -> Shown:
    row = service.schedule(user, job_name, to_change=True)
    require_version(row)
    return _shown(service.reschedule(row, body))


def stream_job_progress(
    user: Viewer, job_id: int, last_event_id: str | None = None
) -> Stream | tuple[None, int]:
    state = watching.State.of(service.run(user, job_id))
    seen = int(last_event_id) if last_event_id else None
    if state.is_over and state.version == seen:
        return None, 204
    return Stream(watching.events(job_id, state, seen))


def _shown(row: JobSchedule) -> Shown:
    return service.config(row), 200, {"ETag": version_tag(row)}
