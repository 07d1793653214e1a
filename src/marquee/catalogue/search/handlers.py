"""Handlers of openapi/catalogue/search.yaml."""

from typing import Any, Unpack

from marquee import job_runs
from marquee.catalogue.search import completing, everything, keeping, service, tasks
from marquee.catalogue.search.narrowing import MovieFilters, TVShowFilters
from marquee.viewer import Viewer

keeping.subscribe()


def search_everything(
    user: Viewer, q: str, page: int, page_size: int, kind: list[str] | None = None
) -> service.Page:
    return everything.search(q, page=page, page_size=page_size, kinds=kind)


def search_movies(
    user: Viewer,
    q: str,
    page: int,
    page_size: int,
    sort_by: str,
    facets: bool,  # noqa: FBT001 - by name
    **asked: Unpack[service.MovieSearch],
) -> service.Page:
    return service.search(
        "movie", q, asked, page=page, page_size=page_size, sort_by=sort_by, facets=facets
    )


def autocomplete_movies(user: Viewer, q: str, limit: int) -> dict[str, Any]:
    return {"suggestions": completing.complete("movie", q, limit)}


def get_movie_search_facets(
    user: Viewer, q: str | None = None, **filters: Unpack[MovieFilters]
) -> dict[str, Any]:
    return service.count("movie", q, filters)


def search_tvshows(
    user: Viewer,
    q: str,
    page: int,
    page_size: int,
    sort_by: str,
    facets: bool,  # noqa: FBT001 - by name
    **asked: Unpack[service.TVShowSearch],
) -> service.Page:
    return service.search(
        "tvshow", q, asked, page=page, page_size=page_size, sort_by=sort_by, facets=facets
    )


def autocomplete_tvshows(user: Viewer, q: str, limit: int) -> dict[str, Any]:
    return {"suggestions": completing.complete("tvshow", q, limit)}


def get_tvshow_search_facets(
    user: Viewer, q: str | None = None, **filters: Unpack[TVShowFilters]
) -> dict[str, Any]:
    return service.count("tvshow", q, filters)


def reindex_search(user: Viewer) -> tuple[dict[str, Any], int]:
    return job_runs.accepted(job_runs.start(tasks.NAME, user.id), f"{tasks.NAME} starts.")
