"""Jobs of the watch history."""

from sqlalchemy.exc import OperationalError

from marquee.named_jobs import NamedJob, Schedule
from marquee.watching.watch_history import counting

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
