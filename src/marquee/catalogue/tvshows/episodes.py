"""Seasons and episodes: of a series, of a season, and of everything that is on these days."""

from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from marquee import clock
from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.tvshows.models import Episode, Season, TVShow
from marquee.db import rows

Statement = Select[*tuple[Any, ...]]
COLUMNS = tuple(Episode.__table__.columns)
ALONE = select(*COLUMNS)
"""All episodes."""
AIRED = Episode.air_date.between(bindparam("from_day"), bindparam("to_day"))
SEASONS = (
    select(*Season.__table__.columns)
    .where(Season.tvshow_id == bindparam("tvshow_id"))
    .order_by(Season.season_number)
)
"""The seasons of the series `tvshow_id`, that of the specials first."""
COUNTED = (
    select(
        Season.id,
        Season.season_number,
        select(func.count())
        .where(Episode.season_id == Season.id)
        .scalar_subquery()
        .label("episode_count"),
    )
    .where(Season.tvshow_id == bindparam("tvshow_id"))
    .order_by(Season.season_number)
)
WITH_SHOW = (
    select(
        *COLUMNS,
        TVShow.title.label("tvshow_title"),
        TVShow.poster_path.label("tvshow_poster_path"),
        poster_url(TVShow),
    )
    .select_from(Episode)
    .join(TVShow, TVShow.id == Episode.tvshow_id)
)
"""All episodes, each with its series."""


@cache
def of_show(*, one_season: bool) -> tuple[Statement, Statement]:
    """The ids of the episodes of the series `tvshow_id`, in their order and to be counted; of
    `season_number` alone where one season is asked for.
    """
    counted = select(Episode.id).where(Episode.tvshow_id == bindparam("tvshow_id"))
    if one_season:
        counted = counted.where(Episode.season_number == bindparam("season_number"))
    return counted.order_by(Episode.season_number, Episode.episode_number), counted


@cache
def of_season() -> tuple[Statement, Statement]:
    """The ids of the episodes of the season `season_id`, in their order and to be counted."""
    counted = select(Episode.id).where(Episode.season_id == bindparam("season_id"))
    return counted.order_by(Episode.episode_number), counted


@cache
def aired(*, descending: bool) -> tuple[Statement, Statement]:
    """The ids of the episodes that air from `from_day` to `to_day`, by that day and to be
    counted.
    """
    counted = select(Episode.id).where(AIRED)
    by = (Episode.air_date, Episode.id)
    return counted.order_by(*(each.desc() if descending else each for each in by)), counted


def by_season(show: TVShow) -> dict[str, Any]:
    """The seasons of a series with how many episodes of each the catalogue has, and how many of
    both there are.
    """
    seasons = rows(COUNTED, {"tvshow_id": show.id})
    return {
        "season_count": len(seasons),
        "total_episodes": sum(each.episode_count for each in seasons),
        "seasons": seasons,
    }


def last(days: int) -> dict[str, Any]:
    """The values of `aired` for the last so many days and today, in UTC."""
    today = clock.now().date()
    return {"from_day": today - timedelta(days=days), "to_day": today}


def coming(days: int) -> dict[str, Any]:
    """The same for today and so many days from now."""
    today = clock.now().date()
    return {"from_day": today, "to_day": today + timedelta(days=days)}
