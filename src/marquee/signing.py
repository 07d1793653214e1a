"""Signed text: tokens that we can tell from those that somebody made up.

HMAC-SHA256 with a key for each purpose, derived from `MARQUEE_SECRET_KEY` by HKDF-expand (RFC
5869), so that a token made for one purpose is worth nothing for another.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache

from marquee import settings
from marquee.settings import BadSetting

SHORTEST_KEY = 32
CSRF = "csrf"
"""The purpose of CSRF tokens, which the explorer and the sign-in issue."""


@cache
def key_for(purpose: str) -> bytes:
    """The 32 bytes of key for one purpose. Raises BadSetting where there is no secret to derive it
    from.
    """
    secret = settings.current().marquee_secret_key
    if len(secret) < SHORTEST_KEY:
        raise BadSetting(f"MARQUEE_SECRET_KEY must have at least {SHORTEST_KEY} characters.")
    return hmac.digest(secret.encode(), purpose.encode() + b"\x01", hashlib.sha256)


def sign(purpose: str, text: str) -> str:
    """The text, readable, with its signature: URL-safe characters and one dot."""
    return f"{_encode(text.encode())}.{_encode(_signature(purpose, text))}"


def unsign(purpose: str, token: str) -> str | None:
    """The text of a token that `sign` made for this purpose; None for any other."""
    encoded = token.partition(".")[0]
    try:
        text = _decode(encoded).decode()
    except ValueError:
        return None
    # The whole token is compared: Base64 has several spellings, and only ours is good.
    return text if hmac.compare_digest(token.encode(), sign(purpose, text).encode()) else None


def _signature(purpose: str, text: str) -> bytes:
    return hmac.digest(key_for(purpose), text.encode(), hashlib.sha256)[:16]


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
