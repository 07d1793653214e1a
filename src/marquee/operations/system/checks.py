"""Whether what the server depends on is there: each check in half a second, at most once a
second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import URL, Engine, text

from marquee import db, migrations, settings
from marquee.errors import Unavailable
from marquee.late import late

if TYPE_CHECKING:
    import redis
else:
    redis = late("redis")

log = structlog.get_logger("marquee")

PATIENCE, KEPT = 0.5, 1.0


class Checks:
    """The latest states, `ok`, `error` or `not_configured`, by name."""

    def __init__(self, checks: dict[str, Callable[[], str]]) -> None:
        self._checks = checks
        self._states: dict[str, str] = {}
        self._until = 0.0
        self._lock = threading.Lock()
        self._running: dict[str, Future[str]] = {}
        self._threads = ThreadPoolExecutor(len(checks), thread_name_prefix="check")

    def states(self) -> dict[str, str]:
        """Check now, or give what was found less than a second ago."""
        with self._lock:
            if time.monotonic() > self._until:
                # What one found long after it was waited for is of then.
                self._running = {n: each for n, each in self._running.items() if not each.done()}
                # One that still hangs is waited for again, not joined by others: each check has
                # one thread, and none takes that of another.
                for name, check in self._checks.items():
                    if name not in self._running:
                        self._running[name] = self._threads.submit(_safely, check)
                wait(self._running.values(), timeout=PATIENCE)
                self._states = dict.fromkeys(self._checks, "error")
                for name, future in list(self._running.items()):
                    if future.done():
                        self._states[name] = future.result()
                        del self._running[name]
                self._until = time.monotonic() + KEPT
            return dict(self._states)


def refusal(states: dict[str, str]) -> Unavailable:
    """What to answer where not all is well."""
    code = "DATABASE_UNAVAILABLE" if states["postgres"] == "error" else "REDIS_UNAVAILABLE"
    made = Unavailable("Something that the server depends on is down.", code)
    made.details = {"checks": states}
    return made


def _safely(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception:
        log.warning("health_check_failed", exc_info=True)
        return "error"


def check_postgres() -> str:
    """PostgreSQL answers, on a connection that no request can hold."""
    with _beside(db.engine().url).connect() as connection:
        connection.execute(text("select 1"))
    return "ok"


def check_redis() -> str:
    """Redis answers, where one is configured."""
    values = settings.current()
    if not values.redis_url:
        return "not_configured"
    with redis.Redis.from_url(
        values.redis_url,
        password=values.redis_password or None,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
    ) as client:
        client.ping()
    return "ok"


def migrated() -> bool:
    """Whether the database has the tables of this version."""
    with _beside(db.engine().url).connect() as connection:
        if connection.execute(text("select to_regclass('alembic_version')")).scalar() is None:
            return False
        found = connection.execute(text("select version_num from alembic_version")).scalar()
        return found == migrations.head()


@cache
def _beside(url: URL) -> Engine:
    """An engine beside the one whose connections requests may all hold."""
    return db.engine_for(url.render_as_string(hide_password=False), pool_size=0)


CHECKS = Checks({"postgres": check_postgres, "redis": check_redis})
