"""A few figures of what a user has watched."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    SQLColumnExpression,
    and_,
    bindparam,
    case,
    cast,
    func,
    select,
)

from marquee.catalogue.tvshows.models import Episode, TVShow
from marquee.db import as_dict, first, missing
from marquee.viewer import Viewer
from marquee.watching.progress.continuing import IN_PROGRESS
from marquee.watching.progress.items import EPISODES as EPISODE
from marquee.watching.progress.items import FILMS as FILM
from marquee.watching.progress.models import Watch
from marquee.watching.watch_history.listing import SEEN_EPISODES

MINE = Watch.user_id == bindparam("user_id")
SEEN = Watch.watch_count > 0
PERCENT = 100


def total(column: SQLColumnExpression[int], condition: ColumnElement[bool] | None = None) -> Any:  # noqa: ANN401 - a column
    """The sum as an integer, 0 of nothing."""
    summed = func.sum(column)
    narrowed = summed if condition is None else summed.filter(condition)
    return cast(func.coalesce(narrowed, 0), BigInteger)


LENGTH = func.coalesce(
    Watch.duration_seconds,
    case((Watch.movie_id.is_not(None), FILM.usual_seconds), else_=EPISODE.usual_seconds),
)
"""Of a film or an episode in seconds: as its player says, else as one usually is."""
EPISODE_MINUTES = func.coalesce(
    Episode.runtime_minutes, TVShow.episode_runtime_minutes, Watch.duration_seconds // 60, 0
)
FILMS = select(
    func.count().filter(SEEN).label("watched_count"),
    func.count().filter(IN_PROGRESS).label("in_progress_count"),
    total(Watch.watch_count).label("total_watches"),
).where(MINE, Watch.movie_id.is_not(None))
OF_SHOW = (
    select(
        func.count().label("total_episodes"),
        func.count().filter(SEEN).label("watched_episodes"),
        total(EPISODE_MINUTES).label("total_runtime_minutes"),
        total(EPISODE_MINUTES, SEEN).label("watched_runtime_minutes"),
        func.max(Watch.last_watched_at).filter(SEEN).label("last_watched_at"),
    )
    .select_from(TVShow)
    .join(Episode, and_(Episode.tvshow_id == TVShow.id, Episode.season_number > 0))
    .outerjoin(Watch, and_(MINE, Watch.tvshow_id == TVShow.id, Watch.episode_id == Episode.id))
    .where(TVShow.id == bindparam("tvshow_id"))
    .group_by(TVShow.id)
)
NOTHING = {
    "total_episodes": 0,
    "watched_episodes": 0,
    "total_runtime_minutes": 0,
    "watched_runtime_minutes": 0,
    "last_watched_at": None,
}
_by_show = (
    select(
        Watch.tvshow_id,
        func.count().label("episodes"),
        total(Watch.watch_count * LENGTH).label("seconds"),
    )
    .where(*SEEN_EPISODES)
    .group_by(Watch.tvshow_id)
    .subquery("by_show")
)
_of_show = Episode.tvshow_id == _by_show.c.tvshow_id
_regular = select(func.count()).where(_of_show, Episode.season_number > 0).scalar_subquery()
_specials = (
    select(func.count())
    .select_from(Episode)
    .join(Watch, and_(MINE, Watch.episode_id == Episode.id, SEEN))
    .where(_of_show, Episode.season_number == 0)
    .scalar_subquery()
)
SERIES = select(
    func.count().label("total_series"),
    total(_by_show.c.episodes).label("total_episodes_watched"),
    (total(_by_show.c.seconds) // 60).label("total_watch_time_minutes"),
    func.count().filter(_by_show.c.episodes - _specials >= _regular).label("completed_series"),
)


def of_films(viewer: Viewer) -> Any:  # noqa: ANN401 - a row
    """How many films the viewer has watched, has begun, and how often in all."""
    return first(FILMS, {"user_id": viewer.id})


def of_series(viewer: Viewer) -> dict[str, Any]:
    """How much of series the viewer has watched. One is completed when all its episodes but
    specials are.
    """
    found = first(SERIES, {"user_id": viewer.id})
    figures = as_dict(found) if found else {}
    current = figures["total_series"] - figures["completed_series"]
    return {"user_id": viewer.id, **figures, "current_series": current}


def of_show(viewer: Viewer, tvshow_id: int) -> dict[str, Any]:
    """How much of a series the viewer has watched, without specials. Raises NotFound."""
    found = first(OF_SHOW, {"user_id": viewer.id, "tvshow_id": tvshow_id})
    if found is None:
        if first(select(TVShow.id).where(TVShow.id == tvshow_id)) is None:
            raise missing(TVShow, tvshow_id)
        figures: dict[str, Any] = NOTHING
    else:
        figures = as_dict(found)
    episodes = figures["total_episodes"]
    percent = round(PERCENT * figures["watched_episodes"] / episodes, 1) if episodes else 0
    return {"tvshow_id": tvshow_id, **figures, "completion_percent": percent}
