"""Films. A list reads rows of `Movie.listed()`; a film's people stand in `people.models.Credit`."""

from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import Computed, Index, Select, SmallInteger, Text, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from marquee.db import Model
from marquee.viewer import Viewer


class Movie(Model):
    """A film. `search_title` is the title without accents and case, `sort_title` also without its
    article.

    Every order of `GET /movies` has its index, with the id to break ties.
    """

    __tablename__ = "movies"
    __table_args__ = (
        Index("movies_popularity_idx", text("popularity DESC"), text("id DESC")),
        Index("movies_sort_title_idx", "sort_title", "id"),
        Index("movies_year_idx", text("year DESC NULLS LAST"), text("id DESC")),
        Index("movies_year_asc_idx", "year", "id"),
        Index("movies_rating_asc_idx", "vote_average", "id"),
        Index("movies_added_idx", text("added_at DESC"), text("id DESC")),
        Index("movies_rating_idx", text("vote_average DESC NULLS LAST"), text("id DESC")),
        Index("movies_title_words_idx", "title_words", postgresql_using="gin"),
        Index("movies_genres_idx", "genres", postgresql_using="gin"),
    )

    tmdb_id: Mapped[int | None] = mapped_column(unique=True)
    imdb_id: Mapped[str | None] = mapped_column(unique=True)
    title: Mapped[str]
    original_title: Mapped[str | None]
    search_title: Mapped[str]
    sort_title: Mapped[str]
    title_words: Mapped[Any] = mapped_column(
        TSVECTOR, Computed("to_tsvector('simple', search_title)", persisted=True), deferred=True
    )
    year: Mapped[int | None] = mapped_column(SmallInteger)
    release_date: Mapped[date | None]
    runtime_minutes: Mapped[int | None]
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
    trailer_url: Mapped[str | None]
    vote_average: Mapped[float | None]
    vote_count: Mapped[int] = mapped_column(server_default="0")
    popularity: Mapped[float] = mapped_column(server_default="0")
    external_ratings: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    budget_usd: Mapped[int | None]
    revenue_usd: Mapped[int | None]
    attribution: Mapped[str | None]
    added_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    metadata_updated_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, _viewer: Viewer) -> "Select[Movie]":
        """All of them: the catalogue is the same for everybody."""
        return _all()


@cache
def _all() -> Select[Movie]:
    return select(Movie)
