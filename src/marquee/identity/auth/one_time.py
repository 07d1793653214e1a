"""Secrets that are good once: links in mails, challenges, the states of OpenID.

256 random bits; only their SHA-256 is stored.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from marquee import clock
from marquee.db import session
from marquee.identity.auth.models import OneTimeToken

BYTES = 32


def digest_of(secret: str) -> bytes:
    """What is stored instead of a secret with at least 128 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def grant(
    purpose: str,
    lifetime: timedelta,
    *,
    user_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> str:
    """A new token for a purpose. `data` comes back with it."""
    token = secrets.token_urlsafe(BYTES)
    session.execute(
        insert(OneTimeToken).values(
            purpose=purpose,
            digest=digest_of(token),
            user_id=user_id,
            data=data or {},
            expires_at=clock.now() + lifetime,
        )
    )
    return token


def redeem(purpose: str, token: str) -> OneTimeToken | None:
    """What a token was granted for, once; None for one that is unknown, used or expired.

    It counts as used if the transaction commits: who is refused for another reason may come again.
    """
    query = delete(OneTimeToken).where(*_good(purpose, token)).returning(OneTimeToken)
    found: OneTimeToken | None = session.scalar(query)
    return found


def peek(purpose: str, token: str) -> OneTimeToken | None:
    """As `redeem`, but the token stays."""
    found: OneTimeToken | None = session.scalar(select(OneTimeToken).where(*_good(purpose, token)))
    return found


def revoke(purpose: str, user_id: int) -> None:
    """End all tokens of a user for a purpose."""
    session.execute(
        delete(OneTimeToken).where(OneTimeToken.purpose == purpose, OneTimeToken.user_id == user_id)
    )


def _good(purpose: str, token: str) -> tuple[Any, ...]:
    return (
        OneTimeToken.purpose == purpose,
        OneTimeToken.digest == digest_of(token),
        OneTimeToken.expires_at > func.now(),
    )
