"""Counting how many users have watched each title, where that has changed."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, BigInteger, any_, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import InstrumentedAttribute

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import session, transaction
from marquee.progress import Progress
from marquee.watching.progress.models import Watch
from marquee.watching.watch_history.models import OF_MOVIES, OF_TVSHOWS, WatchChange, WatchCount

BATCH = 20_000
WAITING = (
    select(WatchChange.id).order_by(WatchChange.id).limit(BATCH).with_for_update(skip_locked=True)
)
TAKE = (
    delete(WatchChange)
    .where(WatchChange.id.in_(WAITING))
    .returning(WatchChange.movie_id, WatchChange.tvshow_id)
)


def _count(
    model: type[Movie | TVShow],
    watched: InstrumentedAttribute[int | None],
    users: Any,  # noqa: ANN401 - a column
) -> Insert:
    """Count the users of the titles `ids` anew, of those that are still there."""
    # As the index has it that is read here.
    item = Watch.movie_id if model is Movie else Watch.episode_id
    watchers = select(func.count(users)).where(
        watched == model.id, item.is_not(None), Watch.watch_count > 0
    )
    found = (
        select(model.id, watchers.scalar_subquery())
        .where(model.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))
        .order_by(model.id)
        .with_for_update(key_share=True, read=True, of=model)
    )
    made = insert(WatchCount.metadata.tables["watch_counts"]).from_select(
        [watched.key, "watchers"], found
    )
    return made.on_conflict_do_update(
        index_elements=[watched.key],
        index_where=OF_MOVIES if model is Movie else OF_TVSHOWS,
        set_={"watchers": made.excluded.watchers},
    )


COUNT_FILMS = _count(Movie, Watch.movie_id, Watch.movie_id)
COUNT_SERIES = _count(TVShow, Watch.tvshow_id, Watch.user_id.distinct())


def count(progress: Progress) -> dict[str, int]:
    """Count the watchers of all titles that were watched, or unwatched, since the last time."""
    progress.plan(1)
    with transaction():
        waiting = session.scalars(select(func.count()).select_from(WatchChange)).one()
    progress.step("titles", waiting)
    titles = 0
    while True:
        with transaction():
            # What is counted now has seen all changes that are taken away here.
            taken = session.execute(TAKE).all()
            films = {row.movie_id for row in taken if row.movie_id}
            series = {row.tvshow_id for row in taken if row.tvshow_id}
            _counted(COUNT_FILMS, films)
            _counted(COUNT_SERIES, series)
        titles += len(films) + len(series)
        progress.advance(len(taken))
        if len(taken) < BATCH:
            return {"titles": titles}


def _counted(statement: Insert, ids: Collection[int]) -> None:
    if ids:
        session.execute(statement, {"ids": sorted(ids)})
