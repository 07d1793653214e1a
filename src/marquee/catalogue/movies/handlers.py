"""Handlers of openapi/catalogue/movies.yaml."""

from typing import Any, Unpack

from marquee.catalogue.movies import service
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.sources import Listing, source
from marquee.db import find
from marquee.viewer import Viewer
from marquee.web.paging import NumberedPage, numbered


def list_movies(
    user: Viewer,
    page: int,
    page_size: int,
    sort: str,
    order: str,
    **filters: Unpack[service.Filters],
) -> NumberedPage:
    query, counted, values = service.listed(sort, order, **filters)
    return numbered(query, values, counted=counted, page=page, page_size=page_size)


def list_popular_movies(page: int) -> Listing:
    return source().popular(page)


def get_movie(user: Viewer, movie_id: int) -> dict[str, Any]:
    return service.credited(find(Movie.visible_to(user), movie_id))
