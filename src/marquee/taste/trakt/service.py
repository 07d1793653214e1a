"""Rules of connecting an account at Trakt, and of a sync that somebody waits for."""

import time
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from marquee import clock, job_runs, sealing
from marquee.db import checkpoint, session
from marquee.errors import Conflict, Invalid, NotConfigured, TimedOut, Unavailable, Unprocessable
from marquee.identity.auth import one_time
from marquee.services import trakt
from marquee.services.trakt import TraktRefused
from marquee.taste.trakt import syncing, turn
from marquee.taste.trakt.models import TraktAccount
from marquee.taste.trakt.syncing import Outcome
from marquee.viewer import Viewer

log = structlog.get_logger("marquee")

PURPOSE, LIFETIME = "trakt", timedelta(minutes=5)
JOB = "sync-trakt-ratings"
LONGEST = 20.0
"""Seconds after which no further call to Trakt is begun while somebody waits; one takes 10 at the
most.
"""


def begin(viewer: Viewer) -> tuple[str, datetime]:
    """Where the user's browser goes, and until when it may come back. Raises NotConfigured."""
    client = trakt.current()
    expires_at = clock.now() + LIFETIME
    state = one_time.grant(PURPOSE, LIFETIME, user_id=viewer.id)
    return client.authorize_url(redirect_uri=turn.redirect_uri(), state=state), expires_at


def connect(viewer: Viewer, code: str, state: str) -> TraktAccount:
    """Connect the account that Trakt sent the browser back with, in place of one that was.

    The state is used up before Trakt is asked. Raises Invalid (INVALID_OR_EXPIRED_TOKEN) for one
    that is unknown, used, expired or another user's, Unprocessable (TRAKT_CODE_REFUSED),
    NotConfigured, Unavailable and TimedOut.
    """
    client = trakt.current()
    granted = one_time.redeem(PURPOSE, state)
    if granted is None or granted.user_id != viewer.id:
        raise Invalid("The state is unknown, used or expired.", "INVALID_OR_EXPIRED_TOKEN")
    checkpoint()
    try:
        tokens = client.exchange(code, redirect_uri=turn.redirect_uri())
        username = client.username(tokens.access_token)
    except TraktRefused as refusal:
        raise Unprocessable("Trakt does not take the code.", "TRAKT_CODE_REFUSED") from refusal
    mine = TraktAccount.user_id == viewer.id
    # Of another account nothing is kept: what it was not told is not for this one.
    session.execute(delete(TraktAccount).where(mine, TraktAccount.username != username))
    return _stored({"user_id": viewer.id, "username": username, **turn.sealed(tokens)})


def disconnect(viewer: Viewer) -> None:
    """Forget the user's account, and end our leave at Trakt if it can be reached. Ratings stay.

    Raises Conflict (TRAKT_NOT_CONNECTED).
    """
    mine = delete(TraktAccount).where(TraktAccount.user_id == viewer.id)
    sealed = session.scalar(mine.returning(TraktAccount.sealed_access_token))
    if sealed is None:
        raise turn.not_connected()
    checkpoint()
    try:
        trakt.current().revoke(sealing.unseal(sealed))
    except NotConfigured:
        log.info("trakt_not_revoked", user=viewer.id, reason="not configured")
    except (Unavailable, sealing.Unreadable) as error:
        log.warning("trakt_not_revoked", user=viewer.id, reason=str(error))


def sync(viewer: Viewer) -> Outcome:
    """Bring a user's ratings to the same on both sides, within 30 seconds.

    What takes longer goes on in the background, and raises TimedOut. Raises what `turn.taken` does.
    """
    until = time.monotonic() + LONGEST
    is_late = False

    def check() -> None:
        nonlocal is_late
        if time.monotonic() > until:
            is_late = True
            raise TimedOut("It takes longer than 30 seconds, and goes on in the background.")

    try:
        return syncing.sync(viewer.id, check)
    except TimedOut:
        if is_late:
            _go_on(viewer)
        raise


def _go_on(viewer: Viewer) -> None:
    try:
        job_runs.start(JOB, viewer.id, user_id=viewer.id)
    except Conflict:
        return  # it has not ended since the last time
    checkpoint()


def _stored(values: dict[str, Any]) -> TraktAccount:
    new = insert(TraktAccount).values(values)
    changes = {name: new.excluded[name] for name in values}
    # Who speaks for the account with its old tokens has no turn any more.
    again = new.on_conflict_do_update(
        index_elements=["user_id"],
        set_={**changes, "turn_until": None, "connected_at": clock.now()},
    )
    account: TraktAccount = session.scalars(
        again.returning(TraktAccount), execution_options={"populate_existing": True}
    ).one()
    return account
