"""One HTTP exchange with another server, bounded in time and in size whatever that server does.

`requests` bounds neither: its time-out starts anew with every byte, resolving a name has none at
all, and a small compressed answer may unfold to gigabytes. So each exchange runs in a thread of its
own, which the caller leaves behind when time is up, cutting the connection so that the thread ends
too; and the body is read piece by piece, counting what comes out of decompression.
"""

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeAlias
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from marquee.services.guard import PrivateAddress, public_addresses

PIECE = 16 * 1024
LONGEST_ERROR = 16 * 1024
"""How much of an error's body is read, in bytes: enough for its message."""
MOST_REDIRECTS = 3
CONNECTIONS = 32
"""Idle connections kept for one server."""

# At DEBUG urllib3 writes the query of every request, and with it the key, to the log.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


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
        self._session = _session(_GUARDED if public_only else _POOLS)

    def exchange(self, request: Request, *, within: float) -> Answer:
        """Send a request and read the answer, in so many seconds at the most.

        Redirects are followed on the same scheme, host and port only: elsewhere nobody may have
        our key. Raises Failed; an error status is an answer like any other.
        """
        limit = min(within, self._connect_timeout + self._read_timeout)
        line = _Line()
        thread = threading.Thread(
            target=self._carry_out, args=(line, request, limit), daemon=True, name="upstream"
        )
        thread.start()
        try:
            return line.answer.result(limit)
        except TimeoutError:
            line.cut()
        raise Failed("timeout", f"No whole answer within {limit:.1f} seconds", again=True)

    def _carry_out(self, line: "_Line", request: Request, limit: float) -> None:
        _here.line = line
        try:
            line.answer.set_result(self._follow(request, limit))
        except Failed as failed:
            line.answer.set_exception(failed)
        except PrivateAddress as error:
            line.answer.set_exception(Failed("private_address", str(error)))
        except (OSError, HTTPException, urllib3.exceptions.HTTPError) as error:
            line.answer.set_exception(self._explained(error))
        except BaseException as bug:  # noqa: BLE001 - it belongs to the thread that waits
            line.answer.set_exception(bug)

    def _follow(self, request: Request, limit: float) -> Answer:
        url, query = self._base_url + request.path, request.query
        for _ in range(self._redirects + 1):
            with self._session.request(
                request.method,
                url,
                params=dict(query),
                data=request.body,
                headers=dict(request.headers),
                timeout=(min(self._connect_timeout, limit), min(self._read_timeout, limit)),
                stream=True,
            ) as response:
                answer = Answer(response.status_code, response.headers, self._body(response))
            location = answer.headers.get("Location")
            if answer.status not in {301, 302, 303, 307, 308} or location is None:
                return answer
            if request.method not in {"GET", "HEAD"}:
                raise Failed("redirect", f"{request.method} was redirected", status=answer.status)
            url, query = self._joined(url, location), {}
        raise Failed("redirect", f"More than {self._redirects} redirects", status=answer.status)

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


class _Line:
    """One exchange under way: the answer to come, and the socket it comes by."""

    def __init__(self) -> None:
        self.answer: Future[Answer] = Future()
        self._socket: socket.socket | None = None
        self._is_cut = False
        self._lock = threading.Lock()

    def goes_by(self, connection: socket.socket | None) -> None:
        with self._lock:
            self._socket = connection
            if self._is_cut:
                self._shut_down()

    def cut(self) -> None:
        """End the exchange: whatever waits for the socket is told that it is closed."""
        with self._lock:
            self._is_cut = True
            self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                # Not the method of ssl.SSLSocket, which is not made to be called from elsewhere.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _Here(threading.local):
    line: _Line


_here = _Here()


class _Plain(HTTPConnection):
    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on as they are
        super().request(*args, **options)
        _here.line.goes_by(self.sock)


class _Secure(HTTPSConnection):
    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on as they are
        super().request(*args, **options)
        _here.line.goes_by(self.sock)


class _Guarded:
    """A connection to public addresses alone: to the first that answers."""

    _dns_host: str
    port: int

    def _new_conn(self) -> socket.socket:
        host = self._dns_host
        failed: Exception = OSError("The host has no address")
        try:
            for address in public_addresses(host, self.port):
                self._dns_host = address
                try:
                    made: socket.socket = super()._new_conn()  # type: ignore[misc]
                except (urllib3.exceptions.HTTPError, OSError) as error:
                    failed = error
                else:
                    return made
        finally:
            # It is by the name that its certificate is checked.
            self._dns_host = host
        raise failed


class _GuardedPlain(_Guarded, _Plain):
    pass


class _GuardedSecure(_Guarded, _Secure):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class _GuardedPlainPool(HTTPConnectionPool):
    ConnectionCls = _GuardedPlain


class _GuardedSecurePool(HTTPSConnectionPool):
    ConnectionCls = _GuardedSecure


_Pools: TypeAlias = dict[str, type[HTTPConnectionPool]]
_POOLS: _Pools = {"http": _PlainPool, "https": _SecurePool}
_GUARDED: _Pools = {"http": _GuardedPlainPool, "https": _GuardedSecurePool}


class _Adapter(HTTPAdapter):
    """Connections that tell which socket they use."""

    def __init__(self, pools: _Pools) -> None:
        self.pools = pools
        super().__init__(pool_connections=4, pool_maxsize=CONNECTIONS)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self.pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        """Never see a redirect: `requests` would read all of its body first, however large."""
        return None


def _session(pools: _Pools) -> requests.Session:
    session = _Session()
    adapter = _Adapter(pools)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    session.headers["Accept-Encoding"] = "gzip"
    session.headers["Accept"] = "application/json"
    # Proxies of the environment are wanted; a password of ~/.netrc in place of our key is not.
    session.auth = lambda prepared: prepared
    # One caller's cookies would go out with the requests of another.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
