"""What is brought up to date by the clock."""

from sqlalchemy.exc import OperationalError

from marquee.catalogue.metadata import refreshing
from marquee.errors import Unavailable
from marquee.named_jobs import NamedJob, Schedule

JOBS = (
    NamedJob(
        refreshing.NAME,
        "Brings films and series up to date from TMDB: those whose details are older than 30 days, "
        "or the one that was asked for.",
        refreshing.refresh,
        Schedule.daily(5),
        patient_with=(OperationalError, Unavailable),
    ),
)
