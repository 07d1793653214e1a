"""Handlers of openapi/watching/watch_history.yaml."""

from typing import Any

from sqlalchemy import Row

from marquee.identity.users.service import account
from marquee.viewer import Viewer
from marquee.watching.watch_history import figures, filters, listing, statistics, unwatching
from marquee.web.paging import NumberedPage, numbered

Answer = dict[str, Any]

filters.add()


def list_user_movie_watch_history(
    user: Viewer, user_id: int, page: int, page_size: int, sort: str
) -> NumberedPage:
    values = {"user_id": account(user, user_id, permission="users:read").id}
    return numbered(**listing.films(sort), values=values, page=page, page_size=page_size)


def list_user_series_watch_history(
    user: Viewer, user_id: int, page: int, page_size: int, sort: str
) -> NumberedPage:
    values = {"user_id": account(user, user_id, permission="users:read").id}
    return numbered(**listing.series(sort), values=values, page=page, page_size=page_size)


def get_user_watch_stats(user: Viewer, user_id: int, timezone: str | None = None) -> Answer:
    return statistics.of(account(user, user_id, permission="users:read"), timezone)


def unwatch_movie(user: Viewer, user_id: int, movie_id: int) -> Answer:
    return unwatching.film(user, user_id, movie_id)


def unwatch_episode(user: Viewer, user_id: int, episode_id: int) -> Answer:
    return unwatching.episode(user, user_id, episode_id)


def unwatch_season(user: Viewer, user_id: int, tvshow_id: int, season_number: int) -> Answer:
    return unwatching.season(user, user_id, tvshow_id, season_number)


def unwatch_series(user: Viewer, user_id: int, tvshow_id: int) -> Answer:
    return unwatching.series(user, user_id, tvshow_id)


def list_my_movie_watch_history(user: Viewer, page: int, page_size: int, sort: str) -> NumberedPage:
    values = {"user_id": user.id}
    return numbered(**listing.films(sort), values=values, page=page, page_size=page_size)


def get_my_movie_stats(user: Viewer) -> Row[*tuple[Any, ...]]:
    found: Row[*tuple[Any, ...]] = figures.of_films(user)
    return found


def get_my_tvshow_stats(user: Viewer) -> Answer:
    return figures.of_series(user)


def get_tvshow_watch_stats(user: Viewer, tvshow_id: int) -> Answer:
    return figures.of_show(user, tvshow_id)
