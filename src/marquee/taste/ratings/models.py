"""One score of 0.0 to 10.0 for each user and title."""

from datetime import datetime
from typing import Self

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import Model
from marquee.identity.users.models import User
from marquee.identity.users.statistics import COUNTED_AS
from marquee.viewer import Viewer


class Rating(Model):
    """What a user thinks of a film or a series. `source` is manual or trakt."""

    __tablename__ = "ratings"
    __table_args__ = (
        CheckConstraint("num_nonnulls(movie_id, tvshow_id) = 1", name="one_title"),
        CheckConstraint("score BETWEEN 0 AND 10", name="score"),
        Index(
            "ratings_user_movie_key",
            "user_id",
            "movie_id",
            unique=True,
            postgresql_where=text("movie_id IS NOT NULL"),
        ),
        Index(
            "ratings_user_tvshow_key",
            "user_id",
            "tvshow_id",
            unique=True,
            postgresql_where=text("tvshow_id IS NOT NULL"),
        ),
        Index("ratings_user_idx", "user_id", "id"),
        Index("ratings_movie_idx", "movie_id", postgresql_where=text("movie_id IS NOT NULL")),
        Index("ratings_tvshow_idx", "tvshow_id", postgresql_where=text("tvshow_id IS NOT NULL")),
    )

    user_id: Mapped[int] = mapped_column(
        ForeignKey(User.id, ondelete="CASCADE"), info={COUNTED_AS: "ratings_count"}
    )
    movie_id: Mapped[int | None] = mapped_column(ForeignKey(Movie.id, ondelete="CASCADE"))
    tvshow_id: Mapped[int | None] = mapped_column(ForeignKey(TVShow.id, ondelete="CASCADE"))
    score: Mapped[float]
    source: Mapped[str] = mapped_column(server_default="manual")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.clock_timestamp()
    )

    @property
    def stars(self) -> float:
        """The score on the scale of 0 to 5, in half steps."""
        return round(self.score) / 2

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own."""
        return select(cls).where(cls.user_id == viewer.id)
