"""Vectors, by the clock and by hand."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from marquee import job_runs
from marquee.catalogue.embeddings.kinds import MOVIES, TVSHOWS
from marquee.errors import Conflict, Unavailable
from marquee.late import late
from marquee.named_jobs import NamedJob, Schedule
from marquee.progress import Progress

if TYPE_CHECKING:
    from marquee.catalogue.embeddings import making
else:
    making = late("marquee.catalogue.embeddings.making")

OF_MOVIES, OF_TVSHOWS = "generate-movie-embeddings", "generate-series-embeddings"


def ask_for_all() -> None:
    """Ask for both in the present transaction, unless they run already."""
    for name in (OF_MOVIES, OF_TVSHOWS):
        with suppress(Conflict):
            job_runs.start(name)


def of_movies(progress: Progress) -> dict[str, int]:
    """Embed films."""
    return making.make(MOVIES, progress)


def of_tvshows(progress: Progress) -> dict[str, int]:
    """Embed series."""
    return making.make(TVSHOWS, progress)


def remove_others(progress: Progress) -> dict[str, int]:
    """Remove the vectors of other models."""
    return making.remove_others(progress)


JOBS = (
    NamedJob(
        OF_MOVIES,
        "Makes the vectors by which similar films and descriptions are found, for films that are "
        "new or have changed; for all of them where the model is another.",
        of_movies,
        Schedule.hourly(minute=5),
        patient_with=(OperationalError, Unavailable),
    ),
    NamedJob(
        OF_TVSHOWS,
        "The same for series.",
        of_tvshows,
        Schedule.hourly(minute=35),
        patient_with=(OperationalError, Unavailable),
    ),
    NamedJob(
        "remove-other-embeddings",
        "Removes the vectors of all models but the present one. They are kept until then, so that "
        "one can go back to a model.",
        remove_others,
        patient_with=(OperationalError, Unavailable),
    ),
)
