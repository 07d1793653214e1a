"""Ten codes for the day on which the app is gone, each good once.

A code has 64 random bits. Its digest is keyed with a secret of the server (HMAC-SHA-256), and is
worth nothing to whoever has the database alone.
"""

import hashlib
import hmac
import secrets

from sqlalchemy import delete, func, insert, update

from marquee import signing
from marquee.db import session
from marquee.errors import Conflict
from marquee.identity.mfa.models import BackupCode
from marquee.identity.mfa.service import factors_of

COUNT = 10
BYTES, GROUP = 8, 4
PURPOSE = "backup-code"


def generate(user_id: int) -> list[str]:
    """Ten codes. Raises Conflict (BACKUP_CODES_EXIST) while some are unused."""
    if factors_of(user_id).backup_codes:
        raise Conflict("There are unused backup codes: replace them.", "BACKUP_CODES_EXIST")
    return replace(user_id)


def replace(user_id: int) -> list[str]:
    """Ten codes instead of those from before."""
    session.execute(delete(BackupCode).where(BackupCode.user_id == user_id))
    codes = [secrets.token_hex(BYTES) for _ in range(COUNT)]
    key = signing.key_for(PURPOSE)
    session.execute(
        insert(BackupCode),
        [{"user_id": user_id, "digest": _digest(key, user_id, code)} for code in codes],
    )
    starts = range(0, BYTES * 2, GROUP)
    return ["-".join(code[start : start + GROUP] for start in starts) for code in codes]


def take(user_id: int, code: str) -> bool:
    """Whether this is an unused code of the user; it is used afterwards."""
    plain = code.replace("-", "").lower()
    digests = [_digest(key, user_id, plain) for key in signing.keys_for(PURPOSE)]
    unused = BackupCode.digest.in_(digests), BackupCode.used_at.is_(None)
    taken = (
        update(BackupCode)
        .where(BackupCode.user_id == user_id, *unused)
        .values(used_at=func.now())
        .execution_options(synchronize_session=False)
    )
    return session.scalar(taken.returning(BackupCode.id)) is not None


def _digest(key: bytes, user_id: int, code: str) -> bytes:
    return hmac.digest(key, f"{user_id}:{code}".encode(), hashlib.sha256)
