"""The one store of watching."""

from datetime import datetime
from typing import Self

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, false, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import Episode, TVShow
from marquee.db import Model
from marquee.identity.users.models import User
from marquee.identity.users.statistics import COUNTED_AS, COUNTED_IF
from marquee.viewer import Viewer

OF_MOVIES, OF_EPISODES = text("movie_id IS NOT NULL"), text("episode_id IS NOT NULL")
SEEN_MOVIES = text("movie_id IS NOT NULL AND watch_count > 0")
SEEN_EPISODES = text("episode_id IS NOT NULL AND watch_count > 0")
SAID = text("movie_id IS NOT NULL AND (watch_count > 0 OR remark IS NOT NULL)")
LATEST_FIRST = (text("last_watched_at DESC NULLS LAST"), text("id DESC"))


class Watch(Model):
    """How far a user is in one film or one episode, and how often it was watched to its end."""

    __tablename__ = "watches"
    __table_args__ = (
        CheckConstraint("num_nonnulls(movie_id, episode_id) = 1", name="one_item"),
        CheckConstraint("(episode_id IS NULL) = (tvshow_id IS NULL)", name="tvshow"),
        Index(
            "watches_user_movie_key", "user_id", "movie_id", unique=True, postgresql_where=OF_MOVIES
        ),
        Index(
            "watches_user_episode_key",
            "user_id",
            "episode_id",
            unique=True,
            postgresql_where=OF_EPISODES,
        ),
        Index("watches_user_movies_idx", "user_id", *LATEST_FIRST, postgresql_where=OF_MOVIES),
        Index("watches_user_episodes_idx", "user_id", *LATEST_FIRST, postgresql_where=OF_EPISODES),
        Index("watches_user_said_idx", "user_id", "id", postgresql_where=SAID),
        # Also of films: it finds all that a user has.
        Index("watches_user_tvshow_idx", "user_id", "tvshow_id"),
        Index("watches_movie_idx", "movie_id", "last_watched_at", postgresql_where=OF_MOVIES),
        Index("watches_tvshow_idx", "tvshow_id", "last_watched_at", postgresql_where=OF_EPISODES),
        Index("watches_episode_idx", "episode_id", postgresql_where=OF_EPISODES),
        Index("watches_movie_seen_idx", "movie_id", postgresql_where=SEEN_MOVIES),
        Index("watches_tvshow_seen_idx", "tvshow_id", "user_id", postgresql_where=SEEN_EPISODES),
    )

    user_id: Mapped[int] = mapped_column(
        ForeignKey(User.id, ondelete="CASCADE"),
        info={COUNTED_AS: "watched_count", COUNTED_IF: text("watch_count > 0")},
    )
    movie_id: Mapped[int | None] = mapped_column(ForeignKey(Movie.id, ondelete="CASCADE"))
    episode_id: Mapped[int | None] = mapped_column(ForeignKey(Episode.id, ondelete="CASCADE"))
    tvshow_id: Mapped[int | None] = mapped_column(ForeignKey(TVShow.id, ondelete="CASCADE"))
    """That of the episode."""
    progress_seconds: Mapped[int] = mapped_column(server_default="0")
    duration_seconds: Mapped[int | None]
    """As the player says it; None where there is no position."""
    is_completed: Mapped[bool] = mapped_column(server_default=false())
    """Past nine tenths of it, or marked as watched; False again while it is watched once more."""
    watch_count: Mapped[int] = mapped_column(server_default="0")
    """How often it has become completed. What was never so is not watched, only begun."""
    counted_at: Mapped[datetime | None]
    """When it was counted last; soon after that it is not counted again."""
    last_watched_at: Mapped[datetime | None]
    """When the player was where `progress_seconds` says: the latest position wins."""
    remark: Mapped[str | None]
    """What the user said of it beside a rating: `not_seen`, `liked`, `not_interested` or
    `wrong_mood`."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.clock_timestamp()
    )

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own."""
        return select(cls).where(cls.user_id == viewer.id)
