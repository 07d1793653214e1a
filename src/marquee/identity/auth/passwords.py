"""Passwords: argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane)."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def hashed(password: str) -> str:
    """What is stored instead of a password."""
    return HASHER.hash(password)


def fits(password: str, password_hash: str | None) -> bool:
    """Whether this is the password. Takes the same time where there is none to compare with."""
    try:
        HASHER.verify(password_hash or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether it was made with other parameters than today's."""
    return HASHER.check_needs_rehash(password_hash)


@cache
def _nobodys() -> str:
    return HASHER.hash("a password that nobody has")
