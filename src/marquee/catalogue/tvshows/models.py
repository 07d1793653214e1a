"""Series and their seasons."""

from datetime import date, datetime
from typing import Any, Self

from sqlalchemy import ForeignKey, Index, Select, SmallInteger, Text, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model
from marquee.viewer import Viewer


class TVShow(Model):
    """A series."""

    __tablename__ = "tvshows"
    __table_args__ = (
        Index("tvshows_popularity_idx", text("popularity DESC"), text("id DESC")),
        Index("tvshows_sort_title_idx", "sort_title", "id"),
        Index("tvshows_genres_idx", "genres", postgresql_using="gin"),
    )

    tmdb_id: Mapped[int | None] = mapped_column(unique=True)
    imdb_id: Mapped[str | None] = mapped_column(unique=True)
    title: Mapped[str]
    original_title: Mapped[str | None]
    search_title: Mapped[str]
    sort_title: Mapped[str]
    year: Mapped[int | None] = mapped_column(SmallInteger)
    first_air_date: Mapped[date | None]
    last_air_date: Mapped[date | None]
    status: Mapped[str | None]
    episode_runtime_minutes: Mapped[int | None]
    overview: Mapped[str | None]
    tagline: Mapped[str | None]
    original_language: Mapped[str | None]
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    genres: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    networks: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
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

    @classmethod
    def visible_to(cls, _viewer: Viewer) -> Select[Self]:
        """All of them: the catalogue is the same for everybody."""
        return select(cls)


class Season(Model):
    """A season of a series; number 0 holds the specials."""

    __tablename__ = "seasons"
    __table_args__ = (
        Index("seasons_tvshow_id_season_number_key", "tvshow_id", "season_number", unique=True),
    )

    tvshow_id: Mapped[int] = mapped_column(ForeignKey(TVShow.id, ondelete="CASCADE"))
    season_number: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str]
    overview: Mapped[str | None]
    poster_path: Mapped[str | None]
    air_date: Mapped[date | None]
    episode_count: Mapped[int]
