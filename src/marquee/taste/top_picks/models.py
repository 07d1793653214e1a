"""The two lists of top picks, and what is on them. The job `refresh-top-picks` writes them."""

from datetime import datetime
from typing import Self

from sqlalchemy import CheckConstraint, ForeignKey, Index, Select, func, select
from sqlalchemy.orm import Mapped, mapped_column

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import Model
from marquee.viewer import Viewer


class TopPickList(Model):
    """How a list is made: that of films or that of series. There are these two rows."""

    __tablename__ = "top_pick_lists"
    __table_args__ = (CheckConstraint("kind IN ('movie', 'tvshow')", name="kind"),)

    kind: Mapped[str] = mapped_column(unique=True)
    window_days: Mapped[int] = mapped_column(server_default="30")
    """How far back it looks."""
    min_unique_viewers: Mapped[int] = mapped_column(server_default="2")
    """How many users must have watched a title."""
    count: Mapped[int] = mapped_column(server_default="10")
    """How many titles it has at the most."""
    viewers_weight: Mapped[float] = mapped_column(server_default="0.5")
    plays_weight: Mapped[float] = mapped_column(server_default="0.3")
    completion_weight: Mapped[float] = mapped_column(server_default="0.2")
    refreshed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.clock_timestamp()
    )

    @classmethod
    def visible_to(cls, _viewer: Viewer) -> Select[Self]:
        """Both: they say nothing of anybody."""
        return select(cls)


class TopPick(Model):
    """A title on a list. Of its viewers only the number is known."""

    __tablename__ = "top_picks"
    __table_args__ = (
        CheckConstraint("num_nonnulls(movie_id, tvshow_id) = 1", name="one_title"),
        Index("top_picks_list_id_rank_key", "list_id", "rank", unique=True),
    )

    list_id: Mapped[int] = mapped_column(ForeignKey(TopPickList.id, ondelete="CASCADE"))
    rank: Mapped[int]
    """From 1; there is a gap where a title has gone since."""
    movie_id: Mapped[int | None] = mapped_column(
        ForeignKey(Movie.id, ondelete="CASCADE"), index=True
    )
    tvshow_id: Mapped[int | None] = mapped_column(
        ForeignKey(TVShow.id, ondelete="CASCADE"), index=True
    )
    unique_viewers: Mapped[int]
    plays: Mapped[int]
    """Of a film, how often its viewers have watched it to the end; of a series, how many of its
    episodes they have, each counted for each viewer."""
    completion: Mapped[float]
    """How much of it a viewer has watched on average, 0 to 1."""
    score: Mapped[float]

    @classmethod
    def visible_to(cls, _viewer: Viewer) -> Select[Self]:
        """All: they say nothing of anybody."""
        return select(cls)
