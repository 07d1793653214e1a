"""src/marquee/services/kept.py, through http.py."""

import pytest

from marquee.errors import Unavailable
from marquee.services.fields import Malformed
from tests.services.conftest import Echo, Lines, MakeUpstream, outcomes, whole


class TestETag:
    def test_an_answer_that_has_not_changed_is_not_sent_again(
        self, make_upstream: MakeUpstream, echo: Echo
    ) -> None:
        upstream = make_upstream()
        first, second = upstream.get("/a", read=whole), upstream.get("/a", read=whole)
        assert first == second
        tag = echo.seen[1].headers["if-none-match"]
        assert tag.startswith('W/"')
        assert upstream.get("/a", {"page": 2}, read=whole)["query"] == {"page": "2"}
        assert "if-none-match" not in echo.seen[2].headers

    def test_what_could_not_be_read_is_not_kept(
        self, make_upstream: MakeUpstream, echo: Echo
    ) -> None:
        def read(_: object) -> None:
            raise Malformed("of no use")

        upstream = make_upstream()
        with pytest.raises(Unavailable):
            upstream.get("/a", read=read)
        upstream.get("/a", read=whole)
        assert "if-none-match" not in echo.seen[1].headers

    def test_the_longest_unused_goes_first(self, make_upstream: MakeUpstream, echo: Echo) -> None:
        upstream = make_upstream(keep_bytes=2_500)
        for letter in "abca":
            upstream.get("/" + letter * 1000, read=whole)
        assert "if-none-match" not in echo.seen[3].headers
        upstream.get("/" + "c" * 1000, read=whole)
        assert "if-none-match" in echo.seen[4].headers

    def test_an_answer_unchanged_that_nobody_asked_about(
        self, make_upstream: MakeUpstream, echo: Echo, lines: Lines
    ) -> None:
        echo.breaks("status", status=304)
        with pytest.raises(Unavailable):
            make_upstream().get("/a", read=whole)
        assert outcomes(lines) == ["malformed"]
