"""Connections that can be cut: each exchange knows the socket that it goes by."""

import logging
import queue
import socket
import threading
from concurrent.futures import Future
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Generic, TypeAlias, TypeVar

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from marquee.services.guard import public_addresses

CONNECTIONS = 32
"""Idle connections kept for one server."""

# At DEBUG urllib3 writes the query of every request, and with it the key, to the log.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

T = TypeVar("T")


class Line(Generic[T]):
    """One exchange under way: the answer to come, and the socket it comes by."""

    def __init__(self) -> None:
        """It goes by no socket yet."""
        self.answer: Future[T] = Future()
        self.pieces: queue.SimpleQueue[bytes | BaseException | None] = queue.SimpleQueue()
        """Of the body, where it is read as it comes; None is its end."""
        self._socket: socket.socket | None = None
        self._is_cut = False
        self._lock = threading.Lock()

    def fail(self, error: BaseException) -> None:
        """Tell whoever waits for it, for the answer or for what comes after its head."""
        if self.answer.done():
            self.pieces.put(error)
        else:
            self.answer.set_exception(error)

    def goes_by(self, connection: socket.socket | None) -> None:
        """From now on it goes by this socket; one that has been cut ends it."""
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


class Here(threading.local):
    """What the present thread carries out."""

    line: Line[Any]


here = Here()


class _Plain(HTTPConnection):
    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on as they are
        super().request(*args, **options)
        here.line.goes_by(self.sock)


class _Secure(HTTPSConnection):
    def request(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on as they are
        super().request(*args, **options)
        here.line.goes_by(self.sock)


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


Pools: TypeAlias = dict[str, type[HTTPConnectionPool]]
POOLS: Pools = {"http": _PlainPool, "https": _SecurePool}
GUARDED: Pools = {"http": _GuardedPlainPool, "https": _GuardedSecurePool}


class _Adapter(HTTPAdapter):
    """Connections that tell which socket they use."""

    def __init__(self, pools: Pools) -> None:
        self.pools = pools
        super().__init__(pool_connections=4, pool_maxsize=CONNECTIONS)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self.pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = POOLS
        return manager


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        """Never see a redirect: `requests` would read all of its body first, however large."""
        return None


def connections(pools: Pools) -> requests.Session:
    """Connections of `POOLS`, or of `GUARDED` ones, that send and keep nothing of their own."""
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
