"""Handlers of openapi/taste/taste_profiles.yaml."""

from typing import Any

from marquee.identity.users.service import account
from marquee.taste.taste_profiles import service
from marquee.taste.taste_profiles.kinds import MOVIE, TVSHOW
from marquee.viewer import Viewer
from marquee.web.answers import Stream


def get_movie_taste_profile(user: Viewer, user_id: int) -> dict[str, Any]:
    return service.of(account(user, user_id, permission="users:read"), MOVIE)


def regenerate_movie_taste_profile(user: Viewer, user_id: int) -> Stream:
    owner = account(user, user_id, permission="users:write")
    return Stream(service.regenerate(owner, MOVIE).events())


def get_series_taste_profile(user: Viewer, user_id: int) -> dict[str, Any]:
    return service.of(account(user, user_id, permission="users:read"), TVSHOW)


def regenerate_series_taste_profile(user: Viewer, user_id: int) -> Stream:
    owner = account(user, user_id, permission="users:write")
    return Stream(service.regenerate(owner, TVSHOW).events())
