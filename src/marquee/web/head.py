"""The head of a request, as the parser tells of it piece by piece (RFC 9112, sections 2 to 6)."""

import re
from urllib.parse import unquote_to_bytes

from starlette.types import Scope

from marquee.web.malformed import Refused

VERSIONS = ("1.0", "1.1")
HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")
ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")
"""Scheme and authority of a target."""
Address = tuple[str, int] | None


class Head:
    """Target and headers, names in lower case."""

    __slots__ = ("_fault", "_hosts", "expects_continue", "headers", "target")

    def __init__(self) -> None:
        self.target = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.expects_continue = False
        self._hosts, self._fault = 0, ""

    def add(self, name: bytes, value: bytes) -> None:
        """One header more."""
        name, value = name.lower(), value.rstrip(b" \t")
        if name == b"host":
            self._hosts += 1
            if not HOST.fullmatch(value):
                self._fault = "The Host is none."
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            self._fault = "No transfer coding is known but chunked."
        elif name == b"expect":
            self.expects_continue = value.lower() == b"100-continue"
        self.headers.append((name, value))

    def check(self, version: str) -> None:
        """Raise Refused unless it can be answered."""
        if version not in VERSIONS:
            raise Refused.version()
        if self._hosts != 1 and (self._hosts or version == "1.1"):
            raise Refused.malformed("A request names one Host.")
        if self._fault:
            raise Refused.malformed(self._fault)

    def without_upgrade(self, method: bytes, version: str) -> bytes:
        """Its bytes again, as those of a request that asks for no other protocol."""
        lines = [b"%b: %b" % each for each in self.headers if each[0] != b"upgrade"]
        first = b"%b %b HTTP/%b" % (method, self.target, version.encode())
        return b"\r\n".join([first, *lines, b"", b""])

    def scope(self, method: bytes, version: str, client: Address, server: Address) -> Scope:
        """What ASGI makes of it."""
        target = self.target
        if not target.startswith(b"/"):
            # Section 3.2.2: what a proxy would be asked for is taken from servers as well.
            target = ABSOLUTE.sub(b"", target)
            target = target if target.startswith((b"/", b"*")) else b"/" + target
        raw_path, _, query = target.partition(b"?")
        path = raw_path.decode("latin-1")
        if "%" in path or not path.isascii():
            path = unquote_to_bytes(raw_path).decode("utf-8", "replace")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": version,
            "method": method.decode(),
            "scheme": "http",
            "path": path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": self.headers,
            "client": client,
            "server": server,
        }
