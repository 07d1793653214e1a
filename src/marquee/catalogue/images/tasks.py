"""Keeping the kept pictures within their bounds."""

from sqlalchemy import delete, func, select
from sqlalchemy.exc import OperationalError

from marquee import settings
from marquee.catalogue.images.keeping import TRIM, key_of
from marquee.catalogue.images.models import KeptImage
from marquee.db import checkpoint, rows, session, transaction
from marquee.errors import Unavailable
from marquee.named_jobs import NamedJob, Schedule
from marquee.progress import Progress
from marquee.services import storage

BATCH = 20
"""Whose files are removed in one transaction: a slow storage must not outlast it."""
LONGEST_UNUSED = (
    select(KeptImage.id, KeptImage.digest, KeptImage.size_bytes)
    .order_by(KeptImage.used_at, KeptImage.id)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)


def trim(progress: Progress) -> dict[str, int]:
    """Remove the pictures that were unused the longest, until the rest is small enough."""
    progress.plan(1)
    removed = freed = 0
    with transaction():
        total = int(session.scalar(select(func.sum(KeptImage.size_bytes))) or 0)
        excess = total - settings.current().images_max_bytes
        progress.step("pictures")
        while freed < excess:
            count, size = _removed(excess - freed)
            checkpoint()
            if not count:
                break
            removed, freed = removed + count, freed + size
            progress.advance(count)
    return {"removed": removed, "freed_bytes": freed}


def _removed(excess: int) -> tuple[int, int]:
    """Remove a batch of pictures, or fewer; how many, and of how many bytes.

    The files go before their rows do: one that is missing is fetched or drawn again, one without a
    row would stay for ever.
    """
    gone, size = [], 0
    for row in rows(LONGEST_UNUSED):
        if size >= excess:
            break
        gone.append(row)
        size += row.size_bytes
    session.execute(delete(KeptImage).where(KeptImage.id.in_([row.id for row in gone])))
    for digest in _unshared({row.digest for row in gone}):
        storage.current().delete(key_of(digest))
    return len(gone), size


def _unshared(digests: set[str]) -> set[str]:
    """Those that no other picture has."""
    used = select(KeptImage.digest).where(KeptImage.digest.in_(digests))
    return digests - set(session.scalars(used))


JOBS = (
    NamedJob(
        TRIM,
        "Removes the pictures that were unused the longest, where those that are kept take more "
        "room than IMAGES_MAX_BYTES.",
        trim,
        Schedule.hourly(minute=41),
        patient_with=(OperationalError, Unavailable),
    ),
)
