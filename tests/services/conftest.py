"""What the tests of adapters share: a clock that need not be waited for, and a log to read."""

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from structlog.typing import FilteringBoundLogger

from marquee.services.http import Timing, Upstream
from marquee.services.oidc import RelyingParty
from marquee.services.oidc_answers import Client
from tests.fakes.exchange import Asked, Reply
from tests.fakes.oidc import CLIENT_ID, CLIENT_SECRET, FakeOidc
from tests.fakes.server import FakeServer

MakeUpstream = Callable[..., Upstream]
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Clock:
    """Time that passes by sleeping only."""

    at: float = 0.0
    waits: list[float] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    """What happens while someone sleeps."""

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += seconds
        self.meanwhile()

    @property
    def timing(self) -> Timing:
        return Timing(
            clock=lambda: self.at,
            sleep=self.sleep,
            now=lambda: START + timedelta(seconds=self.at),
            jitter=lambda wait: wait,
        )


class Lines:
    """A log as the server writes it, one JSON object a line."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.log: FilteringBoundLogger = structlog.wrap_logger(
            structlog.WriteLogger(self._stream),
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(0),
        )

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def entries(self, event: str = "upstream_failed") -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in lines if line["event"] == event]


class Echo(FakeServer):
    """A service that answers what it was asked, knows nothing of /missing, and sets cookies."""

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/missing":
            return self.problem(404)
        value = {
            "method": asked.method,
            "path": asked.path,
            "query": dict(asked.query),
            "body": asked.body.decode(),
        }
        return Reply(200, value, {"Set-Cookie": "flavour=chocolate; Path=/"})

    def problem(self, status: int) -> Reply:
        return Reply(status, {"message": f"a problem numbered {status}"})


def whole(value: object) -> Any:
    """Read anything."""
    return value


def outcomes(lines: Lines) -> list[str]:
    return [entry["outcome"] for entry in lines.entries()]


def wait_until(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + 3
    while not happened():
        assert time.monotonic() < until, "It did not happen within 3 seconds."
        time.sleep(0.01)


def exchanges() -> int:
    return sum(thread.name == "upstream" for thread in threading.enumerate())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as echo:
        yield echo


@pytest.fixture
def make_upstream(echo: Echo, clock: Clock, lines: Lines) -> MakeUpstream:
    """An upstream of the echo whose time passes by sleeping only: `make_upstream(attempts=1)`."""

    def make_upstream(**options: Any) -> Upstream:
        defaults = {"timing": clock.timing, "log": lines.log}
        return Upstream("echo", echo.url, **{**defaults, **options})

    return make_upstream


@pytest.fixture
def oidc() -> Iterator[FakeOidc]:
    """An OpenID provider that lies when told to."""
    with FakeOidc() as oidc:
        yield oidc


@pytest.fixture
def make_party(oidc: FakeOidc, clock: Clock, lines: Lines) -> Callable[..., RelyingParty]:
    """A client of it, whose clock passes by sleeping only; the time of day is real."""

    def make_party(**values: Any) -> RelyingParty:
        timing = Timing(clock=lambda: clock.at, sleep=clock.sleep, jitter=lambda wait: wait)
        client = Client(
            **{
                "issuer": oidc.url,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                **values,
            }
        )
        return RelyingParty(client, timeout=0.3, timing=timing, log=lines.log)

    return make_party


@pytest.fixture
def party(make_party: Callable[..., RelyingParty]) -> RelyingParty:
    return make_party()
