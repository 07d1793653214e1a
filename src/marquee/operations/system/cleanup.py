"""Removing what has expired; the worker does it every hour, cron may.

In batches, each a transaction of its own: however much there is, nobody waits for long, and what
was removed stays removed if the rest fails. Rows that somebody else is removing are left to them.
"""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, or_, select

from marquee import audit, clock
from marquee.catalogue.changes.models import TitleChange
from marquee.catalogue.search.models import SearchIndex
from marquee.db import Model, checkpoint, session
from marquee.identity.auth.models import OneTimeToken, RefreshToken, Session, SignInAttempts
from marquee.job_runs import JobRun
from marquee.operations.activity.counting import count_days
from marquee.progress import Progress
from marquee.web.idempotency import StoredAnswer
from marquee.web.limits import rate_limits

DAY = timedelta(days=1)
RUNS_KEPT = 30 * DAY
BATCH = 10_000


def clean_up(progress: Progress) -> dict[str, int]:
    """How many rows of each kind were removed. Commits as it goes."""
    expired, counts = list(_expired()), {}
    progress.plan(len(expired) + 1)
    for name, table, which in expired:
        progress.step(name)
        counts[name] = _remove(table, which, progress)
    progress.step("days of the audit log")
    count_days()
    return counts


def _expired() -> Iterator[tuple[str, Table, ColumnElement[bool]]]:
    """What expires, by name: a table, and which of its rows have.

    A session stays for a day after it has been ended, for whoever looks why; its refresh tokens are
    good for nothing from then on.
    """
    tables = Model.metadata.tables
    now, yesterday = clock.now(), clock.now() - DAY
    over = or_(Session.expires_at < now, Session.revoked_at.is_not(None))
    removed = or_(Session.expires_at < now, Session.revoked_at < yesterday)
    of_ended = RefreshToken.session_id.in_(select(Session.id).where(over))
    yield "refresh_tokens", tables["refresh_tokens"], of_ended
    yield "sessions", tables["sessions"], removed
    yield "one_time_tokens", tables["one_time_tokens"], OneTimeToken.expires_at < now
    yield "sign_in_attempts", tables["sign_in_attempts"], SignInAttempts.ends_at < now
    yield "idempotency_keys", tables["idempotency_keys"], StoredAnswer.created_at < yesterday
    yield "rate_limits", rate_limits, rate_limits.c.expires_at < time.time()
    long_ago = now - audit.KEPT
    yield "activity", tables["activity"], audit.Activity.created_at < long_ago
    yield "job_runs", tables["job_runs"], JobRun.completed_at < now - RUNS_KEPT
    yield "title_changes", tables["title_changes"], TitleChange.created_at < yesterday
    yield "search_indexes", tables["search_indexes"], SearchIndex.seen_at < yesterday


def _remove(table: Table, which: ColumnElement[bool], progress: Progress) -> int:
    (key,) = table.primary_key.columns
    batch = select(key).where(which).limit(BATCH).with_for_update(of=table, skip_locked=True)
    # As an array, so that the planner looks up each key instead of reading the whole table.
    query = delete(table).where(key == func.any(func.array(batch.scalar_subquery())))
    total = 0
    while True:
        result: Any = session.execute(query)
        removed = int(result.rowcount)
        checkpoint()
        total += removed
        progress.advance(removed)
        if removed < BATCH:
            return total
