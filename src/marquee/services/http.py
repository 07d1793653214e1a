"""Calling an outside service: retries, a circuit breaker, metrics, a log, and few ways to fail."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import quote, quote_plus, urlencode

import backoff
import orjson
import structlog
from prometheus_client import Counter, Histogram
from structlog.typing import FilteringBoundLogger

from marquee.clock import now as time_of_day
from marquee.errors import TimedOut, Unavailable
from marquee.late import late
from marquee.services.fields import Malformed
from marquee.services.kept import Kept
from marquee.services.wire import MOST_REDIRECTS, Answer, Failed, Request, Wire

if TYPE_CHECKING:
    from marquee.services import circuit
else:
    circuit = late("marquee.services.circuit")

FIRST_WAIT, LONGEST_WAIT = 1.0, 5.0
"""Seconds between attempts: 1, 2, 4, and never more than 5."""
LONGEST_RETRY_AFTER = 3600
"""The most seconds that our own `Retry-After` says, whatever the service asked of us."""
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
NOT_MODIFIED, BAD_REQUEST, NOT_FOUND, RATE_LIMITED, SERVER_ERROR = 304, 400, 404, 429, 500
KEY_REFUSED = frozenset({401, 403})
CONDITIONS = frozenset({"If-None-Match", "If-Modified-Since"})
OF_THE_ANSWER = frozenset({"malformed", "too_large", "redirect"})
PASSING = frozenset({RATE_LIMITED, SERVER_ERROR, 502, 503, 504})
"""Statuses that another attempt may not meet again."""

REQUESTS = Counter(
    "upstream_requests_total",
    "Attempts to call an outside service, by how they ended.",
    ["upstream", "outcome"],
)
DURATION = Histogram(
    "upstream_request_duration_seconds",
    "How long an attempt took that was really made.",
    ["upstream"],
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

T = TypeVar("T")


class UpstreamNotFound(Unavailable):
    """The service says that there is no such thing (404).

    An adapter turns it to None where it asked for one thing. Where nobody does, the base URL is
    wrong, and 503 is the answer.
    """


class UpstreamRefused(Unavailable):
    """The service does not believe the credentials of the person who is asked about (401, 403).

    Only an upstream that `carries_passwords` raises it.
    """


def spread(wait: float) -> float:
    """Add up to a quarter to a wait, so that callers who failed together do not return together."""
    return wait + random.uniform(0, wait / 4)  # noqa: S311 - not a secret


@dataclass(frozen=True, slots=True)
class Timing:
    """Where an upstream has its time from. Tests give it another, and need not wait.

    `clock` counts seconds from anywhere, `now` is the time of day in UTC, `jitter` takes a wait and
    gives the one to keep.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = time_of_day
    jitter: Callable[[float], float] = spread


@dataclass(eq=False)
class Upstream:
    """One outside service, for all threads of a process. Times are in seconds, sizes in bytes.

    A call tries up to `attempts` times if its method is idempotent and the failure may pass: no
    connection, a time-out, 429, 500, 502, 503, 504. `Retry-After` is kept when it is at most 5 s;
    a server that asks for longer is left alone. Five failures in a row but 404 and 429, of whatever
    calls, open the circuit: for 30 s calls fail at once, then one is let through to try.
    """

    name: str
    """The label in metrics and logs, and the word for the service in refusals: `tmdb`."""
    base_url: str
    _: KW_ONLY
    connect_timeout: float = 3.0
    read_timeout: float = 5.0
    """The longest that one whole answer may take, however busily its bytes drip."""
    total_timeout: float = 12.0
    """The longest that one call may take, with all its attempts and waits."""
    max_bytes: int = 2 * 1024 * 1024
    """The largest answer, as declared, as sent and as decompressed."""
    attempts: int = 4
    carries_passwords: bool = False
    """Whether people's own credentials are sent. Then 401 and 403 speak of those, not of our key
    or of the service's health, and raise UpstreamRefused; and of an error's body, which may repeat
    what was sent, no word is logged."""
    redirects: int = MOST_REDIRECTS
    """How many are followed at the most, on the same server; elsewhere none is."""
    public_only: bool = False
    """Whether a host that resolves to a private address is refused."""
    asked_by_strangers: bool = False
    """Whether anybody may choose what is asked for. Then one bad or large answer says nothing of
    the service's health."""
    keep_bytes: int = 4 * 1024 * 1024
    """How much is kept of answers with an ETag."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with every request, as is the query."""
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What no log may show, wherever it turns up."""
    timing: Timing = field(default_factory=Timing, repr=False)
    log: FilteringBoundLogger = field(default_factory=structlog.get_logger, repr=False)

    def __post_init__(self) -> None:
        """Make what all calls share."""
        self._wire = Wire(
            self.base_url,
            connect_timeout=self.connect_timeout,
            read_timeout=self.read_timeout,
            max_bytes=self.max_bytes,
            hide=self._hide,
            redirects=self.redirects,
            public_only=self.public_only,
        )
        self._circuit = circuit.Circuit(self.name, self.timing.clock, self.log)
        self._kept = Kept(self.keep_bytes)

    def get(
        self,
        path: str,
        query: Mapping[str, str | int] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        read: Callable[[object], T],
    ) -> T:
        """Ask for JSON and return what `read` makes of it. See `request`."""
        return self.request("GET", path, query, headers=headers, read=read)

    def request(  # noqa: PLR0913 - what there is to say of a request
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None = None,
        *,
        body: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        read: Callable[[object], T],
    ) -> T:
        """Send a request and return what `read` makes of the answer's JSON (None if it is empty).

        `path` starts with a slash and has been quoted; `body` is sent as JSON unless None, `form`
        as a form in its place; `headers` beside those of all requests. `read` raises Malformed at
        what it did not expect.

        Raises UpstreamNotFound for a 404, UpstreamRefused where it `carries_passwords` that are
        refused, TimedOut when the service was too slow, Unavailable for every other failure; each
        attempt that failed has been logged.
        """
        content, kind = _written(body, form)
        sent = {**self.headers, **(headers or {}), **kind}
        request = Request(method, path, {**self.query, **(query or {})}, sent, content)
        return self._tried(request, lambda answer: self._understood(answer, read))

    def fetch(
        self,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        read: Callable[[Answer], T],
    ) -> T:
        """Ask for a file and return what `read` makes of the whole answer. See `request`.

        Nothing is kept here. With conditions among the `headers` a 304 is an answer like others.
        `read` raises Malformed at what it did not expect.
        """

        def understood(answer: Answer) -> T:
            try:
                return read(answer)
            except Malformed as error:
                raise Failed("malformed", str(error), status=answer.status) from error

        request = Request("GET", path, self.query, {**self.headers, **(headers or {})})
        return self._tried(request, understood, keep=False)

    def _tried(
        self, request: Request, understand: Callable[[Answer], T], *, keep: bool = True
    ) -> T:
        """Attempt it as often as it is worth it."""
        until = self.timing.clock() + self.total_timeout
        waits, again = usual_waits(), request.method in IDEMPOTENT
        for attempt in itertools.count(1):
            try:
                return self._attempt(request, until, understand, keep=keep)
            except Failed as error:
                failed = error
            wait = self._wait(failed, attempt, next(waits), until) if again else None
            self._report(failed, request, attempt, wait)
            if wait is None:
                break
            self.timing.sleep(wait)
        raise self._refusal(failed) from failed

    def _attempt(
        self, request: Request, until: float, understand: Callable[[Answer], T], *, keep: bool
    ) -> T:
        outcome = "bug"
        try:
            with self._circuit.guard(), self._judging():
                answer = self._sent(request, until)
                value = understand(answer)
                if keep:
                    self._kept.keep(request, answer)
            outcome = "ok"
        except UpstreamNotFound:
            outcome = "not_found"
            raise
        except UpstreamRefused:
            outcome = "refused"
            raise
        except Failed as failed:
            outcome = failed.outcome
            raise
        finally:
            REQUESTS.labels(self.name, outcome).inc()
        return value

    @contextmanager
    def _judging(self) -> Iterator[None]:
        """Take what strangers asked for by what it is: a bad picture is not a broken service."""
        try:
            yield
        except Failed as failed:
            if self.asked_by_strangers and failed.outcome in OF_THE_ANSWER:
                failed.harmless = True
            raise

    def _sent(self, request: Request, until: float) -> Answer:
        kept = self._kept.find(request)
        if kept:
            tags = {**request.headers, "If-None-Match": kept.headers["ETag"]}
            request = replace(request, headers=tags)
        started = self.timing.clock()
        try:
            answer = self._wire.exchange(request, within=max(0.001, until - started))
        finally:
            DURATION.labels(self.name).observe(max(0.0, self.timing.clock() - started))
        if kept and answer.status == NOT_MODIFIED:
            return kept
        if answer.status == NOT_MODIFIED and CONDITIONS & request.headers.keys():
            return answer
        if answer.status == NOT_FOUND:
            raise UpstreamNotFound(f"The outside service {self.name} does not know {request.path}.")
        if self.carries_passwords and answer.status in KEY_REFUSED:
            raise UpstreamRefused(f"The outside service {self.name} refuses these credentials.")
        if not 200 <= answer.status < 300:  # noqa: PLR2004
            raise self._judged(answer)
        return answer

    def _judged(self, answer: Answer) -> Failed:
        """Name an error status, in the first words of what the service says of it."""
        status, pause = answer.status, self._pause(answer)
        said = "" if self.carries_passwords else answer.body[:300].decode(errors="replace")
        message = f"{status}: {self._hide(said)}"
        if status in KEY_REFUSED:
            return Failed("key_refused", f"The key was refused. {message}", status=status)
        if status == RATE_LIMITED:
            # Whoever answers so is well. One call alone may meet it `attempts` times.
            return Failed(
                "rate_limited", message, again=True, pause=pause, status=status, harmless=True
            )
        if status >= SERVER_ERROR:
            again = status in PASSING
            return Failed("server_error", message, again=again, pause=pause, status=status)
        if status >= BAD_REQUEST:
            return Failed("rejected", message, status=status, harmless=True)
        return Failed("malformed", message, status=status)

    def _pause(self, answer: Answer) -> float | None:
        """Seconds that `Retry-After` asks for, which may be a number or a date; None if neither."""
        text = answer.headers.get("Retry-After", "").strip()[:40]
        if text.isdecimal():
            return float(text)
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        moment = moment.replace(tzinfo=moment.tzinfo or UTC)
        return max(0.0, (moment - self.timing.now()).total_seconds())

    @staticmethod
    def _understood(answer: Answer, read: Callable[[object], T]) -> T:
        try:
            return read(orjson.loads(answer.body) if answer.body else None)
        except (orjson.JSONDecodeError, Malformed) as error:
            raise Failed("malformed", str(error), status=answer.status) from error

    def _wait(self, failed: Failed, attempt: int, usual: float, until: float) -> float | None:
        """Seconds to the next attempt at what may be done twice, or None if there is none."""
        asked = failed.pause or 0.0
        if (
            not failed.again
            or attempt >= self.attempts
            or asked > LONGEST_WAIT
            or self._circuit.is_open
        ):
            return None
        wait = min(self.timing.jitter(asked or usual), LONGEST_WAIT)
        return wait if self.timing.clock() + wait < until else None

    def _report(self, failed: Failed, request: Request, attempt: int, wait: float | None) -> None:
        say = self.log.error if wait is None else self.log.warning
        say(
            "upstream_failed",
            upstream=self.name,
            method=request.method,
            path=self._hide(request.path),
            attempt=attempt,
            attempts=self.attempts,
            outcome=failed.outcome,
            status=failed.status,
            error=str(failed),
            retry_in_seconds=wait,
            # An open circuit is met by many and has no story to tell.
            exc_info=None if failed.outcome == "circuit_open" else failed,
        )

    def _refusal(self, failed: Failed) -> Unavailable:
        retry_after = min(ceil(failed.pause or LONGEST_WAIT), LONGEST_RETRY_AFTER)
        if failed.outcome == "timeout":
            message = f"The outside service {self.name} took too long to answer."
            return TimedOut(message, retry_after=retry_after)
        message = f"The outside service {self.name} cannot be used at the moment."
        return Unavailable(message, retry_after=retry_after)

    def _hide(self, text: str) -> str:
        for secret in filter(None, self.secrets):
            for form in (secret, quote(secret, safe=""), quote_plus(secret)):
                text = text.replace(form, "***")
        return text


def usual_waits() -> Iterator[float]:
    """Seconds between attempts, where the service does not ask for others."""
    waits = backoff.expo(base=2, factor=FIRST_WAIT, max_value=LONGEST_WAIT)
    next(waits)  # backoff's generators yield once before their first wait
    return cast("Iterator[float]", waits)


def _written(body: object, form: Mapping[str, str] | None) -> tuple[bytes | None, dict[str, str]]:
    """A body as bytes, and the header that says what it is."""
    if form is not None:
        return urlencode(form).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    if body is not None:
        return orjson.dumps(body), {"Content-Type": "application/json"}
    return None, {}
