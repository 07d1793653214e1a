"""The job of top picks."""

from sqlalchemy.exc import OperationalError

from marquee.named_jobs import NamedJob, Schedule
from marquee.taste.top_picks import service

NAME = "refresh-top-picks"
JOBS = (
    NamedJob(
        NAME,
        "Finds the films and series that most users have watched of late.",
        service.refresh,
        Schedule.daily(6),
        patient_with=(OperationalError,),
    ),
)
