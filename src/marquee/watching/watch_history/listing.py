"""What a user has watched to its end, by pages. One row for each film and for each series."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, cast, func, select, true

from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import Episode, TVShow
from marquee.watching.progress.models import Watch

SEEN = (Watch.user_id == bindparam("user_id"), Watch.watch_count > 0)
SEEN_FILMS = (*SEEN, Watch.movie_id.is_not(None))
SEEN_EPISODES = (*SEEN, Watch.episode_id.is_not(None))
RECENT = Watch.last_watched_at.desc().nulls_last()
FILM_ORDERS: Mapping[str, tuple[ColumnElement[Any], ...]] = MappingProxyType(
    {
        "recent": (RECENT, Watch.id.desc()),
        "plays": (Watch.watch_count.desc(), RECENT, Watch.id.desc()),
        "title": (Movie.sort_title.asc(), Watch.id.asc()),
    }
)
COUNTED_FILMS = select(Watch.id).where(*SEEN_FILMS)
COUNTED_SERIES = select(Watch.tvshow_id).where(*SEEN_EPISODES).distinct()
_marks: dict[str, ColumnElement[bool]] = {}


def mark_films(name: str, condition: ColumnElement[bool]) -> None:
    """Tell of each film that was watched whether a condition on its `Watch` holds: for domains
    above, before the first request.
    """
    _marks[name] = condition


@cache
def films(sort: str) -> dict[str, Any]:
    """The films that `user_id` has watched, as `web.paging.numbered` takes them: by `recent`,
    `plays` or `title`.
    """
    found = COUNTED_FILMS.order_by(*FILM_ORDERS[sort])
    if sort == "title":
        found = found.join(Movie, Movie.id == Watch.movie_id)
    return {"query": found, "counted": COUNTED_FILMS, "shown": _shown_films()}


@cache
def _shown_films() -> Select[*tuple[Any, ...]]:
    return (
        select(
            *(Watch.movie_id, Watch.watch_count, Watch.last_watched_at, Movie.title, Movie.year),
            *(Movie.genres, Movie.vote_average, Movie.overview, poster_url(Movie)),
            *(condition.label(name) for name, condition in _marks.items()),
        )
        .select_from(Watch)
        .join(Movie, Movie.id == Watch.movie_id)
    )


@cache
def series(sort: str) -> dict[str, Any]:
    """The series that `user_id` has watched episodes of, specials too, in the same orders."""
    by_show = (
        select(
            Watch.tvshow_id,
            func.count().label("episodes_watched"),
            cast(func.sum(Watch.watch_count), BigInteger).label("watch_count"),
            func.max(Watch.last_watched_at).label("last_watched_at"),
        )
        .where(*SEEN_EPISODES)
        .group_by(Watch.tvshow_id)
        .subquery("by_show")
    )
    recent = by_show.c.last_watched_at.desc().nulls_last()
    total = select(func.count()).where(Episode.tvshow_id == TVShow.id).scalar_subquery()
    # One by one: nobody can tell PostgreSQL how few series so many episodes are of.
    show = (
        select(
            *(TVShow.title, TVShow.year, TVShow.genres, TVShow.vote_average, TVShow.overview),
            *(TVShow.sort_title, poster_url(TVShow), total.label("total_episodes")),
        )
        .where(TVShow.id == by_show.c.tvshow_id)
        .limit(1)
        .lateral("show")
    )
    orders = {
        "recent": (recent, by_show.c.tvshow_id.desc()),
        "plays": (by_show.c.watch_count.desc(), recent, by_show.c.tvshow_id.desc()),
        "title": (show.c.sort_title.asc(), by_show.c.tvshow_id.asc()),
    }
    found = select(by_show, show).join(show, true()).order_by(*orders[sort])
    return {"query": found, "counted": COUNTED_SERIES}
