"""Studios, which make titles, and networks, which broadcast series."""

from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model


class Company:
    """What is known of a company. A trigger adds the row when the first title names it."""

    name: Mapped[str] = mapped_column(unique=True)
    tmdb_id: Mapped[int | None]
    logo_path: Mapped[str | None]
    origin_country: Mapped[str | None]
    """ISO 3166-1, two letters."""


class Studio(Company, Model):
    """Who made a title."""

    __tablename__ = "studios"


class Network(Company, Model):
    """Who broadcasts a series."""

    __tablename__ = "networks"
