"""Handlers of openapi/taste/ratings.yaml."""

from typing import Any

from marquee.catalogue.movies.service import named
from marquee.db import find
from marquee.taste.ratings import service
from marquee.taste.ratings.models import Rating
from marquee.viewer import Viewer
from marquee.web.conditions import require_version, version_tag

Answer = tuple[dict[str, Any], int, dict[str, str]]


def create_star_rating(user: Viewer, body: dict[str, Any]) -> Answer:
    rating = service.rate_movie(user, named(user, body), body["rating"])
    return _shown(rating), 201, {"ETag": version_tag(rating)}


def update_star_rating(user: Viewer, rating_id: int, body: dict[str, Any]) -> Answer:
    rating = find(
        Rating.visible_to(user).where(Rating.movie_id.is_not(None)).with_for_update(), rating_id
    )
    require_version(rating)
    service.change(rating, body["rating"])
    return _shown(rating), 200, {"ETag": version_tag(rating)}


def _shown(rating: Rating) -> dict[str, Any]:
    return {
        "id": rating.id,
        "movie_id": rating.movie_id,
        "rating": rating.stars,
        "created_at": rating.created_at,
        "updated_at": rating.updated_at,
    }
