"""Pictures in the file storage, each under the hash of its bytes, and what is known of them."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from marquee import clock
from marquee.catalogue.images.models import KeptImage
from marquee.db import checkpoint, first, session
from marquee.errors import Unavailable
from marquee.services import storage

log = structlog.get_logger("marquee")

USED_AGAIN = timedelta(hours=1)
"""How exactly the last use is written down."""
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
    storage that does not work leaves the picture unkept.
    """
    image = Image(data, media_type, hashlib.sha256(data).hexdigest())
    now = clock.now()
    known = {"digest": image.digest, "media_type": media_type, "size_bytes": len(data)}
    values = {**known, "fetched_at": now, "used_at": now}
    new = insert(KeptImage).values(source=source, **values)
    session.execute(new.on_conflict_do_update(index_elements=["source"], set_=values))
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
