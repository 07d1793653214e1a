"""Failed sign-ins: five of one account, or from one address, lock it for a quarter of an hour.

Each attempt is counted before its secret is looked at, and the counts are committed at once: a
hundred guesses at the same moment are five guesses, and a refusal rolls no count back. Success
clears the account's. Accounts that do not exist are counted like others, by name.
"""

from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import case, delete, func, update
from sqlalchemy.dialects.postgresql import insert

from marquee import clock, settings
from marquee.db import checkpoint, session
from marquee.errors import RateLimited
from marquee.identity.auth.models import SignInAttempts
from marquee.viewer import origin

WINDOW = timedelta(minutes=15)
Kind = Literal["password", "second_factor", "media_server"]
"""Of secrets. Each has a count of its own: who knows one may not begin the other's anew."""


def begin(account: int | str, kind: Kind = "password") -> None:
    """Count an attempt at an account, by its id or by a name that nobody has, and commit.

    Raises RateLimited where the account, or the caller's address, is locked.
    """
    keys = [_account_key(account, kind), _address_key()]
    new = insert(SignInAttempts).values(
        [{"key": key, "count": 1, "ends_at": clock.now() + WINDOW} for key in sorted(keys)]
    )
    over = SignInAttempts.ends_at <= func.now()
    counted = new.on_conflict_do_update(
        index_elements=[SignInAttempts.key],
        set_={
            "count": case((over, 1), else_=SignInAttempts.count + 1),
            "ends_at": case((over, new.excluded.ends_at), else_=SignInAttempts.ends_at),
        },
    )
    rows = session.execute(counted.returning(SignInAttempts.count, SignInAttempts.ends_at)).all()
    checkpoint()
    most = settings.current().sign_in_attempts
    locked = [ends_at for count, ends_at in rows if count > most]
    if locked:
        raise _refusal(most, max(locked))


def succeeded(account: int | str, kind: Kind = "password") -> None:
    """Forget the attempts at an account; take back the one of the address."""
    # In the order of `begin`: two who lock the same rows must not wait for each other.
    here = SignInAttempts.key == _address_key()
    session.execute(update(SignInAttempts).where(here).values(count=SignInAttempts.count - 1))
    clear(account, kind)


def clear(account: int | str, kind: Kind = "password") -> None:
    """Forget the attempts at an account that nobody has just made."""
    session.execute(delete(SignInAttempts).where(SignInAttempts.key == _account_key(account, kind)))


def take_back(account: int | str, kind: Kind = "password") -> None:
    """Count one attempt less, of the account and of the address: nobody looked at the secret."""
    here = SignInAttempts.key.in_([_account_key(account, kind), _address_key()])
    session.execute(update(SignInAttempts).where(here).values(count=SignInAttempts.count - 1))


def forget(account: int, *names: str) -> None:
    """Forget the attempts at an account that is deleted, by its id and by the names it had; the
    caller's address too, unless others of its attempts have failed.
    """
    accounts: tuple[int | str, ...] = (account, *names)
    keys = [_account_key(each, kind) for each in accounts for kind in get_args(Kind)]
    here = (SignInAttempts.key == _address_key()) & (SignInAttempts.count <= 0)
    session.execute(delete(SignInAttempts).where(SignInAttempts.key.in_(keys) | here))


def _account_key(account: int | str, kind: Kind) -> str:
    if kind != "password":
        return f"{kind}:{account}".lower()
    return f"user:{account}" if isinstance(account, int) else f"name:{account.lower()}"


def _address_key() -> str:
    return f"address:{origin.get().address}"


def _refusal(most: int, ends_at: datetime) -> RateLimited:
    seconds = max(1, round((ends_at - clock.now()).total_seconds()))
    return RateLimited(
        f"Too many failed attempts. Try again in {seconds} seconds.",
        headers={
            "Retry-After": str(seconds),
            "RateLimit-Policy": f'"sign-in";q={most};w={int(WINDOW.total_seconds())}',
            "RateLimit": f'"sign-in";r=0;t={seconds}',
        },
    )
