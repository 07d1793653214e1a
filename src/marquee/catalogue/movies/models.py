"""Films. Their people stand in `people.models.Credit`."""

from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Computed, ForeignKey, Index, Select, select, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from marquee.catalogue.collections.models import Collection
from marquee.catalogue.titled import Titled
from marquee.db import Model
from marquee.viewer import Viewer


class Movie(Titled, Model):
    """A film.

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
        Index("movies_release_date_idx", text("release_date DESC NULLS LAST"), text("id DESC")),
        Index("movies_release_date_asc_idx", "release_date", "id"),
        Index("movies_runtime_idx", text("runtime_minutes DESC NULLS LAST"), text("id DESC")),
        Index("movies_runtime_asc_idx", "runtime_minutes", "id"),
        Index("movies_rt_score_idx", text("rt_score DESC NULLS LAST"), text("id DESC")),
        Index("movies_rt_score_asc_idx", "rt_score", "id"),
        Index("movies_metacritic_idx", text("metacritic_score DESC NULLS LAST"), text("id DESC")),
        Index("movies_metacritic_asc_idx", "metacritic_score", "id"),
        Index("movies_title_words_idx", "title_words", postgresql_using="gin"),
        Index("movies_genres_idx", "genres", postgresql_using="gin"),
    )

    title_words: Mapped[Any] = mapped_column(
        TSVECTOR, Computed("to_tsvector('simple', search_title)", persisted=True), deferred=True
    )
    release_date: Mapped[date | None]
    runtime_minutes: Mapped[int | None]
    collection_id: Mapped[int | None] = mapped_column(
        ForeignKey(Collection.id, ondelete="SET NULL"), index=True
    )
    budget_usd: Mapped[int | None]
    revenue_usd: Mapped[int | None]

    @classmethod
    def visible_to(cls, _viewer: Viewer) -> "Select[Movie]":
        """All of them: the catalogue is the same for everybody."""
        return _all()


@cache
def _all() -> Select[Movie]:
    return select(Movie)
