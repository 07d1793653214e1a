"""marquee/web/caching.py: public answers, alone and with a Redis between processes."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import flask
import pytest

from marquee import settings
from marquee.web import caching
from marquee.web.answers import Answer, etag_of, json_answer
from marquee.web.app import App
from marquee.web.caching import PublicAnswers, Stores
from marquee.web.envelope import envelope
from marquee.web.plan import Plan
from marquee.web.request import Request
from tests.redis_server import PASSWORD, RedisServer


@pytest.fixture
def plan(app: App) -> Plan:
    return app.engine.plans["list_popular_movies"]


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def emptied(redis: RedisServer) -> RedisServer:
    with redis.client() as client:
        client.flushall()
    return redis


def process(seconds: int = 30, server: RedisServer | None = None) -> PublicAnswers:
    """The stored answers of one process."""
    url, password = (server.url, PASSWORD) if server else ("", "")
    values = replace(
        settings.current(), cache_duration_seconds=seconds, redis_url=url, redis_password=password
    )
    return PublicAnswers(Stores(flask.Flask("tests"), values))


class Source:
    """What makes answers: numbers, or failures as long as it is down."""

    def __init__(self, seconds: float = 0, size: int = 0) -> None:
        self.made, self.seconds, self.down, self.size = 0, seconds, False, size
        self.hold()
        self.go_on.set()

    def hold(self) -> None:
        """Let it wait, when it is asked next, until `go_on` is set."""
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> Answer:
        self.made += 1
        await asyncio.sleep(self.seconds)
        self.asked.set()
        await self.go_on.wait()
        if self.down:
            return envelope(503, "EXTERNAL_API_ERROR", "Down.", headers={"Retry-After": "5"})
        answer = json_answer(200, {"number": self.made, "padding": "x" * self.size})
        answer.headers.append((b"etag", etag_of(answer.body)))
        return answer


def get(
    answers: PublicAnswers,
    plan: Plan,
    perform: Callable[[], Coroutine[Any, Any, Answer]],
    query: str = "",
    **headers: str,
) -> Coroutine[Any, Any, Answer]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request("GET", "/api/v1/movies/popular", query, sent, None, {})
    return answers.answer(plan, request, perform)


def told(answer: Answer, name: str) -> str:
    value = answer.header(name.encode())
    return "" if value is None else value.decode()


def test_one_load_serves_fifty(plan: Plan) -> None:
    async def run() -> list[Answer]:
        answers = process()
        return await asyncio.gather(*(get(answers, plan, source) for _ in range(50)))

    source = Source(0.05)
    found = asyncio.run(run())
    assert source.made == 1
    assert {answer.body for answer in found} == {found[0].body}
    assert {told(answer, "cache-status") for answer in found} == {
        "marquee; fwd=miss; stored; ttl=30"
    }


def test_a_fresh_answer_is_not_made_again(plan: Plan) -> None:
    async def run() -> list[Answer]:
        answers = process()
        return [
            await get(answers, plan, source, query) for query in ("page=2", "&&page=%32&", "page=3")
        ]

    source = Source()
    first, same, other = asyncio.run(run())
    assert (first.body, source.made) == (same.body, 2)
    assert first.body != other.body
    assert told(same, "cache-status") == "marquee; hit; ttl=30"
    assert told(same, "cache-control") == "public, max-age=30"
    assert told(same, "age") == "0"


def test_the_old_answer_serves_while_one_refreshes(plan: Plan) -> None:
    async def run() -> tuple[Answer, list[Answer], Answer]:
        answers = process(1)
        first = await get(answers, plan, source)
        await asyncio.sleep(1.05)
        source.hold()
        refreshing = asyncio.create_task(get(answers, plan, source))
        await source.asked.wait()
        async with asyncio.timeout(10):
            meanwhile = [await get(answers, plan, source) for _ in range(5)]
        source.go_on.set()
        return first, meanwhile, await refreshing

    source = Source()
    first, meanwhile, refreshed = asyncio.run(run())
    assert source.made == 2
    assert {answer.body for answer in meanwhile} == {first.body}
    assert {told(answer, "cache-status") for answer in meanwhile} == {
        "marquee; hit; fwd=stale; ttl=0"
    }
    assert int(told(meanwhile[0], "age")) >= 1
    assert refreshed.body != first.body


def test_the_last_good_answer_serves_while_the_source_is_down(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        answers = process(1)
        first = await get(answers, plan, source)
        source.down = True
        await asyncio.sleep(1.05)
        old = await get(answers, plan, source)
        assert (old.status, old.body) == (200, first.body)
        assert told(old, "cache-status").startswith("marquee; hit; fwd=stale; fwd-status=503; ttl=")
        assert int(told(old, "age")) >= 1
        # What is down is left alone for a while.
        assert (await get(answers, plan, source)).body == first.body
        assert source.made == 2
        source.down = False
        await asyncio.sleep(1.05)
        back = await get(answers, plan, source)
        assert (source.made, told(back, "age")) == (3, "0")
        assert back.body != first.body

    monkeypatch.setattr(caching, "RETRY_SECONDS", 1)
    source = Source()
    asyncio.run(run())


def test_a_failure_is_not_stored(plan: Plan) -> None:
    async def run() -> None:
        answers = process()
        failed = await asyncio.gather(*(get(answers, plan, source) for _ in range(3)))
        assert [answer.status for answer in failed] == [503] * 3
        assert source.made == 1
        assert told(failed[0], "retry-after") == "5"
        assert told(failed[0], "cache-status") == ""
        source.down = False
        assert (await get(answers, plan, source)).status == 200

    source = Source(0.01)
    source.down = True
    asyncio.run(run())


def test_a_limit_of_one_caller_is_not_shared_with_those_who_wait(plan: Plan) -> None:
    async def limited() -> Answer:
        await asyncio.sleep(0.05)
        return envelope(429, "RATE_LIMITED", "Too many requests.", headers={"Retry-After": "9"})

    async def run() -> list[Answer]:
        answers = process()
        calls = [limited, *[source] * 5]
        return await asyncio.gather(*(get(answers, plan, perform) for perform in calls))

    source = Source()
    found = asyncio.run(run())
    assert [answer.status for answer in found] == [429, 200, 200, 200, 200, 200]
    assert source.made == 1


def test_a_client_that_goes_stops_nothing(plan: Plan) -> None:
    async def run() -> None:
        answers = process()
        source.hold()
        gone = asyncio.create_task(get(answers, plan, source))
        await source.asked.wait()
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        source.go_on.set()
        assert (await get(answers, plan, source)).status == 200
        assert source.made == 1

    source = Source()
    asyncio.run(run())


def test_each_coding_has_its_form_and_its_etag(plan: Plan) -> None:
    async def run() -> None:
        answers = process()
        for coding in (None, "gzip", "br"):
            answer = await get(answers, plan, source, accept_encoding=coding or "")
            assert told(answer, "content-encoding") == (coding or "")
            etag = told(answer, "etag")
            assert etag.endswith(f'-{coding}"') is (coding is not None)
            unchanged = await get(
                answers, plan, source, accept_encoding=coding or "", if_none_match=etag
            )
            assert (unchanged.status, unchanged.body) == (304, b"")
            assert told(unchanged, "etag") == etag
            other = await get(
                answers, plan, source, accept_encoding=coding or "", if_none_match='"x"'
            )
            assert other.status == 200
        assert source.made == 1

    source = Source(size=2000)
    asyncio.run(run())


def test_an_answer_that_is_given_out_may_be_written_on(plan: Plan) -> None:
    async def run() -> None:
        answers = process()
        for _ in range(2):
            answer = await get(answers, plan, source)
            assert "x-mine" not in {name.decode() for name, _ in answer.headers}
            answer.headers.append((b"x-mine", b"1"))

    source = Source()
    asyncio.run(run())


class TestWithRedis:
    def test_one_process_loads_for_two(self, plan: Plan, emptied: RedisServer) -> None:
        async def run() -> list[Answer]:
            both = process(server=emptied), process(server=emptied)
            calls = [get(both[number % 2], plan, source) for number in range(50)]
            return await asyncio.gather(*calls)

        source = Source(0.2)
        found = asyncio.run(run())
        assert source.made == 1
        assert {answer.body for answer in found} == {found[0].body}

    def test_a_process_that_starts_finds_what_others_have(
        self, plan: Plan, emptied: RedisServer
    ) -> None:
        async def run() -> None:
            first = await get(process(server=emptied), plan, source)
            await asyncio.sleep(1.05)
            late = process(server=emptied)
            second = await get(late, plan, source)
            assert (second.body, source.made) == (first.body, 1)
            assert int(told(second, "age")) >= 1
            assert int(told(second, "cache-control").rpartition("=")[2]) < 30

        source = Source()
        asyncio.run(run())

    def test_it_finds_the_last_good_answer_too(self, plan: Plan, emptied: RedisServer) -> None:
        async def run() -> None:
            first = await get(process(1, emptied), plan, source)
            source.down = True
            await asyncio.sleep(1.05)
            old = await get(process(1, emptied), plan, source)
            assert (old.status, old.body) == (200, first.body)
            assert "fwd-status=503" in told(old, "cache-status")

        source = Source()
        asyncio.run(run())

    def test_a_failure_lets_others_try_at_once(self, plan: Plan, emptied: RedisServer) -> None:
        async def run() -> None:
            source.down = True
            assert (await get(process(server=emptied), plan, source)).status == 503
            source.down = False
            started = time.perf_counter()
            assert (await get(process(server=emptied), plan, source)).status == 200
            assert time.perf_counter() - started < 1

        source = Source()
        asyncio.run(run())

    def test_its_end_is_harmless_and_quick(self, plan: Plan) -> None:
        async def run(server: RedisServer) -> None:
            answers = process(server=server)
            await get(answers, plan, source)
            server.stop()
            started = time.perf_counter()
            for number in range(2, 22):
                answer = await get(answers, plan, source, f"page={number}")
                assert answer.status == 200
            assert time.perf_counter() - started < 2
            assert source.made == 21
            server.start()
            answers.stores._far_down_until = 0  # noqa: SLF001 - not to wait for it
            await get(answers, plan, source, "page=99")
            await get(process(server=server), plan, source, "page=99")
            assert source.made == 22

        source = Source()
        with RedisServer() as own:
            asyncio.run(run(own))

    def test_what_is_no_answer_is_not_believed(self, plan: Plan, emptied: RedisServer) -> None:
        async def run() -> None:
            answers = process(server=emptied)
            answers.stores.far_set("public:list_popular_movies:/api/v1/movies/popular?", "junk")
            assert (await get(answers, plan, source)).status == 200
            with emptied.client() as client:
                for key in client.keys("*"):
                    client.set(key, b"!not a pickle")
            assert (await get(process(server=emptied), plan, source)).status == 200

        source = Source()
        asyncio.run(run())
