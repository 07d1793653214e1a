"""Jobs of the watch history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from marquee import jobs
from marquee.errors import Unavailable
from marquee.named_jobs import NamedJob, Schedule
from marquee.watching.watch_history import counting, unplaying
from marquee.watching.watch_history.unplaying import Unwatched

if TYPE_CHECKING:
    import procrastinate


def register(app: procrastinate.App) -> None:
    """Add the task to a queue."""

    @app.task(name=unplaying.TASK, retry=jobs.patiently(Unavailable, OperationalError))
    def unplay_on_media_server(user_id: int, **what: int) -> None:
        unplaying.unplay(user_id, Unwatched(**what))


JOBS = (
    NamedJob(
        "count-watchers",
        "Counts how many users have watched each title, where that has changed: by that lists of "
        "the catalogue can be narrowed.",
        counting.count,
        Schedule.minutely(15),
        patient_with=(OperationalError,),
    ),
)
