"""marquee/web/limits.py."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from limits.storage import MemoryStorage, Storage
from sqlalchemy import Engine, delete, select, text

from marquee import db, settings
from marquee.errors import RateLimited
from marquee.settings import Settings
from marquee.web import windows
from marquee.web.limits import PostgresStorage, RateLimits, rate_limits, storage_for
from marquee.web.windows import ProcessStorage
from tests.redis_server import PASSWORD, RedisServer
from tests.serving import serving_with

Stored = Callable[[], Storage]


def values(**changes: Any) -> Settings:
    rates: dict[str, Any] = {"rate_limit_default": "3/minute", "rate_limit_auth": "2/15minute"}
    return replace(settings.current(), **{**rates, **changes})


def limits(storage: Storage, **changes: Any) -> RateLimits:
    return RateLimits(values(**changes), lambda: storage)


def hits(policies: RateLimits, number: int, *key: str) -> int:
    """How many of so many requests are let through."""
    policy, caller, operation = key or ("default", "user:1", "list")
    passed = 0
    for _ in range(number):
        try:
            policies.hit(policy, caller, operation)
        except RateLimited:
            continue
        passed += 1
    return passed


@pytest.fixture
def postgres(engine: Engine) -> Iterator[Stored]:
    """Makes stores in PostgreSQL, each as if in a process of its own."""
    made: list[PostgresStorage] = []

    def store() -> Storage:
        made.append(PostgresStorage(engine))
        return made[-1]

    yield store
    for each in made:
        each.engine.dispose()
    with engine.begin() as connection:
        connection.execute(delete(rate_limits))


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def in_redis(server: RedisServer) -> Storage:
    changed = values(redis_url=server.url, redis_password=PASSWORD)
    return storage_for(changed, db.engine)


class TestRateLimits:
    def test_lets_so_many_through(self) -> None:
        policies = limits(ProcessStorage())
        assert hits(policies, 5) == 3
        assert hits(policies, 5, "default", "user:2", "list") == 3

    def test_the_default_counts_all_operations_and_others_each(self) -> None:
        policies = limits(ProcessStorage())
        assert hits(policies, 2, "default", "user:1", "list") == 2
        assert hits(policies, 2, "default", "user:1", "get") == 1
        assert hits(policies, 3, "auth", "user:1", "login") == 2
        assert hits(policies, 3, "auth", "user:1", "register") == 2

    def test_says_when_to_come_again(self) -> None:
        policies = limits(ProcessStorage())
        hits(policies, 2, "auth", "user:1", "login")
        with pytest.raises(RateLimited) as raised:
            policies.hit("auth", "user:1", "login")
        seconds = int(raised.value.headers["Retry-After"])
        assert 890 <= seconds <= 900
        assert raised.value.headers["RateLimit-Policy"] == '"auth";q=2;w=900'
        assert raised.value.headers["RateLimit"] == f'"auth";r=0;t={seconds}'

    def test_a_window_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = 1000.0
        monkeypatch.setattr(windows, "time", SimpleNamespace(time=lambda: now))
        policies = limits(ProcessStorage())
        assert hits(policies, 4) == 3
        now += 59.9
        assert hits(policies, 1) == 0
        now += 0.1
        assert hits(policies, 4) == 3

    def test_may_be_switched_off(self) -> None:
        assert hits(limits(ProcessStorage(), rate_limits_enabled=False), 9) == 9
        assert hits(limits(ProcessStorage()), 9, "none", "user:1", "list") == 9

    def test_keeps_its_counters_where_the_settings_say(
        self, engine: Engine, redis: RedisServer
    ) -> None:
        assert isinstance(storage_for(values(marquee_workers=1), lambda: engine), ProcessStorage)
        shared = storage_for(values(marquee_workers=2), lambda: engine)
        assert isinstance(shared, PostgresStorage)
        shared.engine.dispose()
        assert type(in_redis(redis)).__name__ == "RedisStorage"


class TestProcessStorage:
    def test_counts_like_the_one_of_limits(self) -> None:
        ours, theirs = limits(ProcessStorage()), limits(MemoryStorage())
        for _ in range(5):
            assert hits(ours, 1) == hits(theirs, 1)

    def test_counts_every_hit_of_every_thread(self) -> None:
        storage = ProcessStorage()
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: storage.incr("key", 60), range(800)))
        assert storage.get("key") == 800


class TestPostgresStorage:
    def test_two_processes_count_together(self, postgres: Stored) -> None:
        first, second = limits(postgres()), limits(postgres())
        assert hits(first, 2) == 2
        assert hits(second, 2) == 1
        assert hits(first, 1) == 0

    def test_counts_every_hit_of_every_process(self, postgres: Stored) -> None:
        stores = [postgres(), postgres()]
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda number: stores[number % 2].incr("key", 60), range(100)))
        assert [store.get("key") for store in stores] == [100, 100]

    def test_windows_end_and_begin_again(self, postgres: Stored, engine: Engine) -> None:
        store = postgres()
        assert [store.incr("key", 60), store.incr("key", 60)] == [1, 2]
        assert store.get_expiry("key") == pytest.approx(time.time() + 60, abs=2)
        with engine.begin() as connection:
            connection.execute(text("update rate_limits set expires_at = 1 where key like '%key%'"))
        assert store.get("key") == 0
        assert store.incr("key", 60) == 1
        assert store.get_expiry("key") == pytest.approx(time.time() + 60, abs=2)

    def test_forgets(self, postgres: Stored, engine: Engine) -> None:
        store = postgres()
        for key in ("a", "b", "c"):
            store.incr(key, 60)
        store.clear("a")
        assert (store.get("a"), store.get("b")) == (0, 1)
        assert store.reset() == 2
        with engine.connect() as connection:
            assert connection.execute(select(rate_limits)).all() == []
        assert store.check()

    def test_does_not_wait_for_the_connections_of_those_who_count(self, database_url: str) -> None:
        """Each handler holds a connection of the pool by the time that it is counted."""
        small = db.engine_for(database_url, pool_size=2)
        store = PostgresStorage(small)
        both_hold = threading.Barrier(2)

        def handler(number: int) -> float:
            with small.connect() as held:
                held.execute(text("select 1"))
                both_hold.wait(10)
                started = time.perf_counter()
                store.incr(f"handler {number}", 60)
                return time.perf_counter() - started

        with ThreadPoolExecutor(2) as threads:
            assert max(threads.map(handler, range(2))) < 5
        store.reset()
        store.engine.dispose()
        small.dispose()


class TestRedisStorage:
    def test_two_processes_count_together(self, redis: RedisServer) -> None:
        first, second = limits(in_redis(redis)), limits(in_redis(redis))
        assert hits(first, 2) == 2
        assert hits(second, 2) == 1
        assert hits(first, 1) == 0


class TestAStoreThatFails:
    def test_the_process_counts_instead_and_quickly(self, redis: RedisServer) -> None:
        policies = limits(in_redis(redis))
        assert hits(policies, 1) == 1
        redis.stop()
        started = time.perf_counter()
        assert hits(policies, 50) == 3
        assert time.perf_counter() - started < 2

    def test_it_counts_again_when_it_is_back(self, redis: RedisServer) -> None:
        policies = limits(in_redis(redis))
        redis.stop()
        assert hits(policies, 9) == 3
        redis.start()
        policies._down_until = 0  # noqa: SLF001 - not to wait for it
        assert hits(policies, 9) == 3
        assert hits(limits(in_redis(redis)), 9) == 0

    def test_a_server_starts_and_answers_without_it(self, engine: Engine) -> None:
        gone = RedisServer()
        with (
            serving_with(redis_url=gone.url, redis_password=PASSWORD) as url,
            httpx.Client(base_url=f"{url}/api/v1") as client,
        ):
            started = time.perf_counter()
            for _ in range(10):
                assert client.get("/build").status_code == 200
                assert client.get("/movies/popular").status_code == 200
            assert time.perf_counter() - started < 5
