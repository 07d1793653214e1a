"""The jobs of the quiz."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, cast, select, update
from sqlalchemy.exc import OperationalError

from marquee import clock
from marquee.db import session, transaction
from marquee.errors import Unavailable
from marquee.job_runs import ACTIVE, JobRun
from marquee.late import late
from marquee.named_jobs import NamedJob, Schedule
from marquee.progress import Cancelled, Progress
from marquee.taste.recommendations.models import Recommendation
from marquee.taste.recommendations.quiz.asking import MAKE, MORE

if TYPE_CHECKING:
    from marquee.taste.recommendations.quiz import fulfilling
else:
    fulfilling = late("marquee.taste.recommendations.quiz.fulfilling")

STAGES = 8
ATTEMPTS, BACK_OFF = 2, 3.0
"""How often an outside service is waited for, and how many seconds after it failed."""
LOST_AFTER = timedelta(minutes=15)
"""A recommendation that is older, and has no run any more, was given up by all workers."""


def make(progress: Progress, recommendation_id: int | None = None) -> dict[str, int]:
    """Find the films of one recommendation; without one, give up those that nobody makes."""
    if recommendation_id is None:
        return give_up_lost()

    def find(found: Recommendation) -> int:
        if found.status in {"completed", "failed"}:
            return 0
        return fulfilling.fulfil(found, progress.step)

    return {"films": _made(progress, recommendation_id, find, is_more=False)}


def make_more(progress: Progress, recommendation_id: int | None = None) -> dict[str, int]:
    """Find further films for one recommendation; without one, give up those that nobody makes."""
    if recommendation_id is None:
        return give_up_lost()

    def find(found: Recommendation) -> int:
        if found.more_picks_status not in {"pending", "processing"}:
            return 0
        return fulfilling.fulfil_more(found, progress.step)

    return {"films": _made(progress, recommendation_id, find, is_more=True)}


def give_up_lost() -> dict[str, int]:
    """Fail what is not finished and has no run any more: an administrator has cancelled it, or it
    took its workers with it each time.
    """
    active = select(cast(JobRun.arguments["recommendation_id"].astext, BigInteger)).where(
        JobRun.status.in_(ACTIVE), JobRun.arguments.has_key("recommendation_id")
    )
    lost = (
        Recommendation.created_at < clock.now() - LOST_AFTER,
        Recommendation.id.not_in(active),
    )
    unfinished = ("pending", "processing")
    with transaction():
        first = session.scalars(
            update(Recommendation)
            .where(Recommendation.status.in_(unfinished), *lost)
            .values(status="failed", error_code="INTERNAL_ERROR", completed_at=clock.now())
            .returning(Recommendation.id)
        ).all()
        more = session.scalars(
            update(Recommendation)
            .where(Recommendation.more_picks_status.in_(unfinished), *lost)
            .values(more_picks_status="failed")
            .returning(Recommendation.id)
        ).all()
    return {"given_up": len(first) + len(more)}


def _made(
    progress: Progress,
    recommendation_id: int,
    find: Callable[[Recommendation], int],
    *,
    is_more: bool,
) -> int:
    """Find films, once more where an outside service failed; what fails for good is written down.

    While the database is away nothing is: the run is tried again later.
    """
    progress.plan(STAGES)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction():
                found = session.get(Recommendation, recommendation_id)
                return 0 if found is None else find(found)
        except OperationalError:
            raise
        except Unavailable as error:
            if attempt == ATTEMPTS:
                _fail(fulfilling.fail, recommendation_id, error.code, is_more=is_more)
                raise
            progress.log(error.message, "warn")
            time.sleep(BACK_OFF)
        except Cancelled:
            _fail(fulfilling.fail, recommendation_id, "CANCELLED", is_more=is_more)
            raise
        except Exception:
            _fail(fulfilling.fail, recommendation_id, "INTERNAL_ERROR", is_more=is_more)
            raise
    raise AssertionError("an attempt returns or raises")


def _fail(write: Callable[..., None], recommendation_id: int, code: str, *, is_more: bool) -> None:
    with transaction():
        write(recommendation_id, code, is_more=is_more)


JOBS = (
    NamedJob(
        MAKE,
        "Finds the films of a quiz that somebody has answered; by the clock, gives up those that "
        "no worker makes any more.",
        make,
        Schedule.minutely(15),
        patient_with=(OperationalError,),
    ),
    NamedJob(
        MORE,
        "Finds further films for a quiz that was answered.",
        make_more,
        patient_with=(OperationalError,),
    ),
)
