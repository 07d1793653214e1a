"""What films and series have in common."""

from datetime import datetime
from typing import Any

from sqlalchemy import SmallInteger, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column


class Titled:
    """The columns of a title.

    `search_title` is the title without accents and case, `sort_title` also without its article.
    """

    tmdb_id: Mapped[int | None] = mapped_column(unique=True)
    imdb_id: Mapped[str | None] = mapped_column(unique=True)
    title: Mapped[str]
    original_title: Mapped[str | None]
    search_title: Mapped[str]
    sort_title: Mapped[str]
    year: Mapped[int | None] = mapped_column(SmallInteger)
    overview: Mapped[str | None]
    tagline: Mapped[str | None]
    status: Mapped[str | None]
    original_language: Mapped[str | None]
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    genres: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    age_rating: Mapped[str | None]
    poster_path: Mapped[str | None]
    backdrop_path: Mapped[str | None]
    vote_average: Mapped[float | None]
    vote_count: Mapped[int] = mapped_column(server_default="0")
    popularity: Mapped[float] = mapped_column(server_default="0")
    external_ratings: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    attribution: Mapped[str | None]
    added_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    metadata_updated_at: Mapped[datetime | None]
