"""Access tokens: JWTs (RFC 7519) signed by HMAC-SHA256, good for a quarter of an hour, bound to a
session.
"""

from dataclasses import dataclass
from datetime import timedelta

import jwt

from marquee import clock, signing

LIFETIME = timedelta(minutes=15)
ALGORITHM = "HS256"
ISSUER = AUDIENCE = "marquee"
KEY_ID = "1"
PURPOSE = "access-token:1"


@dataclass(frozen=True, slots=True)
class Claims:
    """Whom an access token stands for."""

    user_id: int
    session_id: int


def issue(user_id: int, session_id: int) -> str:
    """An access token of a session."""
    now = clock.now()
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": session_id,
        "iat": now,
        "exp": now + LIFETIME,
    }
    return jwt.encode(
        claims, signing.key_for(PURPOSE), ALGORITHM, headers={"kid": KEY_ID, "typ": "at+jwt"}
    )


def read(token: str) -> Claims | None:
    """The claims of a token of ours that has not expired; None for any other."""
    try:
        claims = jwt.decode(
            token,
            signing.key_for(PURPOSE),
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": ["exp", "iat", "sub", "sid"]},
        )
        return Claims(int(claims["sub"]), int(claims["sid"]))
    except (jwt.InvalidTokenError, ValueError, TypeError):
        return None
