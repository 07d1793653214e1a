"""What is brought up to date by the clock."""

from marquee.catalogue.metadata import refreshing
from marquee.errors import TimedOut, Unavailable
from marquee.named_jobs import NamedJob, Schedule

JOBS = (
    NamedJob(
        refreshing.NAME,
        "Brings films and series up to date from TMDB: those whose details are older than 30 days, "
        "or the one that was asked for.",
        refreshing.refresh,
        Schedule.daily(5),
        patient_with=(Unavailable, TimedOut),
    ),
)
