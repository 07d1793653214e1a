"""What to go on with: films and series that were begun, and the next episode of a series.

Specials (season 0) are never next; one that was begun can be gone on with.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, case, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from marquee import clock
from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import Episode, TVShow
from marquee.db import find, rows, session
from marquee.errors import NotFound
from marquee.viewer import Viewer
from marquee.watching.progress.items import BEGUN, PERCENT, PROGRESS, begun
from marquee.watching.progress.models import Watch

MINE = Watch.user_id == bindparam("user_id")
IN_PROGRESS = and_(~Watch.is_completed, BEGUN)
ORDER = (Episode.season_number, Episode.episode_number)
FILMS: Select[Any] = (
    select(*PROGRESS, Movie.title, Movie.year, poster_url(Movie))
    .join(Movie, Movie.id == Watch.movie_id)
    .where(MINE, Watch.movie_id.is_not(None), IN_PROGRESS)
    .order_by(Watch.last_watched_at.desc().nulls_last(), Watch.id.desc())
    .limit(bindparam("limit"))
)


def _seen(episode: type[Episode]) -> ColumnElement[bool]:
    """Whether an episode is completed, or was and is opened again, but not begun."""
    watch = aliased(Watch)
    return (
        select(watch.id)
        .where(
            watch.user_id == bindparam("user_id"),
            watch.episode_id == episode.id,
            or_(watch.is_completed, and_(watch.watch_count > 0, ~begun(watch))),
        )
        .exists()
    )


NEXT = (
    select(Episode)
    .where(Episode.tvshow_id == bindparam("tvshow_id"), Episode.season_number > 0, ~_seen(Episode))
    .order_by(*ORDER)
    .limit(1)
)


def _series() -> Select[*tuple[Any, ...]]:
    """For each series what was watched last, and from there the episode to go on with."""
    counts = or_(Watch.is_completed, BEGUN)
    latest = (
        select(Watch.tvshow_id, func.max(Watch.last_watched_at).label("at"))
        .where(MINE, Watch.episode_id.is_not(None), counts)
        .group_by(Watch.tvshow_id)
        .order_by(func.max(Watch.last_watched_at).desc().nulls_last(), Watch.tvshow_id.desc())
        .subquery("latest")
    )
    # Of episodes that were marked at once, the last.
    current = (
        select(Watch.episode_id, Watch.is_completed, *ORDER)
        .join(Episode, Episode.id == Watch.episode_id)
        .where(
            MINE,
            Watch.tvshow_id == latest.c.tvshow_id,
            Watch.last_watched_at == latest.c.at,
            counts,
        )
        .order_by(*(each.desc() for each in ORDER))
        .limit(1)
        .lateral("current")
    )
    other = aliased(Episode, name="other")
    following = (
        select(other.id)
        .where(
            other.tvshow_id == latest.c.tvshow_id,
            other.season_number > 0,
            tuple_(other.season_number, other.episode_number)
            > tuple_(current.c.season_number, current.c.episode_number),
            or_(other.air_date.is_(None), other.air_date <= bindparam("today")),
            ~_seen(other),
        )
        .order_by(other.season_number, other.episode_number)
        .limit(1)
        .lateral("following")
    )
    chosen = case((current.c.is_completed, following.c.id), else_=current.c.episode_id)
    return (
        select(
            TVShow.id.label("tvshow_id"),
            TVShow.title,
            poster_url(TVShow),
            Episode.id.label("episode_id"),
            *ORDER,
            Episode.title.label("episode_title"),
            Episode.runtime_minutes,
            func.coalesce(Watch.progress_seconds, 0).label("progress_seconds"),
            Watch.duration_seconds,
            func.coalesce(PERCENT, 0.0).label("progress_percent"),
            latest.c.at.label("last_watched_at"),
        )
        .select_from(latest)
        .join(current, current.c.episode_id.is_not(None))
        .outerjoin(following, current.c.is_completed)
        .join(Episode, Episode.id == chosen)
        .join(TVShow, TVShow.id == latest.c.tvshow_id)
        .outerjoin(Watch, and_(MINE, Watch.episode_id == Episode.id))
        .order_by(latest.c.at.desc().nulls_last(), latest.c.tvshow_id.desc())
        .limit(bindparam("limit"))
    )


SERIES = _series()


def films(viewer: Viewer, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """The films that the viewer has begun and not completed, those of late first."""
    return rows(FILMS, {"user_id": viewer.id, "limit": limit})


def series(viewer: Viewer, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """The series that the viewer can go on with, those of late first: the episode that was watched
    last where it was begun, else the next one that has aired and is not completed.
    """
    today = clock.now().date()
    return rows(SERIES, {"user_id": viewer.id, "limit": limit, "today": today})


def next_episode(viewer: Viewer, tvshow_id: int) -> Episode:
    """The first episode that the viewer has not completed. Raises NotFound (TV_SHOW_NOT_FOUND, and
    EPISODE_NOT_FOUND where all are completed).
    """
    episode = session.scalar(NEXT, {"user_id": viewer.id, "tvshow_id": tvshow_id})
    if episode is None:
        title = find(TVShow.visible_to(viewer), tvshow_id).title
        raise NotFound(f"There is no further episode of {title}.", "EPISODE_NOT_FOUND")
    return episode
