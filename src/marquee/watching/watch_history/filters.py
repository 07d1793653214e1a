"""What lists of the catalogue can be narrowed by that only watching knows."""

from sqlalchemy import ColumnElement, any_, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute

from marquee.catalogue.listing import Listing
from marquee.catalogue.movies.service import LISTING as MOVIES
from marquee.catalogue.tvshows.service import LISTING as TVSHOWS
from marquee.watching.progress.models import Watch
from marquee.watching.watch_history.models import WatchCount

Of = InstrumentedAttribute[int | None]


def add() -> None:
    """Add the filters `watch_status`, `min_watchers` and `max_watchers` to the lists."""
    _add(MOVIES, Watch.movie_id, Watch.movie_id, WatchCount.movie_id)
    _add(TVSHOWS, Watch.tvshow_id, Watch.episode_id, WatchCount.tvshow_id)


def _add(listing: Listing, watched: Of, item: Of, counted: Of) -> None:
    title = listing.model.id
    seen = Watch.user_id == bindparam("viewer_id"), Watch.watch_count > 0, item.is_not(None)
    # What one has watched is little: it is looked up first, and not for each title of the list.
    ids: ColumnElement[list[int]] = func.array(select(watched).where(*seen).scalar_subquery())
    mine = select(Watch.id).where(*seen, watched == title)
    listing.add_personal(
        "watch_status", {"watched": title == any_(ids), "unwatched": ~mine.exists()}
    )
    enough = WatchCount.watchers >= bindparam("min_watchers")
    listing.add("min_watchers", title.in_(select(counted).where(enough, counted.is_not(None))))
    more = WatchCount.watchers > bindparam("max_watchers")
    listing.add("max_watchers", ~select(WatchCount.id).where(counted == title, more).exists())
