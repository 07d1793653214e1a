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
def keys_for(purpose: str) -> tuple[bytes, ...]:
    """The keys for one purpose, 32 bytes each: today's, then those of the secrets before it.

    Raises BadSetting where there is no secret to derive one from.
    """
    values = settings.current()
    secrets = (values.marquee_secret_key, *values.marquee_old_secret_keys)
    if not values.marquee_secret_key:
        raise BadSetting("MARQUEE_SECRET_KEY is not set.")
    if any(len(secret) < SHORTEST_KEY for secret in secrets):
        raise BadSetting(
            "MARQUEE_SECRET_KEY, and each of MARQUEE_OLD_SECRET_KEYS, must have at least "
            f"{SHORTEST_KEY} characters."
        )
    info = purpose.encode() + b"\x01"
    return tuple(hmac.digest(secret.encode(), info, hashlib.sha256) for secret in secrets)


def key_for(purpose: str) -> bytes:
    """The key with which something new is signed. Raises BadSetting."""
    return keys_for(purpose)[0]


def sign(purpose: str, text: str) -> str:
    """The text, readable, with its signature: URL-safe characters and one dot."""
    return _signed(key_for(purpose), text)


def unsign(purpose: str, token: str) -> str | None:
    """The text of a token that `sign` made for this purpose; None for any other."""
    encoded = token.partition(".")[0]
    try:
        text = _decode(encoded).decode()
    except ValueError:
        return None
    # The whole token is compared: Base64 has several spellings, and only ours is good.
    ours = (_signed(key, text).encode() for key in keys_for(purpose))
    return text if any(hmac.compare_digest(token.encode(), each) for each in ours) else None


def _signed(key: bytes, text: str) -> str:
    signature = hmac.digest(key, text.encode(), hashlib.sha256)[:16]
    return f"{_encode(text.encode())}.{_encode(signature)}"


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
