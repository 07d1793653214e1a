"""Speaking to Trakt for one account, one at a time.

Refresh tokens are good once, and of two who send one rating the later must arrive last. So whoever
speaks has the account's turn, written into its row: no database connection is held while Trakt
answers, and the turn of one who dies ends by itself.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text, update

from marquee import clock, sealing, settings
from marquee.db import checkpoint, session
from marquee.errors import Conflict
from marquee.services import trakt
from marquee.services.trakt import AccountLimited, Tokens, Trakt, TraktRefused
from marquee.taste.trakt.models import TraktAccount

EARLY = timedelta(minutes=10)
"""How long before its end an access token is replaced."""
PATIENCE, PAUSE = 5.0, 0.25
"""Seconds that one waits for a turn, and between two looks."""
TAKE = text(
    "UPDATE trakt_accounts SET turn_until = clock_timestamp() + interval '60 s' "
    "WHERE user_id = :user_id AND (turn_until IS NULL OR turn_until < clock_timestamp()) "
    "RETURNING id, sealed_access_token, sealed_refresh_token, expires_at, turn_until"
)
KEEP = text(
    "UPDATE trakt_accounts SET turn_until = clock_timestamp() + interval '60 s' "
    "WHERE id = :id AND turn_until = :until RETURNING turn_until"
)
GIVE_BACK = text(
    "UPDATE trakt_accounts SET turn_until = NULL WHERE id = :id AND turn_until = :until"
)
CONNECTED = text("SELECT 1 FROM trakt_accounts WHERE user_id = :user_id")


def redirect_uri() -> str:
    """The page of the web application to which Trakt sends the browser back."""
    return f"{settings.current().app_address}/trakt/callback"


def not_connected() -> Conflict:
    """The refusal that there is no account."""
    return Conflict("No Trakt account is connected.", "TRAKT_NOT_CONNECTED")


class Found(NamedTuple):
    """An account whose turn has been taken."""

    id: int
    sealed_access_token: str
    sealed_refresh_token: str
    expires_at: datetime
    turn_until: datetime


@dataclass
class Turn:
    """The right to speak for an account, for a minute from each `keep`."""

    trakt: Trakt
    user_id: int
    account_id: int
    until: datetime
    access_token: str = field(default="", repr=False)

    def keep(self) -> None:
        """Go on, in the present transaction: what it writes is written only if the turn still is
        ours. Raises Conflict (TRAKT_NOT_CONNECTED) where the user has disconnected meanwhile.
        """
        until = session.scalar(KEEP, {"id": self.account_id, "until": self.until})
        if until is None:
            raise not_connected()
        self.until = until


@contextmanager
def taken(user_id: int) -> Iterator[Turn]:
    """A user's turn, with an access token that holds. Commits; no transaction is open then.

    Raises NotConfigured; Conflict for an account that is not connected (TRAKT_NOT_CONNECTED),
    whose turn somebody else has (TRAKT_BUSY), whose leave Trakt takes for ended
    (TRAKT_RECONNECT_REQUIRED), or which may not there (TRAKT_ACCOUNT_LIMIT); Unavailable and
    TimedOut. What the block has not committed is committed with the end of the turn, unless it
    raises.
    """
    client = trakt.current()
    found = _take(user_id)
    turn = Turn(client, user_id, found.id, found.turn_until)
    try:
        turn.access_token = _token(turn, found)
        yield turn
    except TraktRefused as refusal:
        session.rollback()
        message = "Trakt does not take our leave any more: connect the account again."
        raise Conflict(message, "TRAKT_RECONNECT_REQUIRED") from refusal
    except AccountLimited as refusal:
        session.rollback()
        raise Conflict(refusal.message, "TRAKT_ACCOUNT_LIMIT") from refusal
    except BaseException:
        session.rollback()
        raise
    finally:
        session.execute(GIVE_BACK, {"id": turn.account_id, "until": turn.until})
        checkpoint()


def sealed(tokens: Tokens) -> dict[str, str | datetime]:
    """The columns of an account that hold its tokens."""
    return {
        "sealed_access_token": sealing.seal(tokens.access_token),
        "sealed_refresh_token": sealing.seal(tokens.refresh_token),
        "expires_at": tokens.expires_at,
    }


def _take(user_id: int) -> Found:
    values, until = {"user_id": user_id}, time.monotonic() + PATIENCE
    while True:
        found = session.execute(TAKE, values).one_or_none()
        if found is None and session.execute(CONNECTED, values).first() is None:
            raise not_connected()
        checkpoint()
        if found is not None:
            return Found(*found)
        if time.monotonic() > until:
            message = "The ratings are being synchronised already."
            raise Conflict(message, "TRAKT_BUSY")
        time.sleep(PAUSE)


def _token(turn: Turn, account: Found) -> str:
    try:
        if account.expires_at > clock.now() + EARLY:
            return sealing.unseal(account.sealed_access_token)
        refresh_token = sealing.unseal(account.sealed_refresh_token)
    except sealing.Unreadable as error:
        raise TraktRefused("The tokens were encrypted with another key.") from error
    tokens = turn.trakt.refresh(refresh_token, redirect_uri=redirect_uri())
    turn.keep()
    change = update(TraktAccount).where(TraktAccount.id == turn.account_id)
    session.execute(change.values(sealed(tokens)))
    checkpoint()
    return tokens.access_token
