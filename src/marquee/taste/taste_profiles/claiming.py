"""The right to write a profile, which one writer has at a time, in whatever process.

It stands in the profile's row and ends by itself: no connection is held while a text is written,
and who dies is not waited for for long.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text

from marquee import settings
from marquee.db import session
from marquee.errors import Conflict
from marquee.taste.taste_profiles.kinds import Kind

SPARE = 30.0
"""Seconds beside those that the text itself may take."""
CLAIM = text(
    "INSERT INTO taste_profiles AS it (user_id, kind, writing_until) "
    "VALUES (:user_id, :kind, clock_timestamp() + make_interval(secs => :seconds)) "
    "ON CONFLICT (user_id, kind) DO UPDATE SET writing_until = excluded.writing_until "
    "WHERE it.writing_until IS NULL OR it.writing_until < clock_timestamp() "
    "RETURNING id, writing_until"
)
STORE = text(
    "UPDATE taste_profiles SET synopsis = :synopsis, model = :model, "
    "updated_at = clock_timestamp(), writing_until = NULL "
    "WHERE id = :id AND writing_until = :until RETURNING id"
)
GIVE_BACK = text(
    "UPDATE taste_profiles SET writing_until = NULL WHERE id = :id AND writing_until = :until"
)


class Claim(NamedTuple):
    """The right to write a profile: its row, and until when."""

    id: int
    until: datetime


def claim(user_id: int, kind: Kind) -> Claim:
    """Take the right. Raises Conflict (TASTE_PROFILE_RUNNING) where somebody has it."""
    seconds = settings.current().text_timeout + SPARE
    values = {"user_id": user_id, "kind": kind.name, "seconds": seconds}
    found = session.execute(CLAIM, values).one_or_none()
    if found is None:
        raise Conflict("This profile is being written already.", "TASTE_PROFILE_RUNNING")
    return Claim(*found)


def store(claim: Claim, synopsis: str, model: str) -> None:
    """Store what was written, and end the claim. Raises Conflict where it was not ours any more,
    or the account is gone.
    """
    values = {"id": claim.id, "until": claim.until, "synopsis": synopsis, "model": model}
    if session.execute(STORE, values).one_or_none() is None:
        raise Conflict("The profile was written anew, or deleted, meanwhile.")


def give_back(claim: Claim) -> None:
    """End the claim without a text; what was stored before stays."""
    session.execute(GIVE_BACK, {"id": claim.id, "until": claim.until})
