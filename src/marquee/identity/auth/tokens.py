"""Access tokens: JWTs (RFC 7519, RFC 9068) signed by HMAC-SHA256, short-lived, bound to a session.

`kid` tells which key signed a token: after a change of `MARQUEE_SECRET_KEY` those of the secret
before hold for as long as it stands in `MARQUEE_OLD_SECRET_KEYS`.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from marquee import clock, settings, signing

ALGORITHM = "HS256"
TYPE = "at+jwt"
ISSUER = AUDIENCE = "marquee"
PURPOSE = "access-token"


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom an access token stands for."""

    user_id: int
    session_id: int
    expires_at: datetime


def lifetime() -> timedelta:
    """How long a token holds."""
    return timedelta(seconds=settings.current().access_token_lifetime)


def issue(user_id: int, session_id: int) -> str:
    """An access token of a session."""
    now, key = clock.now(), signing.key_for(PURPOSE)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": session_id,
        "jti": secrets.token_urlsafe(12),
        "iat": now,
        "exp": now + lifetime(),
    }
    return jwt.encode(claims, key, ALGORITHM, headers={"kid": key_id(key), "typ": TYPE})


def read(token: str) -> Claims | None:
    """The claims of a token of ours that has not expired; None for any other."""
    try:
        header = jwt.get_unverified_header(token)
        if header.get("typ") != TYPE:
            return None
        claims = jwt.decode(
            token,
            {key_id(key): key for key in signing.keys_for(PURPOSE)}[header["kid"]],
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": ["exp", "iat", "sub", "sid"]},
        )
        expires_at = datetime.fromtimestamp(claims["exp"], UTC)
        return Claims(int(claims["sub"]), int(claims["sid"]), expires_at)
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
        return None


def key_id(key: bytes) -> str:
    """The `kid` of a key; nothing can be learnt of the key from it."""
    return hashlib.sha256(key).hexdigest()[:8]
