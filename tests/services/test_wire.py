"""src/marquee/services/wire.py, through http.py."""

import socket
import ssl
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
import trustme

from marquee.errors import TimedOut, Unavailable
from marquee.services.http import Upstream
from tests.services.conftest import (
    Clock,
    Echo,
    Lines,
    MakeUpstream,
    exchanges,
    outcomes,
    wait_until,
    whole,
)


class TestDeadline:
    @pytest.mark.parametrize("kind", ["slow", "drip", "drip_headers"])
    def test_an_attempt_ends_however_the_server_dawdles(
        self, make_upstream: MakeUpstream, echo: Echo, lines: Lines, kind: str
    ) -> None:
        echo.breaks(kind, seconds=0.05 if kind != "slow" else 5)
        started = time.monotonic()
        with pytest.raises(TimedOut) as refused:
            make_upstream(attempts=1, connect_timeout=0.2, read_timeout=0.2).get("/", read=whole)
        assert time.monotonic() - started < 2.5
        assert (refused.value.status, refused.value.code) == (504, "EXTERNAL_API_TIMEOUT")
        assert outcomes(lines) == ["timeout"]
        wait_until(lambda: exchanges() == 0)

    def test_a_call_ends_with_its_time(self, echo: Echo, lines: Lines) -> None:
        echo.breaks("drip", seconds=0.05)
        upstream = Upstream("echo", echo.url, total_timeout=1.3, log=lines.log)
        started = time.monotonic()
        with pytest.raises(TimedOut):
            upstream.get("/", read=whole)
        assert 1.2 < time.monotonic() - started < 4
        wait_until(lambda: exchanges() == 0)

    def test_no_wait_is_begun_that_would_outlast_it(
        self, make_upstream: MakeUpstream, echo: Echo, clock: Clock
    ) -> None:
        echo.breaks("status", status=503)
        with pytest.raises(Unavailable):
            make_upstream(total_timeout=6).get("/", read=whole)
        assert clock.waits == [1, 2]

    def test_a_server_that_accepts_no_connection(self, lines: Lines) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as callers:
            address = full.getsockname()
            for _ in range(3):  # now there is no room left, and whoever calls next is not heard
                caller = callers.enter_context(socket.socket())
                caller.settimeout(0)
                caller.connect_ex(address)
            url = f"http://127.0.0.1:{address[1]}"
            upstream = Upstream("full", url, attempts=1, connect_timeout=0.2, log=lines.log)
            started = time.monotonic()
            with pytest.raises(TimedOut):
                upstream.get("/", read=whole)
            assert time.monotonic() - started < 2.5


class TestEncryption:
    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def safe(self, authority: trustme.CA) -> Iterator[Echo]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        with Echo(tls=context) as safe:
            yield safe

    @pytest.fixture
    def upstream(
        self,
        safe: Echo,
        authority: trustme.CA,
        lines: Lines,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Upstream:
        authority.cert_pem.write_to_path(tmp_path / "authority.pem")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
        return Upstream("safe", safe.url, attempts=1, read_timeout=0.5, log=lines.log)

    def test_works_with_an_authority_of_ones_own(self, upstream: Upstream, safe: Echo) -> None:
        for _ in range(3):
            assert upstream.get("/film", read=whole)["path"] == "/film"
        assert safe.connections == 1

    @pytest.mark.parametrize("kind", ["slow", "drip", "drip_headers"])
    def test_dawdling_ends_too(self, upstream: Upstream, safe: Echo, kind: str) -> None:
        upstream.get("/", read=whole)
        safe.breaks(kind, seconds=0.05 if kind != "slow" else 30)
        upstream = replace(upstream, connect_timeout=0.1, read_timeout=0.2)
        started = time.monotonic()
        with pytest.raises(TimedOut):
            upstream.get("/", read=whole)
        assert time.monotonic() - started < 2.5
        wait_until(lambda: exchanges() == 0)

    def test_a_stranger_is_not_trusted(self, safe: Echo, lines: Lines) -> None:
        with pytest.raises(Unavailable):
            Upstream("safe", safe.url, attempts=1, log=lines.log).get("/", read=whole)
        assert safe.seen == []
        assert "CERTIFICATE_VERIFY_FAILED" in lines.entries()[0]["error"]


class TestSize:
    @pytest.mark.parametrize("kind", ["huge", "endless", "bomb"])
    def test_too_much_is_not_read(
        self, make_upstream: MakeUpstream, echo: Echo, lines: Lines, kind: str
    ) -> None:
        echo.breaks(kind)
        tracemalloc.start()
        started = time.monotonic()
        try:
            with pytest.raises(Unavailable):
                make_upstream(max_bytes=2_000_000).get("/", read=whole)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert time.monotonic() - started < 3
        assert peak < 30_000_000
        assert (outcomes(lines), len(echo.seen)) == (["too_large"], 1)

    def test_nor_of_an_error(self, make_upstream: MakeUpstream, echo: Echo, lines: Lines) -> None:
        echo.breaks("endless", status=500)
        with pytest.raises(Unavailable):
            make_upstream(attempts=1).get("/", read=whole)
        assert outcomes(lines) == ["server_error"]

    def test_what_fits_is_read(self, make_upstream: MakeUpstream) -> None:
        path = "/" + "x" * 3000
        size = len(orjson.dumps(make_upstream().get(path, read=whole)))
        assert make_upstream(max_bytes=size).get(path, read=whole)["path"] == path
        with pytest.raises(Unavailable):
            make_upstream(max_bytes=size - 1).get(path, read=whole)


class TestRedirects:
    def test_elsewhere_nobody_gets_our_key(
        self, make_upstream: MakeUpstream, echo: Echo, lines: Lines
    ) -> None:
        with Echo() as elsewhere:
            for location in (elsewhere.url, f"//localhost:{echo.port}/", "https://127.0.0.1/"):
                echo.breaks("redirect", location=location)
                with pytest.raises(Unavailable):
                    make_upstream(query={"key": "ours"}).get("/", read=whole)
        assert (elsewhere.seen, len(echo.seen)) == ([], 3)
        assert outcomes(lines) == ["redirect"] * 3

    def test_on_the_same_server_they_are_followed(
        self, make_upstream: MakeUpstream, echo: Echo
    ) -> None:
        echo.breaks("redirect", location="/there?a=b", times=1)
        upstream = make_upstream(headers={"Authorization": "Bearer token"})
        answer = upstream.get("/here", {"page": 1}, read=whole)
        assert (answer["path"], answer["query"]) == ("/there", {"a": "b"})
        assert [asked.headers["authorization"] for asked in echo.seen] == ["Bearer token"] * 2

    def test_not_for_ever(self, make_upstream: MakeUpstream, echo: Echo) -> None:
        echo.breaks("redirect", location="/round")
        with pytest.raises(Unavailable):
            make_upstream().get("/round", read=whole)
        assert len(echo.seen) == 4

    def test_nor_with_a_body(self, make_upstream: MakeUpstream, echo: Echo) -> None:
        echo.breaks("redirect", location="/there", status=307)
        with pytest.raises(Unavailable):
            make_upstream().request("POST", "/here", body={}, read=whole)
        assert len(echo.seen) == 1

    def test_their_bodies_are_bounded_too(
        self, make_upstream: MakeUpstream, echo: Echo, lines: Lines
    ) -> None:
        echo.breaks("endless", status=302, location="http://127.0.0.1:1/")
        with pytest.raises(Unavailable):
            make_upstream().get("/", read=whole)
        assert outcomes(lines) == ["too_large"]

    @pytest.mark.parametrize("location", ["http://[", "http://host:port/", "http://h:99999/", ""])
    def test_a_location_that_is_none(
        self, make_upstream: MakeUpstream, echo: Echo, location: str
    ) -> None:
        echo.breaks("redirect", location=location)
        with pytest.raises(Unavailable):
            make_upstream().get("/", read=whole)
