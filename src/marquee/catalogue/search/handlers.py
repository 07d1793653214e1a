"""Handlers of openapi/catalogue/search.yaml."""

from dataclasses import replace
from typing import Any, Unpack

import orjson

from marquee import job_runs
from marquee.catalogue.search import completing, everything, keeping, service, tasks
from marquee.catalogue.search.index import reader
from marquee.catalogue.search.narrowing import MovieFilters, TVShowFilters
from marquee.catalogue.search.outside import keeping as outside_keeping
from marquee.catalogue.search.outside import serves
from marquee.viewer import Viewer
from marquee.web import kept
from marquee.web.answers import etag_of

keeping.subscribe(
    lambda engine: outside_keeping.Keeper(engine) if serves() else keeping.Keeper(engine)
)

Tagged = tuple[service.Page, int, dict[str, str]]

kept.add_stamp("search", lambda: None if serves() else reader.stamp())


def search_everything(
    user: Viewer, q: str, page: int, page_size: int, kind: list[str] | None = None
) -> Tagged:
    return _tagged(everything.search(q, page=page, page_size=page_size, kinds=kind))


def search_movies(
    user: Viewer,
    q: str,
    page: int,
    page_size: int,
    sort_by: str,
    facets: bool,  # noqa: FBT001 - by name
    **asked: Unpack[service.MovieSearch],
) -> Tagged:
    found = service.search(
        "movie", q, asked, page=page, page_size=page_size, sort_by=sort_by, facets=facets
    )
    return _tagged(found)


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
) -> Tagged:
    found = service.search(
        "tvshow", q, asked, page=page, page_size=page_size, sort_by=sort_by, facets=facets
    )
    return _tagged(found)


def autocomplete_tvshows(user: Viewer, q: str, limit: int) -> dict[str, Any]:
    return {"suggestions": completing.complete("tvshow", q, limit)}


def get_tvshow_search_facets(
    user: Viewer, q: str | None = None, **filters: Unpack[TVShowFilters]
) -> dict[str, Any]:
    return service.count("tvshow", q, filters)


def reindex_search(user: Viewer) -> tuple[dict[str, Any], int]:
    return job_runs.accepted(job_runs.start(tasks.NAME, user.id), f"{tasks.NAME} starts.")


def _tagged(found: service.Page) -> Tagged:
    # Weak: what is found again is the same, though it took another time.
    same = orjson.dumps(replace(found, search_time_ms=0), default=str)
    return found, 200, {"ETag": f"W/{etag_of(same).decode()}"}
