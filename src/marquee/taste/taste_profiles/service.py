"""Rules of taste profiles."""

from typing import Any

from sqlalchemy import bindparam, select

from marquee import audit
from marquee.db import after_commit, first
from marquee.identity.users.models import User
from marquee.taste.taste_profiles import claiming, figures
from marquee.taste.taste_profiles.kinds import Kind
from marquee.taste.taste_profiles.models import TasteProfile
from marquee.taste.taste_profiles.writing import Writing, places

PROFILE = select(TasteProfile.synopsis, TasteProfile.updated_at).where(
    TasteProfile.user_id == bindparam("user_id"), TasteProfile.kind == bindparam("kind")
)


def of(owner: User, kind: Kind) -> dict[str, Any]:
    """The synopsis that was written last, or None, and the figures as they are now."""
    found = first(PROFILE, {"user_id": owner.id, "kind": kind.name})
    is_written = found is not None and found.synopsis is not None
    return {
        "synopsis": found.synopsis if found is not None else None,
        "updated_at": found.updated_at if found is not None and is_written else None,
        "stats": figures.of(owner.id, kind),
    }


def regenerate(owner: User, kind: Kind) -> Writing:
    """Begin to write a new synopsis when the present transaction has been committed.

    Raises Unavailable (OVERLOADED) while too many are being written, and Conflict
    (TASTE_PROFILE_RUNNING) while this one is.
    """
    place = places.take()
    claim = claiming.claim(owner.id, kind)
    audit.describe(str(claim.id))
    writing = Writing(owner.id, kind, claim, place)
    after_commit(writing.start)
    return writing
