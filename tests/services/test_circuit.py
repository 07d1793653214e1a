"""src/marquee/services/circuit.py, through http.py."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from marquee.errors import Unavailable
from marquee.services.http import Upstream, UpstreamNotFound
from tests.services.conftest import Clock, Echo, Lines, MakeUpstream, outcomes, wait_until, whole


class TestCircuit:
    @pytest.fixture
    def upstream(self, make_upstream: MakeUpstream) -> Upstream:
        return make_upstream(attempts=1)

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

    @pytest.mark.parametrize("status", [422, 429])
    def test_our_own_mistakes_do_not_open_it(
        self, upstream: Upstream, echo: Echo, status: int
    ) -> None:
        echo.breaks("status", status=status)
        self.fail(upstream, 6)
        echo.heals()
        for _ in range(6):
            with pytest.raises(UpstreamNotFound):
                upstream.get("/missing", read=whole)
        assert len(echo.seen) == 12

    def test_a_refused_key_does(self, upstream: Upstream, echo: Echo) -> None:
        echo.breaks("status", status=401)
        self.fail(upstream, 8)
        assert len(echo.seen) == 5

    def test_who_is_retrying_stops_when_it_opens(
        self, make_upstream: MakeUpstream, echo: Echo, clock: Clock
    ) -> None:
        echo.breaks("status", status=503)
        upstream = make_upstream()
        self.fail(upstream, 2)
        assert (len(echo.seen), clock.waits) == (5, [1, 2, 4])

    def test_each_service_has_its_own(self, make_upstream: MakeUpstream, echo: Echo) -> None:
        echo.breaks("status", status=503)
        self.fail(make_upstream(attempts=1), 5)
        echo.heals()
        make_upstream().get("/", read=whole)
