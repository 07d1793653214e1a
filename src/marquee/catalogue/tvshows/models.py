"""Series, their seasons and their episodes."""

from datetime import date, datetime
from functools import cache
from typing import Any, Self

from sqlalchemy import Computed, ForeignKey, Index, Select, SmallInteger, Text, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
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
        Index("tvshows_year_idx", text("year DESC NULLS LAST"), text("id DESC")),
        Index("tvshows_year_asc_idx", "year", "id"),
        Index("tvshows_rating_idx", text("vote_average DESC NULLS LAST"), text("id DESC")),
        Index("tvshows_rating_asc_idx", "vote_average", "id"),
        Index("tvshows_added_idx", text("added_at DESC"), text("id DESC")),
        Index("tvshows_aired_idx", text("first_air_date DESC NULLS LAST"), text("id DESC")),
        Index("tvshows_aired_asc_idx", "first_air_date", "id"),
        Index("tvshows_seasons_idx", text("total_seasons DESC"), text("id DESC")),
        Index("tvshows_rt_score_idx", text("rt_score DESC NULLS LAST"), text("id DESC")),
        Index("tvshows_rt_score_asc_idx", "rt_score", "id"),
        Index("tvshows_metacritic_idx", text("metacritic_score DESC NULLS LAST"), text("id DESC")),
        Index("tvshows_metacritic_asc_idx", "metacritic_score", "id"),
        Index("tvshows_title_words_idx", "title_words", postgresql_using="gin"),
        Index("tvshows_genres_idx", "genres", postgresql_using="gin"),
        Index("tvshows_networks_idx", "networks", postgresql_using="gin"),
    )

    title_words: Mapped[Any] = mapped_column(
        TSVECTOR, Computed("to_tsvector('simple', search_title)", persisted=True), deferred=True
    )
    tvdb_id: Mapped[int | None] = mapped_column(unique=True)
    show_type: Mapped[str | None]
    """`scripted`, `miniseries`, `documentary`, `reality`, `talk show`, `news`, `video`."""
    first_air_date: Mapped[date | None]
    last_air_date: Mapped[date | None]
    episode_runtime_minutes: Mapped[int | None]
    networks: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    air_days: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    """Days of the week in English."""
    total_seasons: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """Without that of the specials. A trigger on `seasons` counts."""
    total_episodes: Mapped[int] = mapped_column(server_default="0")
    """What the seasons say, without specials."""

    @classmethod
    def visible_to(cls, _viewer: Viewer) -> Select[Self]:
        """All of them: the catalogue is the same for everybody."""
        query: Select[Self] = _all(cls)
        return query


class Season(Model):
    """A season of a series; number 0 holds the specials."""

    __tablename__ = "seasons"
    __table_args__ = (
        Index("seasons_tvshow_id_season_number_key", "tvshow_id", "season_number", unique=True),
    )

    tvshow_id: Mapped[int] = mapped_column(ForeignKey(TVShow.id, ondelete="CASCADE"))
    tmdb_id: Mapped[int | None]
    season_number: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str]
    overview: Mapped[str | None]
    poster_path: Mapped[str | None]
    air_date: Mapped[date | None]
    episode_count: Mapped[int]
    """What the source says; rows of episodes may be fewer."""
    vote_average: Mapped[float | None]

    @classmethod
    def visible_to(cls, _viewer: Viewer) -> Select[Self]:
        """All of them: the catalogue is the same for everybody."""
        query: Select[Self] = _all(cls)
        return query


class Episode(Model):
    """An episode. `tvshow_id` and `season_number` are those of its season, which never change."""

    __tablename__ = "episodes"
    __table_args__ = (
        Index(
            "episodes_tvshow_id_season_number_episode_number_key",
            "tvshow_id",
            "season_number",
            "episode_number",
            unique=True,
            postgresql_include=["id"],
        ),
        Index("episodes_season_idx", "season_id", "episode_number", postgresql_include=["id"]),
        Index("episodes_air_date_idx", "air_date", "id"),
        Index("episodes_added_idx", "added_at", "id"),
    )

    tvshow_id: Mapped[int] = mapped_column(ForeignKey(TVShow.id, ondelete="CASCADE"))
    season_id: Mapped[int] = mapped_column(ForeignKey(Season.id, ondelete="CASCADE"))
    season_number: Mapped[int] = mapped_column(SmallInteger)
    episode_number: Mapped[int] = mapped_column(SmallInteger)
    tmdb_id: Mapped[int | None] = mapped_column(unique=True)
    tvdb_id: Mapped[int | None]
    imdb_id: Mapped[str | None]
    title: Mapped[str]
    overview: Mapped[str | None]
    air_date: Mapped[date | None]
    runtime_minutes: Mapped[int | None]
    vote_average: Mapped[float | None]
    vote_count: Mapped[int] = mapped_column(server_default="0")
    still_path: Mapped[str | None]
    production_code: Mapped[str | None]
    added_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    @classmethod
    def visible_to(cls, _viewer: Viewer) -> Select[Self]:
        """All of them: the catalogue is the same for everybody."""
        query: Select[Self] = _all(cls)
        return query


@cache
def _all(model: type[Model]) -> Any:  # noqa: ANN401 - a cache forgets which
    return select(model)
