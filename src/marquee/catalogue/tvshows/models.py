"""Series and their seasons."""

from datetime import date
from typing import Self

from sqlalchemy import ForeignKey, Index, Select, SmallInteger, Text, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from marquee.catalogue.titled import Titled
from marquee.db import Model
from marquee.viewer import Viewer


class TVShow(Titled, Model):
    """A series."""

    __tablename__ = "tvshows"
    __table_args__ = (
        Index("tvshows_popularity_idx", text("popularity DESC"), text("id DESC")),
        Index("tvshows_sort_title_idx", "sort_title", "id"),
        Index("tvshows_genres_idx", "genres", postgresql_using="gin"),
    )

    first_air_date: Mapped[date | None]
    last_air_date: Mapped[date | None]
    episode_runtime_minutes: Mapped[int | None]
    networks: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")

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
