"""Who is asking."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import NamedTuple

ADMINISTRATIVE = frozenset(("admin", "audit", "integrations", "roles", "settings", "users"))
"""Resources of the whole server: a key of an administrator needs the scope `admin` for them, so
that one that was made to read or write the administrator's own things opens nothing more."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The caller, handed to every handler that has an argument `user`.

    `permissions` holds `resource:action` words; `*` stands for every resource or action. `scopes`
    is None for a login and the scopes of the key for an API key: a key never allows more than its
    owner may do.
    """

    id: int
    username: str
    permissions: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None
    session_id: int | None = None
    api_key_id: int | None = None
    roles: tuple[str, ...] = field(default=())

    def may(self, permission: str) -> bool:
        """Whether the caller's roles allow this `resource:action`, and a key of theirs does not
        stop short of it.
        """
        resource, _, action = permission.partition(":")
        if self.scopes is not None and resource in ADMINISTRATIVE and "admin" not in self.scopes:
            return False
        wanted = {permission, f"{resource}:*", f"*:{action}", "*:*", "*"}
        return not wanted.isdisjoint(self.permissions)

    def administers(self) -> bool:
        """Whether the caller's roles allow anything that concerns the whole server."""
        resources = {permission.partition(":")[0] for permission in self.permissions}
        return not resources.isdisjoint(ADMINISTRATIVE | {"*"})


class Origin(NamedTuple):
    """Where a request came from: the client's address, what it calls itself, and the request's
    id.
    """

    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - it is frozen
"""The origin of the request that is being answered."""
