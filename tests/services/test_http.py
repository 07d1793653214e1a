"""src/marquee/services/http.py."""

import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import format_datetime
from pathlib import Path

import pytest
import structlog
from prometheus_client import REGISTRY

from marquee.errors import Unavailable
from marquee.services.fields import Fields
from marquee.services.http import LONGEST_WAIT, UpstreamNotFound, spread
from tests.services.conftest import START, Clock, Echo, Lines, MakeUpstream, outcomes, whole

SECRET = "s3cr3t/with+odd=characters"


class TestRequest:
    def test_sends_what_every_request_has_and_its_own(self, make_upstream: MakeUpstream) -> None:
        upstream = make_upstream(query={"key": "k"}, headers={"X-Client": "marquee"})
        answer = upstream.get("/a/b", {"page": 2, "words": "æ & b"}, read=whole)
        assert answer["query"] == {"key": "k", "page": "2", "words": "æ & b"}

    def test_sends_json(self, make_upstream: MakeUpstream, echo: Echo) -> None:
        answer = make_upstream().request("POST", "/things", body={"name": "é"}, read=whole)
        assert (answer["method"], answer["body"]) == ("POST", '{"name":"é"}')
        assert echo.seen[0].headers["content-type"] == "application/json"

    def test_sends_a_form(self, make_upstream: MakeUpstream, echo: Echo) -> None:
        upstream = make_upstream(headers={"X-Client": "marquee"})
        form, headers = {"name": "é &", "b": ""}, {"Authorization": "Basic eA=="}
        answer = upstream.request("POST", "/token", form=form, headers=headers, read=whole)
        assert answer["body"] == "name=%C3%A9+%26&b="
        sent = echo.seen[0].headers
        assert sent["content-type"] == "application/x-www-form-urlencoded"
        assert (sent["authorization"], sent["x-client"]) == ("Basic eA==", "marquee")
        upstream.get("/", read=whole)
        assert "authorization" not in echo.seen[1].headers

    def test_follows_as_many_redirects_as_it_may(
        self, make_upstream: MakeUpstream, echo: Echo
    ) -> None:
        echo.breaks("redirect", location="/there", times=1)
        assert make_upstream(redirects=1).get("/", read=whole)["path"] == "/there"
        echo.breaks("redirect", location="/there", times=1)
        with pytest.raises(Unavailable):
            make_upstream(redirects=0).get("/", read=whole)
        assert [asked.path for asked in echo.seen] == ["/", "/there", "/"]

    def test_keeps_connections_open(self, make_upstream: MakeUpstream, echo: Echo) -> None:
        upstream = make_upstream()
        for _ in range(5):
            upstream.get("/", read=whole)
        with pytest.raises(UpstreamNotFound):
            upstream.get("/missing", read=whole)
        upstream.get("/", read=whole)
        assert (len(echo.seen), echo.connections) == (7, 1)

    def test_calls_do_not_wait_for_each_other(
        self, make_upstream: MakeUpstream, echo: Echo
    ) -> None:
        echo.breaks("slow", seconds=0.3)
        upstream = make_upstream()
        started = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: upstream.get("/", read=whole), range(8)))
        assert time.monotonic() - started < 2

    def test_sends_no_cookie_and_no_password_of_the_environment(
        self,
        make_upstream: MakeUpstream,
        echo: Echo,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        upstream = make_upstream()
        for _ in range(2):
            upstream.get("/", read=whole)
        assert not any({"cookie", "authorization"} & set(asked.headers) for asked in echo.seen)


class TestRetries:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_a_passing_failure_is_tried_again(
        self, make_upstream: MakeUpstream, echo: Echo, clock: Clock, status: int
    ) -> None:
        echo.breaks("status", status=status, times=2)
        assert make_upstream().get("/film", read=whole)["path"] == "/film"
        assert (len(echo.seen), clock.waits) == (3, [1, 2])

    @pytest.mark.parametrize("kind", ["reset", "truncated"])
    def test_so_is_a_broken_connection(
        self, make_upstream: MakeUpstream, echo: Echo, clock: Clock, lines: Lines, kind: str
    ) -> None:
        echo.breaks(kind, times=1)
        assert make_upstream().get("/film", read=whole)["path"] == "/film"
        assert (clock.waits, outcomes(lines)) == ([1], ["connection_error"])

    def test_so_is_a_server_that_is_starting(
        self, make_upstream: MakeUpstream, echo: Echo, clock: Clock
    ) -> None:
        echo.stop()
        clock.meanwhile = echo.start
        assert make_upstream().get("/film", read=whole)["path"] == "/film"
        assert clock.waits == [1]

    def test_so_is_a_slow_answer(
        self, make_upstream: MakeUpstream, echo: Echo, lines: Lines
    ) -> None:
        echo.breaks("slow", seconds=1, times=1)
        assert make_upstream(read_timeout=0.1).get("/film", read=whole)["path"] == "/film"
        assert outcomes(lines) == ["timeout"]

    def test_three_times_and_no_more(
        self, make_upstream: MakeUpstream, echo: Echo, clock: Clock, lines: Lines
    ) -> None:
        echo.breaks("status", status=503)
        with pytest.raises(Unavailable) as refused:
            make_upstream().get("/film", read=whole)
        assert (refused.value.status, refused.value.code) == (503, "EXTERNAL_API_ERROR")
        assert refused.value.headers == {"Retry-After": "5"}
        assert (len(echo.seen), clock.waits) == (4, [1, 2, 4])
        assert [entry["attempt"] for entry in lines.entries()] == [1, 2, 3, 4]

    @pytest.mark.parametrize("status", [400, 405, 409, 422, 501])
    def test_what_will_not_pass_is_not_tried_again(
        self, make_upstream: MakeUpstream, echo: Echo, status: int
    ) -> None:
        echo.breaks("status", status=status)
        with pytest.raises(Unavailable):
            make_upstream().get("/film", read=whole)
        assert len(echo.seen) == 1

    @pytest.mark.parametrize(
        "method,attempts", [("GET", 4), ("PUT", 4), ("DELETE", 4), ("POST", 1), ("PATCH", 1)]
    )
    def test_only_what_may_be_done_twice(
        self, make_upstream: MakeUpstream, echo: Echo, method: str, attempts: int
    ) -> None:
        echo.breaks("status", status=503)
        with pytest.raises(Unavailable):
            make_upstream().request(method, "/film", read=whole)
        assert len(echo.seen) == attempts

    def test_a_post_that_was_cut_off_is_not_sent_again(
        self, make_upstream: MakeUpstream, echo: Echo
    ) -> None:
        echo.breaks("reset")
        with pytest.raises(Unavailable):
            make_upstream().request("POST", "/film", body={}, read=whole)
        assert len(echo.seen) == 1

    @pytest.mark.parametrize(
        "asked,waits",
        [("3", [3]), ("5", [5]), ("0", [1]), ("soon", [1]), ("", [1]), ("-4", [1]), ("1.5", [1])],
    )
    def test_retry_after_is_kept(
        self, make_upstream: MakeUpstream, echo: Echo, clock: Clock, asked: str, waits: list[float]
    ) -> None:
        echo.breaks("status", status=429, retry_after=asked, times=1)
        make_upstream().get("/film", read=whole)
        assert clock.waits == waits

    def test_retry_after_may_be_a_date(
        self, make_upstream: MakeUpstream, echo: Echo, clock: Clock
    ) -> None:
        clock.at = 6
        date = format_datetime(START.replace(second=10), usegmt=True)
        echo.breaks("status", status=503, retry_after=date, times=1)
        make_upstream().get("/film", read=whole)
        assert clock.waits == [4]

    def test_a_date_that_has_passed_is_no_reason_to_wait_longer(
        self, make_upstream: MakeUpstream, echo: Echo, clock: Clock
    ) -> None:
        echo.breaks("status", status=503, retry_after="Sun, 06 Nov 1994 08:49:37 GMT", times=1)
        make_upstream().get("/film", read=whole)
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
        self, make_upstream: MakeUpstream, echo: Echo, clock: Clock, asked: str, told: str
    ) -> None:
        echo.breaks("status", status=429, retry_after=asked)
        with pytest.raises(Unavailable) as refused:
            make_upstream().get("/film", read=whole)
        assert (len(echo.seen), clock.waits) == (1, [])
        assert refused.value.headers == {"Retry-After": told}

    def test_waits_are_spread_and_never_over_five_seconds(self) -> None:
        waits = [spread(4) for _ in range(200)]
        assert 4 <= min(waits) < max(waits) <= LONGEST_WAIT


class TestAnswers:
    @pytest.mark.parametrize("kind", ["broken_json", "html", "encoding"])
    def test_nonsense_is_a_failure_of_the_service(
        self, make_upstream: MakeUpstream, echo: Echo, lines: Lines, kind: str
    ) -> None:
        echo.breaks(kind)
        with pytest.raises(Unavailable):
            make_upstream().get("/", read=whole)
        assert (outcomes(lines), len(echo.seen)) == (["malformed"], 1)

    @pytest.mark.parametrize("kind", ["empty", "wrong_types"])
    def test_so_is_what_the_reader_did_not_expect(
        self, make_upstream: MakeUpstream, echo: Echo, lines: Lines, kind: str
    ) -> None:
        def read(value: object) -> str:
            return Fields(value, "answer").inners("query")[0].text("path", 10)

        echo.breaks(kind)
        with pytest.raises(Unavailable):
            make_upstream().get("/", read=read)
        assert outcomes(lines) == ["malformed"]
        assert lines.entries()[0]["error"].startswith("answer")

    def test_not_found_is_for_the_adapter_to_judge(
        self, make_upstream: MakeUpstream, clock: Clock, lines: Lines
    ) -> None:
        with pytest.raises(UpstreamNotFound) as missing:
            make_upstream().get("/missing", read=whole)
        assert (missing.value.status, clock.waits, lines.text) == (503, [], "")

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refused_key_is_named_in_the_log(
        self, make_upstream: MakeUpstream, echo: Echo, lines: Lines, status: int
    ) -> None:
        echo.breaks("status", status=status)
        with pytest.raises(Unavailable) as refused:
            make_upstream().get("/", read=whole)
        (entry,) = lines.entries()
        assert (entry["outcome"], entry["status"]) == ("key_refused", status)
        assert entry["error"].startswith("The key was refused.")
        assert "key" not in refused.value.message

    def test_a_bug_of_ours_is_not_hidden(self, make_upstream: MakeUpstream) -> None:
        with pytest.raises(ZeroDivisionError):
            make_upstream().get("/", read=lambda _: 1 / 0)


class TestLog:
    def test_says_what_there_is_to_say(
        self, make_upstream: MakeUpstream, echo: Echo, lines: Lines
    ) -> None:
        echo.breaks("status", status=503, times=1)
        with structlog.contextvars.bound_contextvars(request_id="req-7"):
            make_upstream().get("/film", {"page": 1}, read=whole)
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

    def test_the_last_attempt_is_an_error(
        self, make_upstream: MakeUpstream, echo: Echo, lines: Lines
    ) -> None:
        echo.stop()
        with pytest.raises(Unavailable):
            make_upstream(attempts=2).get("/film", read=whole)
        first, last = lines.entries()
        assert (first["level"], last["level"]) == ("warning", "error")
        assert (last["attempt"], last["retry_in_seconds"]) == (2, None)
        assert "Connection refused" in last["error"]
        assert "wire.py" in last["exception"]

    @pytest.mark.parametrize(
        "kind", ["refused", "reset", "slow", "drip", "redirect", "html", "truncated"]
    )
    def test_shows_no_secret(
        self, make_upstream: MakeUpstream, echo: Echo, lines: Lines, kind: str
    ) -> None:
        if kind == "refused":
            echo.stop()
        else:
            echo.breaks(kind, seconds=0.4, location=f"http://127.0.0.1:1/?key={SECRET}")
        upstream = make_upstream(
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

    def test_shows_no_secret_that_the_service_repeats(
        self, make_upstream: MakeUpstream, lines: Lines
    ) -> None:
        upstream = make_upstream(query={"key": SECRET}, secrets=(SECRET, ""), max_bytes=10)
        with pytest.raises(Unavailable):
            upstream.get("/", read=whole)
        assert "s3cr3t" not in lines.text


class TestMetrics:
    def test_count_attempts_and_time_those_that_were_made(
        self, make_upstream: MakeUpstream, echo: Echo
    ) -> None:
        def count(outcome: str) -> float:
            labels = {"upstream": "echo", "outcome": outcome}
            return REGISTRY.get_sample_value("upstream_requests_total", labels) or 0

        def timed() -> float:
            name = "upstream_request_duration_seconds_count"
            return REGISTRY.get_sample_value(name, {"upstream": "echo"}) or 0

        names = ["ok", "server_error", "not_found", "circuit_open"]
        before, timed_before = [count(name) for name in names], timed()
        upstream = make_upstream()
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
