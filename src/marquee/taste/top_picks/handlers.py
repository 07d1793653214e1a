"""Handlers of openapi/taste/top_picks.yaml."""

from typing import Any, Unpack

from marquee.catalogue.translations.languages import Asked, wanted
from marquee.taste.top_picks import service
from marquee.viewer import Viewer


def list_top_pick_movies(user: Viewer, **asked: Unpack[Asked]) -> dict[str, Any]:
    listed = service.shown("movie", wanted(**asked))
    return {"movies": listed["items"], "rules": listed["rules"]}


def list_top_pick_series(user: Viewer, **asked: Unpack[Asked]) -> dict[str, Any]:
    listed = service.shown("tvshow", wanted(**asked))
    return {"series": listed["items"], "rules": listed["rules"]}
