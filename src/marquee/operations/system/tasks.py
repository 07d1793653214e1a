"""What the server does for itself, by the clock."""

from sqlalchemy.exc import OperationalError

from marquee.db import transaction
from marquee.named_jobs import NamedJob, Schedule
from marquee.operations.system import cleanup
from marquee.progress import Progress


def clean(progress: Progress) -> dict[str, int]:
    """Remove what has expired."""
    with transaction():
        return cleanup.clean_up(progress)


JOBS = (
    NamedJob(
        "clean-up",
        "Removes what has expired: sessions, tokens, counters, old lines of the audit log and old "
        "runs of jobs.",
        clean,
        Schedule.hourly(minute=17),
        patient_with=(OperationalError,),
    ),
)
