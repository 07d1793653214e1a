"""The answers that `web/exchange.py` writes, and clients that do not take them as they should."""

import asyncio
import gc
import socket
import time
from contextlib import ExitStack
from dataclasses import replace

import httpx
import pytest
from uvicorn.server import ServerState

from marquee import settings
from marquee.web import connection as connections
from marquee.web.connection import Connection
from tests.contract import raw
from tests.serving import serving_any
from tests.web.probing import (
    HOST,
    LARGE,
    Probe,
    Transport,
    body_of,
    request,
    rest,
    said,
    statuses,
    until,
)


class TestAnswers:
    @pytest.mark.parametrize("path", ["/injected", "/broken"])
    def test_what_cannot_be_sent_is_an_error(self, url: str, path: str) -> None:
        answer = said(url, request(f"GET {path} HTTP/1.1", HOST))
        assert (statuses(answer), body_of(answer)["error"]["code"]) == ([500], "INTERNAL_ERROR")
        assert b"set-cookie" not in answer
        assert answer.count(b"\r\nconnection: close\r\n") == 1

    def test_a_short_answer_does_not_look_whole(self, url: str) -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{url}/short")

    def test_there_is_a_date(self, url: str) -> None:
        until(lambda: "date" in httpx.get(f"{url}/x").headers)

    def test_a_body_that_nobody_reads(self, url: str) -> None:
        """The next request is found behind it."""
        first = request("POST /deaf HTTP/1.1", HOST, "Content-Length: 300000")
        last = request("GET /last HTTP/1.1", HOST, "Connection: close")
        assert statuses(said(url, first, b"x" * 300_000 + last)) == [200, 200]


class TestClients:
    def test_one_that_reads_slowly_gets_all(self, url: str) -> None:
        """Slower than the time after which a silent connection is closed."""
        with raw.connect(url) as connection:
            connection.sendall(request("GET /large HTTP/1.1", HOST, "Connection: close"))
            received = 0
            for _ in range(4):
                time.sleep(0.6)
                received += len(connection.recv(1_000_000))
            received += len(rest(connection))
        assert received > LARGE

    def test_one_that_does_not_read_is_let_go(
        self, probe: Probe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connections, "STALLED", 0.5)
        with (
            serving_any(probe, replace(settings.current(), header_timeout=1)) as url,
            raw.connect(url) as connection,
        ):
            connection.sendall(request("GET /large HTTP/1.1", HOST) * 2)
            time.sleep(3)
            assert len(rest(connection)) < LARGE
        assert probe.asked == ["/large", "/large"]

    def test_one_that_goes_is_told_of(self, url: str, probe: Probe) -> None:
        with raw.connect(url) as connection:
            connection.sendall(request("POST /x HTTP/1.1", HOST, "Content-Length: 3", body="a"))
            until(lambda: probe.asked)
        assert probe.gone.wait(10)

    def test_one_that_only_says_that_it_is_done_gets_its_answers(
        self, url: str, probe: Probe
    ) -> None:
        with raw.connect(url) as connection:
            connection.sendall(
                request("GET /slow HTTP/1.1", HOST) + request("GET /x HTTP/1.1", HOST)
            )
            connection.shutdown(socket.SHUT_WR)
            until(lambda: probe.asked)
            time.sleep(0.1)
            probe.go_on.set()
            assert statuses(rest(connection)) == [200, 200]

    def test_one_that_is_done_and_does_not_read_is_let_go(
        self, probe: Probe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Also where so little is left that nobody waits for it."""
        monkeypatch.setattr(connections, "STALLED", 0.5)
        with serving_any(probe, settings.current()) as url, ExitStack() as open_:
            for number in range(40):
                connection = open_.enter_context(raw.connect(url))
                connection.sendall(
                    request(
                        f"GET /much?{2_000_000 + number * 40_000} HTTP/1.1",
                        HOST,
                        "Connection: close",
                    )
                )
            until(lambda: len(probe.asked) == 40)
            until(lambda: not [each for each in gc.get_objects() if isinstance(each, Connection)])

    def test_an_answer_is_not_cut_for_the_silence_before_it(
        self, probe: Probe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a client that was slow to read the last one, and then asks for something else."""
        monkeypatch.setattr(connections, "STALLED", 0.5)

        async def come() -> Transport:
            values = replace(settings.current(), header_timeout=1)
            listener, transport = connections.Listener(values), Transport(5)
            connection = listener.connection(probe, ServerState())
            connection.connection_made(transport)  # type: ignore[arg-type]
            connection.look_whether_idle()
            transport.unwritten = 0
            connection.data_received(request("GET /events HTTP/1.1", HOST))
            await asyncio.sleep(3)
            assert not transport.aborted
            connection.connection_lost(None)
            return transport

        assert b"data: 1" in asyncio.run(come()).written

    def test_one_that_is_gone_before_it_is_let_in(self, probe: Probe) -> None:
        async def come() -> Transport:
            transport = Transport(0, name=None)
            connection = connections.Listener(settings.current()).connection(probe, ServerState())
            connection.connection_made(transport)  # type: ignore[arg-type]
            connection.connection_lost(None)
            return transport

        assert asyncio.run(come()).aborted

    def test_a_half_sent_body_does_not_hold_up_the_end(self, probe: Probe) -> None:
        with serving_any(probe, settings.current()) as url:
            connection = raw.connect(url)
            connection.sendall(request("POST /x HTTP/1.1", HOST, "Content-Length: 9", body="a"))
            until(lambda: probe.asked)
            started = time.monotonic()
        assert time.monotonic() - started < 5
        connection.close()

    def test_a_stream_of_events_ends_with_the_server(self, probe: Probe) -> None:
        with serving_any(probe, settings.current()) as url:
            connection = raw.connect(url)
            connection.sendall(request("GET /events HTTP/1.1", HOST))
            until(lambda: probe.asked)
            assert b"data: 1" in connection.recv(65536)
            started = time.monotonic()
        assert probe.gone.is_set()
        assert time.monotonic() - started < 5
        connection.close()
