"""Genres."""

from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model


class Genre(Model):
    """A genre that a title names. A trigger adds the row when the first title does."""

    __tablename__ = "genres"

    name: Mapped[str] = mapped_column(unique=True)
    slug: Mapped[str]
    """The name for addresses: small letters, digits and hyphens."""
