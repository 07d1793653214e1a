"""src/marquee/services/http.py, with wire.py, circuit.py and kept.py beneath it."""

import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog
import trustme
from prometheus_client import REGISTRY

from marquee.errors import TimedOut, Unavailable
from marquee.services.fields import Fields, Malformed
from marquee.services.http import LONGEST_WAIT, Upstream, UpstreamNotFound, spread
from tests.services.conftest import START, Clock, Echo, Lines

Make = Callable[..., Upstream]
SECRET = "s3cr3t/with+odd=characters"


def whole(value: object) -> Any:
    """Read anything."""
    return value


@pytest.fixture
def make(echo: Echo, clock: Clock, lines: Lines) -> Make:
    """An upstream of the echo whose time passes by sleeping only: `make(attempts=1)`."""

    def make(**options: Any) -> Upstream:
        defaults = {"timing": clock.timing, "log": lines.log}
        return Upstream("echo", echo.url, **{**defaults, **options})

    return make


def outcomes(lines: Lines) -> list[str]:
    return [entry["outcome"] for entry in lines.entries()]


def wait_until(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + 3
    while not happened():
        assert time.monotonic() < until, "It did not happen within 3 seconds."
        time.sleep(0.01)


def exchanges() -> int:
    return sum(thread.name == "upstream" for thread in threading.enumerate())


class TestRequest:
    def test_sends_what_every_request_has_and_its_own(self, make: Make) -> None:
        upstream = make(query={"key": "k"}, headers={"X-Client": "marquee"})
        answer = upstream.get("/a/b", {"page": 2, "words": "æ & b"}, read=whole)
        assert answer["query"] == {"key": "k", "page": "2", "words": "æ & b"}

    def test_sends_json(self, make: Make, echo: Echo) -> None:
        answer = make().request("POST", "/things", body={"name": "é"}, read=whole)
        assert (answer["method"], answer["body"]) == ("POST", '{"name":"é"}')
        assert echo.seen[0].headers["content-type"] == "application/json"

    def test_keeps_connections_open(self, make: Make, echo: Echo) -> None:
        upstream = make()
        for _ in range(5):
            upstream.get("/", read=whole)
        with pytest.raises(UpstreamNotFound):
            upstream.get("/missing", read=whole)
        upstream.get("/", read=whole)
        assert (len(echo.seen), echo.connections) == (7, 1)

    def test_calls_do_not_wait_for_each_other(self, make: Make, echo: Echo) -> None:
        echo.breaks("slow", seconds=0.3)
        upstream = make()
        started = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: upstream.get("/", read=whole), range(8)))
        assert time.monotonic() - started < 1.2

    def test_sends_no_cookie_and_no_password_of_the_environment(
        self, make: Make, echo: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        upstream = make()
        for _ in range(2):
            upstream.get("/", read=whole)
        assert not any({"cookie", "authorization"} & set(asked.headers) for asked in echo.seen)


class TestRetries:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_a_passing_failure_is_tried_again(
        self, make: Make, echo: Echo, clock: Clock, status: int
    ) -> None:
        echo.breaks("status", status=status, times=2)
        assert make().get("/film", read=whole)["path"] == "/film"
        assert (len(echo.seen), clock.waits) == (3, [1, 2])

    @pytest.mark.parametrize("kind", ["reset", "truncated"])
    def test_so_is_a_broken_connection(
        self, make: Make, echo: Echo, clock: Clock, lines: Lines, kind: str
    ) -> None:
        echo.breaks(kind, times=1)
        assert make().get("/film", read=whole)["path"] == "/film"
        assert (clock.waits, outcomes(lines)) == ([1], ["connection_error"])

    def test_so_is_a_server_that_is_starting(self, make: Make, echo: Echo, clock: Clock) -> None:
        echo.stop()
        clock.meanwhile = echo.start
        assert make().get("/film", read=whole)["path"] == "/film"
        assert clock.waits == [1]

    def test_so_is_a_slow_answer(self, make: Make, echo: Echo, lines: Lines) -> None:
        echo.breaks("slow", seconds=1, times=1)
        assert make(read_timeout=0.1).get("/film", read=whole)["path"] == "/film"
        assert outcomes(lines) == ["timeout"]

    def test_three_times_and_no_more(
        self, make: Make, echo: Echo, clock: Clock, lines: Lines
    ) -> None:
        echo.breaks("status", status=503)
        with pytest.raises(Unavailable) as refused:
            make().get("/film", read=whole)
        assert (refused.value.status, refused.value.code) == (503, "EXTERNAL_API_ERROR")
        assert refused.value.headers == {"Retry-After": "5"}
        assert (len(echo.seen), clock.waits) == (4, [1, 2, 4])
        assert [entry["attempt"] for entry in lines.entries()] == [1, 2, 3, 4]

    @pytest.mark.parametrize("status", [400, 405, 409, 422, 501])
    def test_what_will_not_pass_is_not_tried_again(
        self, make: Make, echo: Echo, status: int
    ) -> None:
        echo.breaks("status", status=status)
        with pytest.raises(Unavailable):
            make().get("/film", read=whole)
        assert len(echo.seen) == 1

    @pytest.mark.parametrize(
        "method,attempts", [("GET", 4), ("PUT", 4), ("DELETE", 4), ("POST", 1), ("PATCH", 1)]
    )
    def test_only_what_may_be_done_twice(
        self, make: Make, echo: Echo, method: str, attempts: int
    ) -> None:
        echo.breaks("status", status=503)
        with pytest.raises(Unavailable):
            make().request(method, "/film", read=whole)
        assert len(echo.seen) == attempts

    def test_a_post_that_was_cut_off_is_not_sent_again(self, make: Make, echo: Echo) -> None:
        echo.breaks("reset")
        with pytest.raises(Unavailable):
            make().request("POST", "/film", body={}, read=whole)
        assert len(echo.seen) == 1

    @pytest.mark.parametrize(
        "asked,waits",
        [("3", [3]), ("5", [5]), ("0", [1]), ("soon", [1]), ("", [1]), ("-4", [1]), ("1.5", [1])],
    )
    def test_retry_after_is_kept(
        self, make: Make, echo: Echo, clock: Clock, asked: str, waits: list[float]
    ) -> None:
        echo.breaks("status", status=429, retry_after=asked, times=1)
        make().get("/film", read=whole)
        assert clock.waits == waits

    def test_retry_after_may_be_a_date(self, make: Make, echo: Echo, clock: Clock) -> None:
        clock.at = 6
        date = format_datetime(START.replace(second=10), usegmt=True)
        echo.breaks("status", status=503, retry_after=date, times=1)
        make().get("/film", read=whole)
        assert clock.waits == [4]

    def test_a_date_that_has_passed_is_no_reason_to_wait_longer(
        self, make: Make, echo: Echo, clock: Clock
    ) -> None:
        echo.breaks("status", status=503, retry_after="Sun, 06 Nov 1994 08:49:37 GMT", times=1)
        make().get("/film", read=whole)
        assert clock.waits == [1]

    @pytest.mark.parametrize(
        "asked,told",
        [
            ("6", "6"),
            ("120", "120"),
            ("99999999999", "3600"),
            (format_datetime(START.replace(minute=1), usegmt=True), "60"),
        ],
    )
    def test_who_asks_for_longer_is_left_alone(
        self, make: Make, echo: Echo, clock: Clock, asked: str, told: str
    ) -> None:
        echo.breaks("status", status=429, retry_after=asked)
        with pytest.raises(Unavailable) as refused:
            make().get("/film", read=whole)
        assert (len(echo.seen), clock.waits) == (1, [])
        assert refused.value.headers == {"Retry-After": told}

    def test_waits_are_spread_and_never_over_five_seconds(self) -> None:
        waits = [spread(4) for _ in range(200)]
        assert 4 <= min(waits) < max(waits) <= LONGEST_WAIT


class TestDeadline:
    @pytest.mark.parametrize("kind", ["slow", "drip", "drip_headers"])
    def test_an_attempt_ends_however_the_server_dawdles(
        self, make: Make, echo: Echo, lines: Lines, kind: str
    ) -> None:
        echo.breaks(kind, seconds=0.05 if kind != "slow" else 5)
        started = time.monotonic()
        with pytest.raises(TimedOut) as refused:
            make(attempts=1, connect_timeout=0.2, read_timeout=0.2).get("/", read=whole)
        assert time.monotonic() - started < 1
        assert (refused.value.status, refused.value.code) == (504, "EXTERNAL_API_TIMEOUT")
        assert outcomes(lines) == ["timeout"]
        wait_until(lambda: exchanges() == 0)

    def test_a_call_ends_with_its_time(self, echo: Echo, lines: Lines) -> None:
        echo.breaks("drip", seconds=0.05)
        upstream = Upstream("echo", echo.url, total_timeout=1.3, log=lines.log)
        started = time.monotonic()
        with pytest.raises(TimedOut):
            upstream.get("/", read=whole)
        assert 1.2 < time.monotonic() - started < 2
        wait_until(lambda: exchanges() == 0)

    def test_no_wait_is_begun_that_would_outlast_it(
        self, make: Make, echo: Echo, clock: Clock
    ) -> None:
        echo.breaks("status", status=503)
        with pytest.raises(Unavailable):
            make(total_timeout=6).get("/", read=whole)
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
            assert time.monotonic() - started < 1


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
        assert time.monotonic() - started < 1
        wait_until(lambda: exchanges() == 0)

    def test_a_stranger_is_not_trusted(self, safe: Echo, lines: Lines) -> None:
        with pytest.raises(Unavailable):
            Upstream("safe", safe.url, attempts=1, log=lines.log).get("/", read=whole)
        assert safe.seen == []
        assert "CERTIFICATE_VERIFY_FAILED" in lines.entries()[0]["error"]


class TestSize:
    @pytest.mark.parametrize("kind", ["huge", "endless", "bomb"])
    def test_too_much_is_not_read(self, make: Make, echo: Echo, lines: Lines, kind: str) -> None:
        echo.breaks(kind)
        tracemalloc.start()
        started = time.monotonic()
        try:
            with pytest.raises(Unavailable):
                make(max_bytes=2_000_000).get("/", read=whole)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert time.monotonic() - started < 3
        assert peak < 30_000_000
        assert (outcomes(lines), len(echo.seen)) == (["too_large"], 1)

    def test_nor_of_an_error(self, make: Make, echo: Echo, lines: Lines) -> None:
        echo.breaks("endless", status=500)
        with pytest.raises(Unavailable):
            make(attempts=1).get("/", read=whole)
        assert outcomes(lines) == ["server_error"]

    def test_what_fits_is_read(self, make: Make) -> None:
        path = "/" + "x" * 3000
        size = len(orjson.dumps(make().get(path, read=whole)))
        assert make(max_bytes=size).get(path, read=whole)["path"] == path
        with pytest.raises(Unavailable):
            make(max_bytes=size - 1).get(path, read=whole)


class TestRedirects:
    def test_elsewhere_nobody_gets_our_key(self, make: Make, echo: Echo, lines: Lines) -> None:
        with Echo() as elsewhere:
            for location in (elsewhere.url, f"//localhost:{echo.port}/", "https://127.0.0.1/"):
                echo.breaks("redirect", location=location)
                with pytest.raises(Unavailable):
                    make(query={"key": SECRET}, secrets=(SECRET,)).get("/", read=whole)
        assert (elsewhere.seen, len(echo.seen)) == ([], 3)
        assert outcomes(lines) == ["redirect"] * 3

    def test_on_the_same_server_they_are_followed(self, make: Make, echo: Echo) -> None:
        echo.breaks("redirect", location="/there?a=b", times=1)
        upstream = make(headers={"Authorization": "Bearer token"})
        answer = upstream.get("/here", {"page": 1}, read=whole)
        assert (answer["path"], answer["query"]) == ("/there", {"a": "b"})
        assert [asked.headers["authorization"] for asked in echo.seen] == ["Bearer token"] * 2

    def test_not_for_ever(self, make: Make, echo: Echo) -> None:
        echo.breaks("redirect", location="/round")
        with pytest.raises(Unavailable):
            make().get("/round", read=whole)
        assert len(echo.seen) == 4

    def test_nor_with_a_body(self, make: Make, echo: Echo) -> None:
        echo.breaks("redirect", location="/there", status=307)
        with pytest.raises(Unavailable):
            make().request("POST", "/here", body={}, read=whole)
        assert len(echo.seen) == 1

    def test_their_bodies_are_bounded_too(self, make: Make, echo: Echo, lines: Lines) -> None:
        echo.breaks("endless", status=302, location="http://127.0.0.1:1/")
        with pytest.raises(Unavailable):
            make().get("/", read=whole)
        assert outcomes(lines) == ["too_large"]

    @pytest.mark.parametrize("location", ["http://[", "http://host:port/", "http://h:99999/", ""])
    def test_a_location_that_is_none(self, make: Make, echo: Echo, location: str) -> None:
        echo.breaks("redirect", location=location)
        with pytest.raises(Unavailable):
            make().get("/", read=whole)


class TestAnswers:
    @pytest.mark.parametrize("kind", ["broken_json", "html", "encoding"])
    def test_nonsense_is_a_failure_of_the_service(
        self, make: Make, echo: Echo, lines: Lines, kind: str
    ) -> None:
        echo.breaks(kind)
        with pytest.raises(Unavailable):
            make().get("/", read=whole)
        assert (outcomes(lines), len(echo.seen)) == (["malformed"], 1)

    @pytest.mark.parametrize("kind", ["empty", "wrong_types"])
    def test_so_is_what_the_reader_did_not_expect(
        self, make: Make, echo: Echo, lines: Lines, kind: str
    ) -> None:
        def read(value: object) -> str:
            return Fields(value, "answer").inners("query")[0].text("path", 10)

        echo.breaks(kind)
        with pytest.raises(Unavailable):
            make().get("/", read=read)
        assert outcomes(lines) == ["malformed"]
        assert lines.entries()[0]["error"].startswith("answer")

    def test_not_found_is_for_the_adapter_to_judge(
        self, make: Make, clock: Clock, lines: Lines
    ) -> None:
        with pytest.raises(UpstreamNotFound) as missing:
            make().get("/missing", read=whole)
        assert (missing.value.status, clock.waits, lines.text) == (503, [], "")

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_key_is_named_in_the_log(
        self, make: Make, echo: Echo, lines: Lines, status: int
    ) -> None:
        echo.breaks("status", status=status)
        with pytest.raises(Unavailable) as refused:
            make().get("/", read=whole)
        (entry,) = lines.entries()
        assert (entry["outcome"], entry["status"]) == ("key_refused", status)
        assert entry["error"].startswith("The key was refused.")
        assert "key" not in refused.value.message

    def test_a_bug_of_ours_is_not_hidden(self, make: Make) -> None:
        with pytest.raises(ZeroDivisionError):
            make().get("/", read=lambda _: 1 / 0)


class TestCircuit:
    @pytest.fixture
    def upstream(self, make: Make) -> Upstream:
        return make(attempts=1)

    @staticmethod
    def fail(upstream: Upstream, times: int = 1) -> Unavailable:
        for _ in range(times):
            with pytest.raises(Unavailable) as refused:
                upstream.get("/", read=whole)
        return refused.value

    def test_five_failures_open_it_for_thirty_seconds(
        self, upstream: Upstream, echo: Echo, clock: Clock, lines: Lines
    ) -> None:
        echo.breaks("status", status=503)
        self.fail(upstream, 5)
        echo.heals()
        clock.at = 29
        refused = self.fail(upstream)
        assert (len(echo.seen), refused.headers) == (5, {"Retry-After": "1"})
        assert outcomes(lines)[-1] == "circuit_open"
        clock.at = 30
        for _ in range(3):
            upstream.get("/", read=whole)
        changes = [(each["old"], each["new"]) for each in lines.entries("upstream_circuit")]
        assert changes == [("closed", "open"), ("open", "half-open"), ("half-open", "closed")]

    def test_a_trial_that_fails_opens_it_again(
        self, upstream: Upstream, echo: Echo, clock: Clock
    ) -> None:
        echo.breaks("html")
        self.fail(upstream, 5)
        clock.at = 31
        self.fail(upstream, 3)
        assert len(echo.seen) == 6
        clock.at = 62
        self.fail(upstream, 3)
        assert len(echo.seen) == 7

    def test_only_one_may_try(self, upstream: Upstream, echo: Echo, clock: Clock) -> None:
        echo.breaks("status", status=503)
        self.fail(upstream, 5)
        clock.at = 31
        echo.breaks("slow", seconds=0.4)
        with ThreadPoolExecutor(1) as pool:
            trial = pool.submit(upstream.get, "/", read=whole)
            wait_until(lambda: len(echo.seen) == 6)
            self.fail(upstream, 3)
            assert not trial.done()
            assert trial.result()["path"] == "/"
        echo.heals()
        upstream.get("/", read=whole)
        assert len(echo.seen) == 7

    def test_a_success_between_failures_keeps_it_closed(
        self, upstream: Upstream, echo: Echo
    ) -> None:
        for _ in range(3):
            echo.breaks("status", status=503)
            self.fail(upstream, 4)
            echo.heals()
            upstream.get("/", read=whole)
        assert len(echo.seen) == 15

    def test_our_own_mistakes_do_not_open_it(self, upstream: Upstream, echo: Echo) -> None:
        echo.breaks("status", status=422)
        self.fail(upstream, 6)
        echo.heals()
        for _ in range(6):
            with pytest.raises(UpstreamNotFound):
                upstream.get("/missing", read=whole)
        assert len(echo.seen) == 12

    @pytest.mark.parametrize("status", [401, 429])
    def test_a_refused_key_and_a_rate_limit_do(
        self, upstream: Upstream, echo: Echo, status: int
    ) -> None:
        echo.breaks("status", status=status)
        self.fail(upstream, 8)
        assert len(echo.seen) == 5

    def test_who_is_retrying_stops_when_it_opens(
        self, make: Make, echo: Echo, clock: Clock
    ) -> None:
        echo.breaks("status", status=503)
        upstream = make()
        self.fail(upstream, 2)
        assert (len(echo.seen), clock.waits) == (5, [1, 2, 4])

    def test_each_service_has_its_own(self, make: Make, echo: Echo) -> None:
        echo.breaks("status", status=503)
        self.fail(make(attempts=1), 5)
        echo.heals()
        make().get("/", read=whole)


class TestETag:
    def test_an_answer_that_has_not_changed_is_not_sent_again(self, make: Make, echo: Echo) -> None:
        upstream = make()
        first, second = upstream.get("/a", read=whole), upstream.get("/a", read=whole)
        assert first == second
        tag = echo.seen[1].headers["if-none-match"]
        assert tag.startswith('W/"')
        assert upstream.get("/a", {"page": 2}, read=whole)["query"] == {"page": "2"}
        assert "if-none-match" not in echo.seen[2].headers

    def test_what_could_not_be_read_is_not_kept(self, make: Make, echo: Echo) -> None:
        def read(_: object) -> None:
            raise Malformed("of no use")

        upstream = make()
        with pytest.raises(Unavailable):
            upstream.get("/a", read=read)
        upstream.get("/a", read=whole)
        assert "if-none-match" not in echo.seen[1].headers

    def test_the_longest_unused_goes_first(self, make: Make, echo: Echo) -> None:
        upstream = make(keep_bytes=2_500)
        for letter in "abca":
            upstream.get("/" + letter * 1000, read=whole)
        assert "if-none-match" not in echo.seen[3].headers
        upstream.get("/" + "c" * 1000, read=whole)
        assert "if-none-match" in echo.seen[4].headers

    def test_an_answer_unchanged_that_nobody_asked_about(
        self, make: Make, echo: Echo, lines: Lines
    ) -> None:
        echo.breaks("status", status=304)
        with pytest.raises(Unavailable):
            make().get("/a", read=whole)
        assert outcomes(lines) == ["malformed"]


class TestLog:
    def test_says_what_there_is_to_say(self, make: Make, echo: Echo, lines: Lines) -> None:
        echo.breaks("status", status=503, times=1)
        with structlog.contextvars.bound_contextvars(request_id="req-7"):
            make().get("/film", {"page": 1}, read=whole)
        (entry,) = lines.entries()
        stack = entry.pop("exception")
        assert entry == {
            "event": "upstream_failed",
            "level": "warning",
            "request_id": "req-7",
            "upstream": "echo",
            "method": "GET",
            "path": "/film",
            "attempt": 1,
            "attempts": 4,
            "outcome": "server_error",
            "status": 503,
            "error": '503: {"message":"a problem numbered 503"}',
            "retry_in_seconds": 1,
        }
        assert stack.startswith("Traceback")
        assert "in _sent" in stack

    def test_the_last_attempt_is_an_error(self, make: Make, echo: Echo, lines: Lines) -> None:
        echo.stop()
        with pytest.raises(Unavailable):
            make(attempts=2).get("/film", read=whole)
        first, last = lines.entries()
        assert (first["level"], last["level"]) == ("warning", "error")
        assert (last["attempt"], last["retry_in_seconds"]) == (2, None)
        assert "Connection refused" in last["error"]
        assert "wire.py" in last["exception"]

    @pytest.mark.parametrize(
        "kind", ["refused", "reset", "slow", "drip", "redirect", "html", "truncated"]
    )
    def test_shows_no_secret(self, make: Make, echo: Echo, lines: Lines, kind: str) -> None:
        if kind == "refused":
            echo.stop()
        else:
            echo.breaks(kind, seconds=0.4, location=f"http://127.0.0.1:1/?key={SECRET}")
        upstream = make(
            query={"key": SECRET},
            headers={"Authorization": f"Bearer {SECRET}"},
            secrets=(SECRET,),
            read_timeout=0.1,
            attempts=2,
        )
        with pytest.raises(Unavailable) as refused:
            upstream.get(f"/bot/{SECRET}/send", read=whole)
        assert lines.entries()[0]["path"] == "/bot/***/send"
        for text in (lines.text, str(refused.value), repr(upstream)):
            assert "s3cr3t" not in text

    def test_shows_no_secret_that_the_service_repeats(self, make: Make, lines: Lines) -> None:
        upstream = make(query={"key": SECRET}, secrets=(SECRET, ""), max_bytes=10)
        with pytest.raises(Unavailable):
            upstream.get("/", read=whole)
        assert "s3cr3t" not in lines.text


class TestMetrics:
    def test_count_attempts_and_time_those_that_were_made(self, make: Make, echo: Echo) -> None:
        def count(outcome: str) -> float:
            labels = {"upstream": "echo", "outcome": outcome}
            return REGISTRY.get_sample_value("upstream_requests_total", labels) or 0

        def timed() -> float:
            name = "upstream_request_duration_seconds_count"
            return REGISTRY.get_sample_value(name, {"upstream": "echo"}) or 0

        names = ["ok", "server_error", "not_found", "circuit_open"]
        before, timed_before = [count(name) for name in names], timed()
        upstream = make()
        echo.breaks("status", status=503, times=2)
        upstream.get("/", read=whole)
        with pytest.raises(UpstreamNotFound):
            upstream.get("/missing", read=whole)
        echo.breaks("status", status=503)
        for _ in range(3):
            with pytest.raises(Unavailable):
                upstream.get("/", read=whole)
        assert [count(name) - old for name, old in zip(names, before, strict=True)] == [1, 7, 1, 1]
        assert timed() - timed_before == 9
