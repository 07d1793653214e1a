"""Genres."""

from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model


class Genre(Model):
    """A genre that a title names. A trigger adds the row when the first title does."""

    __tablename__ = "genres"

    name: Mapped[str] = mapped_column(unique=True)
    slug: Mapped[str]
    """The name for addresses: small letters, digits and hyphens."""


class GenreTally(Model):
    """How many more titles of a kind a genre has: the sum of its rows is their number.

    Triggers add a row for each genre of what is written, and sum rows up now and then.
    """

    __tablename__ = "genre_tallies"

    kind: Mapped[str]
    """`movie` or `tvshow`."""
    genre: Mapped[str]
    titles: Mapped[int]
