"""Streams hold neither a handler thread nor a database connection, and end with their client."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest
import yaml
from sqlalchemy import Engine

from marquee import settings
from marquee.web.app import create_app
from tests.contract import raw
from tests.contract.streams_app import CONTRACT
from tests.live import live
from tests.serving import serving

MANY = 100
PROGRAM = ("tests.contract.streams_app",)


@pytest.fixture(scope="module")
def by_another(engine: Engine) -> Iterator[str]:
    """Another ASGI server's protocol, with two handler threads."""
    values = replace(settings.current(), marquee_threads=2)
    with serving(create_app(values, yaml.safe_load(CONTRACT.read_text())), http="h11") as base:
        yield base


@pytest.fixture(scope="module")
def by_ours(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real server, of two handler threads."""
    folder = tmp_path_factory.mktemp("streams")
    with live(database_url, folder, program=PROGRAM, MARQUEE_THREADS="2") as server:
        yield server.url


@pytest.fixture(params=["by_another", "by_ours"])
def url(request: pytest.FixtureRequest) -> str:
    """Each server in turn."""
    base: str = request.getfixturevalue(request.param)
    return f"{base}/streams"


def until_open(url: str, streams: int) -> None:
    """Wait until so many streams are open, without a connection to the database."""
    deadline = time.monotonic() + 5
    while (held := httpx.get(f"{url}/held").text) != f"{streams} 0":
        assert time.monotonic() < deadline, f"{held} streams and connections are held."
        time.sleep(0.02)


def test_stream_arrives_in_pieces_and_ends(url: str) -> None:
    with httpx.stream("GET", f"{url}/three") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert "content-length" not in answer.headers
        assert "".join(answer.iter_text()) == "data: 0\n\ndata: 1\n\ndata: 2\n\n"


def test_first_piece_comes_at_once(url: str) -> None:
    packed = {"Accept-Encoding": "gzip"}
    with httpx.stream("GET", f"{url}/ticks?every=1000", headers=packed) as answer:
        started = time.monotonic()
        assert next(answer.iter_bytes()) == b"data: tick\n\n"
        assert time.monotonic() - started < 1
    until_open(url, 0)


@pytest.mark.parametrize("every", [0.05, 1000], ids=["busy", "silent"])
def test_many_streams_leave_threads_and_connections_free(url: str, every: float) -> None:
    with ExitStack() as clients:
        for _ in range(MANY):
            connection = clients.enter_context(raw.connect(url))
            connection.sendall(raw.head("GET", f"/streams/ticks?every={every}", {}))
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        until_open(url, MANY)
        for _ in range(10):
            started = time.monotonic()
            assert httpx.get(f"{url}/held").status_code == 200
            assert time.monotonic() - started < 1
    until_open(url, 0)


def test_head_opens_no_stream(url: str) -> None:
    assert httpx.head(f"{url}/ticks").status_code == 200
    until_open(url, 0)


def test_stream_that_breaks_off_does_not_end_well(url: str) -> None:
    """The client can tell it from one that has ended."""
    with (
        httpx.stream("GET", f"{url}/broken") as answer,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        answer.read()
    until_open(url, 0)
