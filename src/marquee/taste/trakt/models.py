"""Whose account at Trakt is connected, and what Trakt has not been told yet."""

from datetime import datetime
from typing import Self

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import Model
from marquee.identity.users.models import User
from marquee.viewer import Viewer


class TraktAccount(Model):
    """A user's account at Trakt. Its tokens are encrypted (`marquee.sealing`) and never shown."""

    __tablename__ = "trakt_accounts"

    user_id: Mapped[int] = mapped_column(ForeignKey(User.id, ondelete="CASCADE"), unique=True)
    username: Mapped[str]
    """What the user is called at Trakt."""
    sealed_access_token: Mapped[str]
    sealed_refresh_token: Mapped[str]
    expires_at: Mapped[datetime]
    """When the access token ends."""
    turn_until: Mapped[datetime | None]
    """Until when somebody speaks to Trakt for it; nobody else does so before."""
    last_synced_at: Mapped[datetime | None] = mapped_column(index=True)
    connected_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @classmethod
    def visible_to(cls, viewer: Viewer) -> Select[Self]:
        """One's own."""
        return select(cls).where(cls.user_id == viewer.id)


class TraktChange(Model):
    """A title whose rating was made, changed or removed here since Trakt was told."""

    __tablename__ = "trakt_changes"
    __table_args__ = (
        CheckConstraint("num_nonnulls(movie_id, tvshow_id) = 1", name="one_title"),
        Index(
            "trakt_changes_account_movie_key",
            "account_id",
            "movie_id",
            unique=True,
            postgresql_where=text("movie_id IS NOT NULL"),
        ),
        Index(
            "trakt_changes_account_tvshow_key",
            "account_id",
            "tvshow_id",
            unique=True,
            postgresql_where=text("tvshow_id IS NOT NULL"),
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey(TraktAccount.id, ondelete="CASCADE"))
    movie_id: Mapped[int | None] = mapped_column(
        ForeignKey(Movie.id, ondelete="CASCADE"), index=True
    )
    tvshow_id: Mapped[int | None] = mapped_column(
        ForeignKey(TVShow.id, ondelete="CASCADE"), index=True
    )
    changed_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
