"""Rate limits, by the policies that the contract names in `x-rate-limit`.

Counters live in Redis where `REDIS_URL` is set; else in the process, or in PostgreSQL when there
are several server processes. A counter store that fails is replaced by the process's own for as
long as it does.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from limits import parse
from limits.storage import Storage, storage_from_string
from sqlalchemy import Column, Double, Integer, Table, Text, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from marquee.db import Model, engine_for
from marquee.errors import RateLimited
from marquee.web.windows import ProcessStorage

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from marquee.settings import Settings

log = structlog.get_logger("marquee")

CONNECTIONS, LONGEST_STATEMENT = 2, 2
"""Of each server process, for counters in PostgreSQL; in seconds."""
RETRY_SECONDS = 5.0
"""How long a counter store that has failed is left alone."""

rate_limits = Table(
    "rate_limits",
    Model.metadata,
    Column("key", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("expires_at", Double, nullable=False, index=True),
    prefixes=["UNLOGGED"],
)


class PostgresStorage(Storage):
    """Fixed windows in an unlogged table: one upsert a hit, shared by all processes.

    It has connections of its own, to the same database as `engine`. Whoever hits holds one of the
    session's already: would each of them wait for a second one of that pool, none would get it.
    """

    STORAGE_SCHEME = ["postgresql"]  # noqa: RUF012 - the base class reads it

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        url = engine.url.render_as_string(hide_password=False)
        own = engine_for(url, pool_size=CONNECTIONS, statement_timeout=LONGEST_STATEMENT)
        self.engine = own.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the storage raises when it fails."""
        return Exception

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count one more, starting a new window where the old one has ended."""
        now = time.time()
        new = insert(rate_limits).values(key=key, count=amount, expires_at=now + expiry)
        counted = new.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": text(
                    "CASE WHEN rate_limits.expires_at <= :now THEN excluded.count "
                    "ELSE rate_limits.count + excluded.count END"
                ),
                "expires_at": text(
                    "CASE WHEN rate_limits.expires_at <= :now THEN excluded.expires_at "
                    "ELSE rate_limits.expires_at END"
                ),
            },
        ).returning(rate_limits.c.count)
        with self.engine.connect() as connection:
            return int(connection.execute(counted, {"now": now}).scalar_one())

    def get(self, key: str) -> int:
        """How many the present window has counted."""
        return int(self._read(key)[0])

    def get_expiry(self, key: str) -> float:
        """When the present window ends, in seconds of the epoch."""
        return float(self._read(key)[1])

    def check(self) -> bool:
        """Whether the storage answers."""
        with self.engine.connect() as connection:
            return connection.execute(text("select 1")).scalar() == 1

    def reset(self) -> int | None:
        """Forget every counter."""
        with self.engine.connect() as connection:
            return connection.execute(delete(rate_limits)).rowcount

    def clear(self, key: str) -> None:
        """Forget one counter."""
        with self.engine.connect() as connection:
            connection.execute(delete(rate_limits).where(rate_limits.c.key == key))

    def _read(self, key: str) -> Any:  # noqa: ANN401 - a row of count and expiry
        now = time.time()
        query = select(rate_limits.c.count, rate_limits.c.expires_at)
        with self.engine.connect() as connection:
            row = connection.execute(
                query.where(rate_limits.c.key == key, rate_limits.c.expires_at > now)
            ).first()
        return row or (0, now)


class Policy(NamedTuple):
    """So many requests in so many seconds."""

    name: str
    amount: int
    seconds: int

    @classmethod
    def of(cls, name: str, rate: str) -> Policy:
        """The policy of a rate as settings write it, such as `600/minute`."""
        item = parse(rate)
        return cls(name, item.amount, item.get_expiry())


class RateLimits:
    """The policies of a server: fixed windows."""

    def __init__(self, settings: Settings, storage: Callable[[], Storage]) -> None:
        self.enabled = settings.rate_limits_enabled
        rates = {
            "default": settings.rate_limit_default,
            "auth": settings.rate_limit_auth,
            "posters": settings.rate_limit_posters,
            "recommendations": settings.rate_limit_recommendations,
        }
        self._policies = {name: Policy.of(name, rate) for name, rate in rates.items()}
        self.local = settings.marquee_workers == 1 and not settings.redis_url
        """Whether counting needs no other process."""
        self._make_storage = storage
        self._own = ProcessStorage()
        self._down_until = 0.0

    @cached_property
    def _shared(self) -> Storage:
        return self._make_storage()

    def hit(self, policy: str, caller: str, operation: str) -> None:
        """Count a request. Raises RateLimited with the headers of IETF draft 11.

        The default policy counts all operations of a caller together, any other each by itself.
        """
        if not self.enabled or policy == "none":
            return
        limit = self._policies[policy]
        what = "" if policy == "default" else operation
        key = f"limit/{policy}/{what}/{caller}/{limit.amount}/{limit.seconds}"
        if time.monotonic() > self._down_until:
            try:
                _hit(self._shared, limit, key)
            except RateLimited:
                raise
            except Exception:
                log.warning("rate_limit_storage_failed", exc_info=True)
                self._down_until = time.monotonic() + RETRY_SECONDS
            else:
                return
        _hit(self._own, limit, key)


def storage_for(settings: Settings, engine: Callable[[], Engine]) -> Storage:
    """The counter store that these settings ask for."""
    if settings.redis_url:
        options = {"password": settings.redis_password} if settings.redis_password else {}
        storage = storage_from_string(
            settings.redis_url, socket_timeout=0.5, socket_connect_timeout=0.5, **options
        )
        assert isinstance(storage, Storage)  # noqa: S101 - async ones have another scheme
        return storage
    return PostgresStorage(engine()) if settings.marquee_workers > 1 else ProcessStorage()


def _hit(storage: Storage, limit: Policy, key: str) -> None:
    if storage.incr(key, limit.seconds) > limit.amount:
        raise _refusal(limit, storage.get_expiry(key))


def _refusal(limit: Policy, reset_time: float) -> RateLimited:
    seconds = max(1, round(reset_time - time.time()))
    return RateLimited(
        f"Too many requests. Try again in {seconds} seconds.",
        headers={
            "Retry-After": str(seconds),
            "RateLimit-Policy": f'"{limit.name}";q={limit.amount};w={limit.seconds}',
            "RateLimit": f'"{limit.name}";r=0;t={seconds}',
        },
    )
