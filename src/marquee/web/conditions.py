"""`If-Match`: a change meant for one version of a row is refused when the row is at another."""

from contextvars import ContextVar
from datetime import datetime
from typing import Protocol

from marquee.errors import PreconditionFailed
from marquee.web.answers import matches

if_match: ContextVar[str | None] = ContextVar("if_match", default=None)
"""The header of the request that is being answered, where its operation takes one."""


class Versioned(Protocol):
    """A row that says when it changed last."""

    id: int
    updated_at: datetime


def version_tag(row: Versioned) -> str:
    """The row's version as a strong ETag."""
    return f'"{row.id:x}-{int(row.updated_at.timestamp() * 1_000_000):x}"'


def require_version(row: Versioned) -> None:
    """Raise PreconditionFailed unless `If-Match` names the row's version. Lock the row before."""
    condition = if_match.get()
    if condition is not None and not matches(condition, version_tag(row).encode(), strong=True):
        raise PreconditionFailed("It has changed since the version that you name.")
