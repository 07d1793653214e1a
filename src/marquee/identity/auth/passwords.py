"""Passwords: argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane).

A hash takes tens of milliseconds of one core and holds no lock of Python's. So many are made at a
time as there are cores; a few more may wait, so that sign-ins never take all handler threads.
"""

import os
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from marquee import settings
from marquee.errors import Unprocessable
from marquee.turns import Turns

HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
SHORTEST, LONGEST = 8, 128


def hashed(password: str) -> str:
    """What is stored instead of a password. Raises Unavailable where too many wait."""
    with _turns().one():
        return HASHER.hash(password)


def fits(password: str, password_hash: str | None) -> bool:
    """Whether this is the password. Takes the same time where there is none to compare with.

    Raises Unavailable where too many wait.
    """
    with _turns().one():
        try:
            HASHER.verify(password_hash or _nobodys(), password)
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def outdated(password_hash: str) -> bool:
    """Whether it was made with other parameters than today's."""
    return HASHER.check_needs_rehash(password_hash)


def refuse_weak(password: str, *own: str) -> None:
    """Raise Unprocessable (WEAK_PASSWORD) for one that guessers try first.

    That is one of the commonest, or the user's own name or address (`own`). There are no rules of
    composition (NIST SP 800-63B §3.1.1.2).
    """
    lowered = password.lower()
    if lowered in _common() or lowered in {each.lower() for each in own}:
        raise Unprocessable("This password is too easy to guess.", "WEAK_PASSWORD")


@cache
def _common() -> frozenset[str]:
    from zxcvbn.frequency_lists import (  # noqa: PLC0415 - 12 MB, needed where passwords are set
        FREQUENCY_LISTS,
    )

    return frozenset(each for each in FREQUENCY_LISTS["passwords"] if len(each) >= SHORTEST)


@cache
def _turns() -> Turns:
    return Turns(
        os.cpu_count() or 1,
        waiting=settings.current().marquee_threads // 2,
        refusal="Too many people are signing in.",
        retry_after=1,
    )


@cache
def _nobodys() -> str:
    return HASHER.hash("a password that nobody has")
