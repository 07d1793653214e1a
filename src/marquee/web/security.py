"""The contract's security requirements, compiled: which credentials, and who they stand for.

The functions are those that the contract names (`x-bearerInfoFunc`, `x-apikeyInfoFunc`). They are
called in the handler's thread and transaction with the credential, and with the request if they
take one; they return Connexion's token information, `{"sub": Viewer}`, or None for a credential
that does not hold.
"""

import inspect
from collections.abc import Callable
from typing import Any

from connexion.utils import get_function_from_name

from marquee.errors import Forbidden, Unauthenticated
from marquee.viewer import ADMINISTRATIVE, Viewer
from marquee.web.cookies import received
from marquee.web.request import Request

TokenInfo = dict[str, Any]


class Scheme:
    """One security scheme of the contract."""

    def __init__(self, name: str, definition: dict[str, Any]) -> None:
        self.name, self.place = name, definition.get("in")
        function = definition.get("x-bearerInfoFunc") or definition["x-apikeyInfoFunc"]
        available = definition.get("x-availableFunc")
        self._require_available: Callable[[], None] | None = (
            get_function_from_name(available) if available else None
        )
        self._check: Callable[..., TokenInfo | None] = get_function_from_name(function)
        self._takes_request = "request" in inspect.signature(self._check).parameters
        self._key: str = definition.get("name", "authorization")

    def credential(self, request: Request) -> str | None:
        """What the request carries for this scheme, if anything.

        Raises what `x-availableFunc` raises where the scheme cannot be used at all: switched off,
        or without a secret.
        """
        if self._require_available is not None:
            self._require_available()
        if self.place == "cookie":
            return received(request.cookies, self._key)
        if self.place == "header":
            return request.headers.get(self._key.lower())
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if not kind:
            return None
        if kind.lower() != "bearer":
            raise Unauthenticated("Only bearer tokens are taken in Authorization.")
        return token.strip()

    def check(self, credential: str, request: Request) -> TokenInfo:
        """Who the credential stands for. Raises Unauthenticated, or what the function raises."""
        if self._takes_request:
            information = self._check(credential, request=request)
        else:
            information = self._check(credential)
        if information is None:
            raise Unauthenticated("The credential does not hold.")
        return information


class Security:
    """The alternatives of one operation."""

    def __init__(self, requirements: list[dict[str, Any]], schemes: dict[str, Scheme]) -> None:
        self.alternatives = [[schemes[name] for name in each] for each in requirements if each]
        self.optional = not requirements or {} in requirements
        self.schemes = list({s.name: s for each in self.alternatives for s in each}.values())
        self.alone = {each[0].name: each[0] for each in self.alternatives if len(each) == 1}

    def authenticate(self, request: Request) -> TokenInfo:
        """Who is calling: empty where nobody need be. Raises Unauthenticated or Forbidden.

        A bad credential is refused even where none is needed, or where a good one stands beside it.
        A session cookie without its CSRF token is 403: the caller is known, the form may not be
        theirs.
        """
        if not self.schemes:
            return {}
        given: dict[str, str] = {}
        for scheme in self.schemes:
            if (credential := scheme.credential(request)) is not None:
                given[scheme.name] = credential
        if len(given) == 1:
            ((name, credential),) = given.items()
            if (enough := self.alone.get(name)) is not None:
                return enough.check(credential, request)
        chosen = self._chosen(given)
        known = {
            s.name: s.check(given[s.name], request)
            for s in self.schemes
            if s.name in given and (s.name != "csrf" or (chosen and s in chosen))
        }
        if chosen is None:
            return self._without(known)
        information: TokenInfo = {}
        for scheme in chosen:
            information |= known[scheme.name]
        return information

    def _chosen(self, given: dict[str, str]) -> list[Scheme] | None:
        """The first alternative that the request has all credentials of."""
        for schemes in self.alternatives:
            for scheme in schemes:
                if scheme.name not in given:
                    break
            else:
                return schemes
        return None

    def _without(self, known: dict[str, TokenInfo]) -> TokenInfo:
        if "session" in known:
            raise Forbidden("A session needs its X-CSRF-Token beside it here.", "CSRF_FAILED")
        if self.optional:
            return {}
        raise Unauthenticated("This operation needs a credential.")


def require_permission(permission: str | None, viewer: Viewer | None, method: str) -> None:
    """Raise Forbidden unless the caller's roles, and the scopes of the key, allow the operation."""
    if viewer is None:
        return
    if viewer.scopes is not None:
        scope = required_scope(permission, method)
        if scope not in viewer.scopes and "admin" not in viewer.scopes:
            raise Forbidden(f"This needs an API key with the scope {scope}.")
    if permission is not None and not viewer.may(permission):
        raise Forbidden(f"This needs the permission {permission}.")


def required_scope(permission: str | None, method: str) -> str:
    """What an API key must be good for: `admin` for administration, else `read` or `write`."""
    if permission is not None and permission.partition(":")[0] in ADMINISTRATIVE:
        return "admin"
    return "read" if method in ("GET", "HEAD") else "write"
