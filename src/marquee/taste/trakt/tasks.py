"""The worker's part: telling Trakt what was rated here, and the sync of all accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import or_, select
from sqlalchemy.exc import OperationalError

from marquee import clock, jobs
from marquee.db import session, transaction
from marquee.errors import Conflict, NotConfigured, Unavailable
from marquee.named_jobs import NamedJob, Schedule
from marquee.progress import Progress
from marquee.services import trakt
from marquee.taste.trakt import changes, syncing, turn
from marquee.taste.trakt.models import TraktAccount
from marquee.taste.trakt.service import JOB

if TYPE_CHECKING:
    import procrastinate

log = structlog.get_logger("marquee")

FRESH = timedelta(hours=1)
"""An account that was synced within that time is not due: so a run that is taken up goes on where
the last one ended."""
MOST_FAILURES = 5
"""After so many in a row Trakt is left alone."""


def register(app: procrastinate.App) -> None:
    """Add the task to a queue."""

    @app.task(name=changes.TASK, retry=jobs.patiently(Unavailable, OperationalError))
    def push_trakt_ratings(user_id: int) -> None:
        push(user_id)


def push(user_id: int) -> None:
    """Tell Trakt what a user has rated here. What Trakt refuses waits for the next sync.

    Raises Unavailable where it is worth to come again.
    """
    try:
        with transaction(), turn.taken(user_id) as own:
            changes.send(own)
    except NotConfigured:
        log.info("trakt_not_told", user=user_id, reason="NOT_CONFIGURED")
    except Conflict as refusal:
        if refusal.code == "TRAKT_BUSY":
            raise Unavailable(refusal.message) from refusal
        log.info("trakt_not_told", user=user_id, reason=refusal.code)


def sync(progress: Progress, user_id: int | None = None) -> dict[str, int]:
    """Sync one user, or all whose account was not looked at within the hour."""
    counted = {"accounts": 0, "refused": 0, "imported": 0, "updated": 0, "exported": 0}
    try:
        trakt.current()
    except NotConfigured as refusal:
        progress.log(refusal.message, "warn")
        return counted
    with transaction():
        users = _due(user_id)
    progress.plan(1)
    progress.step("Accounts", len(users))
    down: Unavailable | None = None
    failures = 0
    for each in users:
        try:
            with transaction():
                outcome = syncing.sync(each, progress.check)
        except Conflict as refusal:
            progress.log(refusal.message, "warn", user=str(each), code=refusal.code)
            counted["refused"] += 1
        except Unavailable as error:
            progress.log(error.message, "warn", user=str(each), code=error.code)
            down, failures = error, failures + 1
            if failures == MOST_FAILURES:
                break
        else:
            failures = 0
            counted["accounts"] += 1
            for counts in (outcome.movies, outcome.shows):
                counted["imported"] += counts.imported
                counted["updated"] += counts.updated
                counted["exported"] += counts.exported
        progress.advance()
    if down is not None:
        raise down
    return counted


def _due(user_id: int | None) -> list[int]:
    synced = TraktAccount.last_synced_at
    query = select(TraktAccount.user_id).order_by(synced.asc().nulls_first(), TraktAccount.id)
    if user_id is not None:
        query = query.where(TraktAccount.user_id == user_id)
    else:
        query = query.where(or_(synced.is_(None), synced < clock.now() - FRESH))
    return list(session.scalars(query))


JOBS = (
    NamedJob(
        JOB,
        "Brings the ratings of all users who have connected an account at Trakt to the same there "
        "and here, or those of the user who asked for it.",
        sync,
        Schedule.hourly(6, 40),
        patient_with=(Unavailable,),
    ),
)
