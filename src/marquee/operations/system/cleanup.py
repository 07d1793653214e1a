"""Removing what has expired, in one transaction; the worker does it every hour, cron may."""

import time
from datetime import timedelta
from typing import Any

from sqlalchemy import Delete, delete, or_

from marquee import audit, clock
from marquee.db import session
from marquee.identity.auth.models import Session
from marquee.web.idempotency import StoredAnswer
from marquee.web.limits import rate_limits

DAY = timedelta(days=1)


def clean_up() -> dict[str, int]:
    """How many rows of each kind were removed."""
    return {name: _removed(query) for name, query in _queries().items()}


def _queries() -> dict[str, Delete]:
    yesterday, long_ago = clock.now() - DAY, clock.now() - audit.KEPT
    return {
        "sessions": delete(Session).where(
            or_(Session.expires_at < clock.now(), Session.revoked_at < yesterday)
        ),
        "idempotency_keys": delete(StoredAnswer).where(StoredAnswer.created_at < yesterday),
        "rate_limits": delete(rate_limits).where(rate_limits.c.expires_at < time.time()),
        "activity": delete(audit.Activity).where(audit.Activity.created_at < long_ago),
    }


def _removed(query: Delete) -> int:
    result: Any = session.execute(query)
    return int(result.rowcount)
