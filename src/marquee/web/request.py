"""One request as the engine reads it: lazily, and without a framework's objects."""

import re
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from random import getrandbits
from typing import Any
from urllib.parse import quote

from marquee.viewer import Origin, Viewer
from marquee.web.multipart import Spool
from marquee.web.parameters import cookies

BRACKETED = re.compile(r"\[([^]]*)\](?::[0-9]+)?")
WELL_FORMED_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)


@dataclass
class Request:
    """Method, raw path, query and headers (names in lower case, repeated ones joined)."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    address: str | None
    scope: MutableMapping[str, Any]
    path_values: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    form: Spool | None = None
    """The bytes of a multipart body; `body` then tells it from another."""
    viewer: Viewer | None = None
    counted: bool = False
    """Whether the rate limits have counted it."""
    _id: str | None = None

    @classmethod
    def of(cls, scope: MutableMapping[str, Any], trusted_proxies: int) -> "Request":
        """Read an ASGI scope."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            if name in headers:
                value = headers[name] + ("; " if name == "cookie" else ", ") + value
            headers[name] = value
        raw_path = scope.get("raw_path")
        path = raw_path.decode("latin-1").partition("?")[0] if raw_path else quote(scope["path"])
        client = scope.get("client")
        address = _client_address(headers, client[0] if client else None, trusted_proxies)
        query = scope["query_string"].decode("latin-1")
        return cls(scope["method"], path, query, headers, address, scope)

    @property
    def id(self) -> str:
        """The request's id: the caller's where it is well formed, else a new one."""
        if self._id is None:
            given = self.headers.get("x-request-id")
            if given is None or not WELL_FORMED_ID.fullmatch(given):
                given = f"{getrandbits(96):024x}"
            self._id = given
        return self._id

    @cached_property
    def cookies(self) -> dict[str, str]:
        """The cookies by name."""
        return cookies(self.headers)

    @property
    def origin(self) -> Origin:
        """Where it came from."""
        agent = self.headers.get("user-agent", "")[:500]
        if not agent.isascii():
            agent = agent.encode("ascii", "replace").decode()
        return Origin(self.address, agent or None, self.id)


def _client_address(headers: dict[str, str], peer: str | None, trusted_proxies: int) -> str | None:
    """The address that the outermost trusted proxy saw; never one that a client made up."""
    if not trusted_proxies:
        return peer
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    return _address(hops[-trusted_proxies]) or peer if len(hops) >= trusted_proxies else peer


def _address(hop: str) -> str | None:
    """An address as proxies write it, perhaps with a port; None for anything else."""
    if bracketed := BRACKETED.fullmatch(hop):
        hop = bracketed[1]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        return str(ip_address(hop.partition("%")[0]))
    except ValueError:
        return None
