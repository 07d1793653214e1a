"""Training, by the clock and by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from marquee.errors import Unavailable
from marquee.late import late
from marquee.named_jobs import NamedJob, Schedule
from marquee.progress import Progress

if TYPE_CHECKING:
    from marquee.taste.recommending import training
else:
    training = late("marquee.taste.recommending.training")

TRAIN = "train-recommender"


def train(progress: Progress) -> dict[str, int]:
    """`training.train`."""
    return training.train(progress)


JOBS = (
    NamedJob(
        TRAIN,
        "Trains the recommender on what all users watched, rated and kept, if that has changed.",
        train,
        Schedule.daily(3, 30),
        patient_with=(OperationalError, Unavailable),
    ),
)
