"""Handlers of openapi/taste/ratings.yaml."""

from typing import Any

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.service import named
from marquee.catalogue.tvshows.models import TVShow
from marquee.db import as_dict, find
from marquee.taste.ratings import scores, service
from marquee.taste.ratings.models import Rating
from marquee.viewer import Viewer
from marquee.web.conditions import require_version, version_tag
from marquee.web.paging import by_cursor

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


def list_ratings(
    user: Viewer, limit: int, kind: str | None = None, cursor: str | None = None
) -> dict[str, Any]:
    query, values, name = scores.listed(kind), {"user_id": user.id}, f"ratings:{user.id}:{kind}"
    page = by_cursor(
        query, values, key=scores.KEY, name=name, descending=True, limit=limit, cursor=cursor
    )
    counts = scores.counts(user)
    return {
        "items": page.items,
        "next_cursor": page.next_cursor,
        "movies_count": counts.movies,
        "tvshows_count": counts.tvshows,
    }


def get_movie_rating(user: Viewer, movie_id: int) -> Answer:
    return _rating(user, find(Movie.visible_to(user), movie_id))


def rate_movie(user: Viewer, movie_id: int, body: dict[str, Any]) -> Answer:
    return _rated(user, find(Movie.visible_to(user), movie_id), body["rating"])


def delete_movie_rating(user: Viewer, movie_id: int) -> None:
    rating = scores.stored(user, Rating.movie_id, movie_id)
    require_version(rating)
    service.remove(rating)


def get_series_rating(user: Viewer, tvshow_id: int) -> Answer:
    return _rating(user, find(TVShow.visible_to(user), tvshow_id))


def rate_series(user: Viewer, tvshow_id: int, body: dict[str, Any]) -> Answer:
    return _rated(user, find(TVShow.visible_to(user), tvshow_id), body["rating"])


def delete_series_rating(user: Viewer, tvshow_id: int) -> None:
    rating = scores.stored(user, Rating.tvshow_id, tvshow_id)
    require_version(rating)
    service.remove(rating)


def _rating(user: Viewer, title: scores.Title) -> Answer:
    rating = scores.of(user, title)
    if rating is None:
        return dict.fromkeys(("rating", "source", "created_at", "updated_at")), 200, {}
    return as_dict(rating), 200, {"ETag": version_tag(rating)}


def _rated(user: Viewer, title: scores.Title, score: float) -> Answer:
    rating, is_new = scores.rate(user, title, score)
    shown = as_dict(rating)
    return shown, 201 if is_new else 200, {"ETag": version_tag(rating)}


def _shown(rating: Rating) -> dict[str, Any]:
    return {
        "id": rating.id,
        "movie_id": rating.movie_id,
        "rating": rating.stars,
        "created_at": rating.created_at,
        "updated_at": rating.updated_at,
    }
