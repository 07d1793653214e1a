"""How many users have watched each title."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import Model

OF_MOVIES, OF_TVSHOWS = text("movie_id IS NOT NULL"), text("tvshow_id IS NOT NULL")


class WatchCount(Model):
    """How many users have watched a film to its end, or an episode of a series.

    The job `count-watchers` writes it. A title without a row has none.
    """

    __tablename__ = "watch_counts"
    __table_args__ = (
        CheckConstraint("num_nonnulls(movie_id, tvshow_id) = 1", name="one_title"),
        Index("watch_counts_movie_key", "movie_id", unique=True, postgresql_where=OF_MOVIES),
        Index("watch_counts_tvshow_key", "tvshow_id", unique=True, postgresql_where=OF_TVSHOWS),
        Index(
            "watch_counts_movie_watchers_idx", "watchers", "movie_id", postgresql_where=OF_MOVIES
        ),
        Index(
            "watch_counts_tvshow_watchers_idx", "watchers", "tvshow_id", postgresql_where=OF_TVSHOWS
        ),
    )

    movie_id: Mapped[int | None] = mapped_column(ForeignKey(Movie.id, ondelete="CASCADE"))
    tvshow_id: Mapped[int | None] = mapped_column(ForeignKey(TVShow.id, ondelete="CASCADE"))
    watchers: Mapped[int]


class WatchChange(Model):
    """A title that somebody has watched, or not any more, since its watchers were counted.

    Triggers on `watches` add it, whatever writes there. The title may be gone by now.
    """

    __tablename__ = "watch_changes"

    movie_id: Mapped[int | None]
    tvshow_id: Mapped[int | None]
