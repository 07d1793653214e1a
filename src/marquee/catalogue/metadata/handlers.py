"""Handlers of openapi/catalogue/metadata.yaml."""

from typing import Any

from marquee.catalogue.metadata import others, service
from marquee.catalogue.movies.sources import Listing
from marquee.viewer import Viewer


def search_metadata_movies(
    user: Viewer, query: str, page: int, language: str, provider: str, year: int | None = None
) -> Listing:
    return service.search_movies(query, page, year, language, provider)


def search_metadata_tvshows(
    user: Viewer, query: str, page: int, language: str, provider: str, year: int | None = None
) -> Listing:
    return service.search_tvshows(query, page, year, language, provider)


def get_metadata_movie(user: Viewer, tmdb_id: int, language: str) -> dict[str, Any]:
    return service.movie(tmdb_id, language)


def get_metadata_tvshow(user: Viewer, tmdb_id: int, language: str) -> dict[str, Any]:
    return service.tvshow(tmdb_id, language)


def get_metadata_season(user: Viewer, tmdb_id: int, season_number: int) -> dict[str, Any]:
    return service.season(tmdb_id, season_number)


def get_metadata_episode(
    user: Viewer, tmdb_id: int, season_number: int, episode_number: int
) -> dict[str, Any]:
    return service.episode(tmdb_id, season_number, episode_number)


def get_metadata_collection(user: Viewer, tmdb_id: int) -> dict[str, Any]:
    return others.collection(tmdb_id)


def get_metadata_person(user: Viewer, tmdb_id: int) -> dict[str, Any]:
    return others.person(tmdb_id)
