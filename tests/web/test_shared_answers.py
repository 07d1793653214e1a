"""Private answers that are the same for all who may have them, over two servers and one Redis."""

import time
from collections.abc import Iterator

import pytest

from tests.answers import refused
from tests.catalogue.tmdb import Serve, real, serve, tmdb  # noqa: F401 - fixtures
from tests.fakes.tmdb import FakeTmdb
from tests.redis_server import PASSWORD, RedisServer

SEARCH = "/metadata/search/movie?query=matrix"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


class TestSharedAnswers:
    @pytest.fixture
    def stored(self, redis: RedisServer) -> dict[str, str]:
        with redis.client() as client:
            client.flushall()
        return {"redis_url": redis.url, "redis_password": PASSWORD}

    def test_one_server_takes_what_another_has_stored(
        self,
        serve: Serve,  # noqa: F811 - a fixture
        stored: dict[str, str],
        tmdb: FakeTmdb,  # noqa: F811 - a fixture
    ) -> None:
        first, second = (serve(cache_duration_seconds=2, **stored) for _ in range(2))
        made = first.get(SEARCH)
        assert made.headers["cache-status"].startswith("marquee; fwd=miss; stored;")
        taken = second.get(SEARCH)
        assert (taken.content, len(tmdb.seen)) == (made.content, 1)
        tmdb.stop()
        time.sleep(2.1)
        assert "fwd=stale; fwd-status=503" in second.get(SEARCH).headers["cache-status"]
        third = serve(cache_duration_seconds=2, **stored)
        assert "fwd=stale; fwd-status=503" in third.get(SEARCH).headers["cache-status"]
        assert refused(third.get("/metadata/search/movie?query=dune"))[0] == 503

    def test_without_redis_each_asks_for_itself(
        self,
        serve: Serve,  # noqa: F811 - a fixture
        tmdb: FakeTmdb,  # noqa: F811 - a fixture
    ) -> None:
        for client in (serve(), serve(), serve(redis_url="redis://127.0.0.1:9/0")):
            assert client.get(SEARCH).status_code == 200
        assert len(tmdb.seen) == 3
