"""Rules of API keys.

A key is `mq_`, 34 random characters (202 bits) and their CRC-32 in six characters of base 62, as
GitHub's tokens have it since 2021: a scanner for leaked secrets can tell a key from other text
without asking the server. Which keys hold is decided by their digests alone.
"""

import secrets
import string
import zlib
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from marquee import clock
from marquee.db import find, session
from marquee.errors import Conflict, Forbidden, Invalid
from marquee.identity.api_keys.models import ApiKey
from marquee.identity.auth.one_time import digest_of
from marquee.identity.users.models import User
from marquee.viewer import Viewer

MOST = 10
"""Active keys of one account."""
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
PREFIX, RANDOM, CHECKED = "mq_", 34, 6
KEPT = 11
"""Characters of a key that are stored, so that its owner tells it from others."""
SHOWN = (
    "id",
    "name",
    "description",
    "key_prefix",
    "scopes",
    "created_at",
    "expires_at",
    "last_used_at",
)


@cache
def listed() -> Select[*tuple[Any, ...]]:
    """The keys of the user `owner_id`."""
    return select(
        *(getattr(ApiKey, name) for name in SHOWN), ApiKey.is_active.label("is_active")
    ).where(ApiKey.user_id == bindparam("owner_id"))


def create(
    viewer: Viewer,
    *,
    name: str,
    scopes: list[str],
    description: str | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """A new key of the caller, and the key itself, which nobody can be told again.

    Raises Invalid for an end that has passed, Forbidden for more than the caller may hand on, and
    Conflict (API_KEY_LIMIT) beside `MOST` active keys.
    """
    if expires_at is not None and expires_at <= clock.now():
        raise Invalid.value("body", "/expires_at", "is not in the future")
    _require_scopes(viewer, set(scopes))
    _require_end(viewer, expires_at)
    _require_room(viewer)
    secret = new_key()
    key = ApiKey(
        user_id=viewer.id,
        name=name,
        description=description,
        key_prefix=secret[:KEPT],
        digest=digest_of(secret),
        scopes=scopes,
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    return key, secret


def new_key() -> str:
    """A key that nobody has yet."""
    random = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM))
    return PREFIX + random + checksum(random)


def checksum(random: str) -> str:
    """What a key's random characters are followed by: their CRC-32, base 62, with zeros ahead."""
    rest, digits = zlib.crc32(random.encode()), ""
    for _ in range(CHECKED):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def _require_scopes(viewer: Viewer, scopes: set[str]) -> None:
    held = viewer.scopes
    if held is not None and "admin" not in held and not scopes <= held:
        raise Forbidden("A key can only make keys of its own scopes.")
    if "admin" in scopes and not viewer.administers():
        raise Forbidden("The scope admin needs a role that administers something.")


def _require_end(viewer: Viewer, expires_at: datetime | None) -> None:
    """Nobody who got hold of a key for a while makes one of it for ever."""
    if viewer.api_key_id is None:
        return
    end = find(ApiKey.visible_to(viewer), viewer.api_key_id).expires_at
    if end is not None and (expires_at is None or expires_at > end):
        raise Forbidden("A key can only make keys that expire no later than itself.")


def _require_room(viewer: Viewer) -> None:
    """The user's row is locked: of two requests at once, the second counts the first's key."""
    session.execute(select(User.id).where(User.id == viewer.id).with_for_update(key_share=True))
    mine = select(func.count()).where(ApiKey.user_id == viewer.id, ApiKey.is_active)
    if session.execute(mine).scalar_one() >= MOST:
        raise Conflict(f"An account has {MOST} active keys at the most.", "API_KEY_LIMIT")
