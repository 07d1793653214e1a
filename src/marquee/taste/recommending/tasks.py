"""Training, by the clock and by hand."""

from sqlalchemy.exc import OperationalError

from marquee.errors import Unavailable
from marquee.named_jobs import NamedJob, Schedule
from marquee.progress import Progress

TRAIN = "train-recommender"


def train(progress: Progress) -> dict[str, int]:
    """`training.train`, whose libraries take 50 MB of who never trains."""
    from marquee.taste.recommending import training  # noqa: PLC0415 - see above

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
