"""The job of recommendations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from marquee import job_runs
from marquee.errors import Conflict, Unavailable
from marquee.identity.users.models import User
from marquee.job_runs import JobRun
from marquee.late import late
from marquee.named_jobs import NamedJob, Schedule
from marquee.progress import Progress
from marquee.viewer import Viewer

if TYPE_CHECKING:
    from marquee.taste.recommendations import generating
else:
    generating = late("marquee.taste.recommendations.generating")

NAME = "recommend"


def ask(viewer: Viewer, owner: User) -> JobRun:
    """Ask for new recommendations of a user. Raises Conflict (RECOMMENDATIONS_DISABLED where the
    user is to get none, JOB_RUNNING).
    """
    if not (owner.movies_enabled or owner.series_enabled):
        message = "Neither films nor series are recommended to this user."
        raise Conflict(message, "RECOMMENDATIONS_DISABLED")
    return job_runs.start(NAME, viewer.id, user_id=owner.id)


def recommend(progress: Progress, user_id: int | None = None) -> dict[str, int]:
    """For one user, or for all whose taste has changed."""
    if user_id is None:
        return generating.for_all(progress)
    return generating.for_user(progress, user_id)


JOBS = (
    NamedJob(
        NAME,
        "Makes recommendations of films and series for all users whose taste has changed since "
        "their last ones, and for the user who asked for it.",
        recommend,
        Schedule.daily(4, 30),
        patient_with=(OperationalError, Unavailable),
    ),
)
