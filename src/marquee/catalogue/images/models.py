"""The pictures that are kept."""

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model


class KeptImage(Model):
    """A picture that was fetched; its bytes are in the file storage, by the hash of them."""

    __tablename__ = "kept_images"

    source: Mapped[str] = mapped_column(unique=True)
    """Its address there."""
    digest: Mapped[str] = mapped_column(index=True)
    """SHA-256 of the bytes, in hex: the key in the storage and the ETag."""
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    fetched_at: Mapped[datetime] = mapped_column(server_default=func.now())
    used_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
