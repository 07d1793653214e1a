"""One HTTP exchange with another server, bounded in time and in size whatever that server does.

`requests` bounds neither: its time-out starts anew with every byte, resolving a name has none at
all, and a small compressed answer may unfold to gigabytes. So each exchange runs in a thread of its
own, which the caller leaves behind when time is up, cutting the connection so that the thread ends
too; and the body is read piece by piece, counting what comes out of decompression.
"""

import queue
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from http.client import HTTPException
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from marquee.services.guard import PrivateAddress
from marquee.services.lines import GUARDED, POOLS, Line, connections, here

PIECE = 16 * 1024
LONGEST_ERROR = 16 * 1024
"""How much of an error's body is read, in bytes: enough for its message."""
MOST_REDIRECTS = 3
OK = 200


class Failed(Exception):
    """An exchange that came to nothing.

    `outcome` is the word for it in the metrics; `again` says whether another attempt may fare
    better, `pause` after how many seconds the server asks for it, `status` what it answered.
    `harmless` ones are our fault, not the server's: they say nothing of its health.
    """

    def __init__(  # noqa: PLR0913 - what there is to say of a failure
        self,
        outcome: str,
        message: str,
        *,
        again: bool = False,
        pause: float | None = None,
        status: int | None = None,
        harmless: bool = False,
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.again = again
        self.pause = pause
        self.status = status
        self.harmless = harmless


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. `path` is below the base URL; `body` is written as the headers say."""

    method: str
    path: str
    query: Mapping[str, str | int]
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: all of it, decompressed; of an error only the first 16 KiB."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """The way to one server. Many threads may use it at once; idle connections are kept.

    Times are in seconds, sizes in bytes. `read_timeout` is how long the whole answer may take once
    there is a connection. `hide` takes secrets out of a text. `redirects` are followed at the most.
    `public_only` refuses hosts that resolve to a private address, and connects to the very address
    that was looked at. A proxy that the environment names resolves by itself.
    """

    def __init__(  # noqa: PLR0913 - the bounds of an exchange
        self,
        base_url: str,
        *,
        connect_timeout: float,
        read_timeout: float,
        max_bytes: int,
        hide: Callable[[str], str],
        redirects: int = MOST_REDIRECTS,
        public_only: bool = False,
    ) -> None:
        self._redirects = redirects
        self._base_url = base_url.rstrip("/")
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._max_bytes = max_bytes
        self._hide = hide
        self._pools = GUARDED if public_only else POOLS
        self._session = connections(self._pools)

    def exchange(self, request: Request, *, within: float) -> Answer:
        """Send a request and read the answer, in so many seconds at the most.

        Redirects are followed on the same scheme, host and port only: elsewhere nobody may have
        our key. Raises Failed; an error status is an answer like any other.
        """
        limit = min(within, self._connect_timeout + self._read_timeout)
        line: Line[Answer] = Line()
        self._begin(line, lambda: line.answer.set_result(self._follow(request, limit)))
        return self._head(line, limit)

    def opened(
        self, request: Request, *, within: float
    ) -> tuple[Answer, Generator[bytes, None, None]]:
        """Send a request and give the answer's head, and its body piece by piece as it comes.

        All of it may take `within`, and each piece the `read_timeout`. No redirect is followed. An
        error status has its body in the answer. Raises Failed, also between pieces.
        """
        until = time.monotonic() + within
        limit = min(within, self._connect_timeout + self._read_timeout)
        line: Line[Answer] = Line()
        self._begin(line, lambda: self._pour(line, request, limit))
        return self._head(line, limit), self._pieces(line, until)

    def _begin(self, line: Line[Answer], work: Callable[[], None]) -> None:
        arguments = (line, work)
        threading.Thread(
            target=self._carry_out, args=arguments, daemon=True, name="upstream"
        ).start()

    @staticmethod
    def _head(line: Line[Answer], limit: float) -> Answer:
        try:
            return line.answer.result(limit)
        except TimeoutError:
            line.cut()
        raise Failed("timeout", f"No whole answer within {limit:.1f} seconds", again=True)

    def _carry_out(self, line: Line[Answer], work: Callable[[], None]) -> None:
        here.line = line
        try:
            work()
        except Failed as failed:
            line.fail(failed)
        except PrivateAddress as error:
            line.fail(Failed("private_address", str(error)))
        except (OSError, HTTPException, urllib3.exceptions.HTTPError) as error:
            line.fail(self._explained(error))
        except BaseException as bug:  # noqa: BLE001 - it belongs to the thread that waits
            line.fail(bug)

    def _pour(self, line: Line[Answer], request: Request, limit: float) -> None:
        # A connection of its own: who leaves it halfway cuts nobody else's.
        with (
            connections(self._pools) as own,
            self._asked(own, request, self._base_url + request.path, limit) as response,
        ):
            if response.status_code != OK:
                body = self._body(response)
                line.answer.set_result(Answer(response.status_code, response.headers, body))
                return
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise Failed("malformed", "An encoding that was not asked for")
            line.answer.set_result(Answer(OK, response.headers, b""))
            size = 0
            while piece := response.raw.read1(PIECE):
                size += len(piece)
                if size > self._max_bytes:
                    raise Failed("too_large", f"More than {self._max_bytes} bytes")
                line.pieces.put(piece)
            line.pieces.put(None)

    def _pieces(self, line: Line[Answer], until: float) -> Generator[bytes, None, None]:
        try:
            while True:
                wait = min(self._read_timeout, until - time.monotonic())
                piece = line.pieces.get(timeout=max(0.0, wait))
                if piece is None:
                    return
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        except queue.Empty:
            raise Failed("timeout", "The answer does not go on", again=True) from None
        finally:
            line.cut()

    def _follow(self, request: Request, limit: float) -> Answer:
        url, query = self._base_url + request.path, request.query
        for _ in range(self._redirects + 1):
            with self._asked(self._session, replace(request, query=query), url, limit) as response:
                answer = Answer(response.status_code, response.headers, self._body(response))
            location = answer.headers.get("Location")
            if answer.status not in {301, 302, 303, 307, 308} or location is None:
                return answer
            if request.method not in {"GET", "HEAD"}:
                raise Failed("redirect", f"{request.method} was redirected", status=answer.status)
            url, query = self._joined(url, location), {}
        raise Failed("redirect", f"More than {self._redirects} redirects", status=answer.status)

    def _asked(
        self, session: requests.Session, request: Request, url: str, limit: float
    ) -> requests.Response:
        return session.request(
            request.method,
            url,
            params=dict(request.query),
            data=request.body,
            headers=dict(request.headers),
            timeout=(min(self._connect_timeout, limit), min(self._read_timeout, limit)),
            stream=True,
        )

    def _joined(self, url: str, location: str) -> str:
        try:
            target = urljoin(url, location)
            if _origin(target) == _origin(self._base_url):
                return target
        except ValueError:  # a port that is no number, half a bracket
            pass
        raise Failed("redirect", "Redirected to another server")

    def _body(self, response: requests.Response) -> bytes:
        coding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in {"identity", "gzip", ""}:
            raise Failed("malformed", "An encoding that was not asked for")
        largest = self._max_bytes if response.ok else LONGEST_ERROR
        declared = response.headers.get("Content-Length", "")
        if response.ok and declared.isdecimal() and int(declared[:20]) > largest:
            raise Failed("too_large", f"More than {largest} bytes declared")
        body = bytearray()
        while piece := response.raw.read(PIECE, decode_content=True):
            body += piece
            if len(body) > largest:
                if response.ok:
                    raise Failed("too_large", f"More than {largest} bytes")
                break
        return bytes(body[:largest])

    def _explained(self, error: Exception) -> Failed:
        """Name an error of the libraries: its stack, and its words without the key in them."""
        message = self._hide(f"{type(error).__name__}: {error}")
        if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
            failed = Failed("timeout", message, again=True)
        elif isinstance(error, urllib3.exceptions.DecodeError):
            failed = Failed("malformed", message)
        elif isinstance(error, ValueError):
            failed = Failed("invalid_request", message, harmless=True)
        else:
            failed = Failed("connection_error", message, again=True)
        return failed.with_traceback(error.__traceback__)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
