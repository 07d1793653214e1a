"""Pictures in the file storage, each under the hash of its bytes, and what is known of them."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

import structlog
from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from marquee import clock, job_runs, settings
from marquee.catalogue.images.models import KeptImage
from marquee.db import checkpoint, first, session
from marquee.errors import Conflict, Unavailable
from marquee.services import storage

log = structlog.get_logger("marquee")

USED_AGAIN = timedelta(hours=1)
"""How exactly the last use is written down."""
TRIM = "trim-images"
MUCH = 0.05
"""Of IMAGES_MAX_BYTES: once a process has kept so much, room is made before the hour has passed."""
FIND = select(
    KeptImage.id,
    KeptImage.digest,
    KeptImage.media_type,
    KeptImage.fetched_at,
    KeptImage.used_at,
).where(KeptImage.source == bindparam("source"))
Found = Row[int, str, str, datetime, datetime]


@dataclass(frozen=True, slots=True)
class Image:
    """The bytes of a picture, what they are, and their SHA-256 in hex."""

    data: bytes
    media_type: str
    digest: str


class Growth:
    """How many bytes this process has kept since it last asked for room."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._size = 0

    def is_much(self, size: int) -> bool:
        """Whether it is much with so many more; it then begins anew."""
        with self._lock:
            self._size += size
            if self._size < MUCH * settings.current().images_max_bytes:
                return False
            self._size = 0
            return True


growth = Growth()


def find(source: str) -> Found | None:
    """What is kept of a picture, by where it comes from."""
    return first(FIND, {"source": source})


def read(found: Found) -> Image | None:
    """A kept picture; None where its file has gone or cannot be read now.

    That it is used is written down, once an hour at the most.
    """
    try:
        data = storage.current().get(key_of(found.digest))
    except Unavailable:
        return None
    if data is None:
        return None
    now = clock.now()
    if now - found.used_at > USED_AGAIN:
        session.execute(update(KeptImage).where(KeptImage.id == found.id).values(used_at=now))
    return Image(data, found.media_type, found.digest)


def kept(source: str) -> Image | None:
    """A picture that was kept from here, however long ago."""
    found = find(source)
    return read(found) if found else None


def keep(source: str, data: bytes, media_type: str) -> Image:
    """Keep a picture, in the place of what came from there before. Commits.

    First the row, then the file: every file has a row, by which it is found when it is to go. A
    storage that does not work leaves the picture unkept. Asks for `trim` where much was kept.
    """
    image = Image(data, media_type, hashlib.sha256(data).hexdigest())
    now = clock.now()
    known = {"digest": image.digest, "media_type": media_type, "size_bytes": len(data)}
    values = {**known, "fetched_at": now, "used_at": now}
    new = insert(KeptImage).values(source=source, **values)
    session.execute(new.on_conflict_do_update(index_elements=["source"], set_=values))
    if growth.is_much(len(data)):
        with suppress(Conflict):
            job_runs.start(TRIM)
    checkpoint()
    try:
        storage.current().put(key_of(image.digest), data, media_type)
    except Unavailable:
        log.warning("image_not_kept", source=source)
    return image


def renew(found: Found) -> None:
    """Say that a picture is still as it was fetched."""
    values = {"fetched_at": func.now()}
    session.execute(update(KeptImage).where(KeptImage.id == found.id).values(**values))


def key_of(digest: str) -> str:
    """Where the file storage has a picture."""
    return f"images/{digest}"
