"""Handlers of openapi/catalogue/movies.yaml."""

from typing import Any, Unpack

from marquee.catalogue.collections.models import Collection
from marquee.catalogue.embeddings.kinds import Source
from marquee.catalogue.files.models import MediaFile
from marquee.catalogue.files.service import files_of
from marquee.catalogue.genres.service import genres_with
from marquee.catalogue.metadata import extras, refreshing
from marquee.catalogue.movies import details, service
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.sources import Listing, source
from marquee.catalogue.people.credits import credits_of
from marquee.catalogue.people.models import Credit
from marquee.catalogue.translations.languages import Asked, wanted
from marquee.db import Rows, find
from marquee.job_runs import accepted
from marquee.viewer import Viewer
from marquee.web.paging import NumberedPage, numbered


def list_movies(
    user: Viewer,
    page: int,
    page_size: int,
    sort: str,
    order: str,
    **asked: Unpack[service.Filters],
) -> NumberedPage:
    listed = service.listed(sort, order, user.id, **asked)
    return numbered(**listed, page=page, page_size=page_size)


def list_popular_movies(page: int) -> Listing:
    return source().popular(page)


def search_movies_by_title(
    user: Viewer, query: str, page: int, page_size: int, **asked: Unpack[Asked]
) -> NumberedPage:
    return numbered(**service.LISTING.matching(query, **asked), page=page, page_size=page_size)


def list_recently_added_movies(
    user: Viewer, page: int, page_size: int, **asked: Unpack[Asked]
) -> NumberedPage:
    return numbered(**service.listed("added", "desc", **asked), page=page, page_size=page_size)


def list_top_rated_movies(
    user: Viewer, page: int, page_size: int, min_votes: int, **asked: Unpack[Asked]
) -> NumberedPage:
    listed = service.listed("rating", "desc", min_votes=min_votes, **asked)
    return numbered(**listed, page=page, page_size=page_size)


def get_movie(user: Viewer, movie_id: int, **asked: Unpack[Asked]) -> dict[str, Any]:
    return details.detailed(user, movie_id, wanted(**asked))


def list_movie_cast(user: Viewer, movie_id: int, page: int, page_size: int) -> NumberedPage:
    movie = find(Movie.visible_to(user), movie_id)
    listed = credits_of(Credit.movie_id, movie.id, "cast")
    return numbered(**listed, page=page, page_size=page_size)


def list_movie_crew(user: Viewer, movie_id: int, page: int, page_size: int) -> NumberedPage:
    movie = find(Movie.visible_to(user), movie_id)
    listed = credits_of(Credit.movie_id, movie.id, "crew")
    return numbered(**listed, page=page, page_size=page_size)


def list_movie_files(user: Viewer, movie_id: int) -> dict[str, Rows]:
    movie = find(Movie.visible_to(user), movie_id)
    return {"files": files_of(user, MediaFile.movie_id, movie.id)}


def list_movie_genres(user: Viewer) -> dict[str, Rows]:
    return {"genres": genres_with("movie")}


def list_genres_of_movie(user: Viewer, movie_id: int) -> dict[str, Rows]:
    return {"genres": details.genres(find(Movie.visible_to(user), movie_id))}


def get_movie_collection(user: Viewer, movie_id: int) -> Collection:
    return details.collection(user, find(Movie.visible_to(user), movie_id))


def list_movie_images(user: Viewer, movie_id: int, image_type: str | None = None) -> extras.Answer:
    return extras.images(user, Movie, movie_id, image_type)


def get_movie_external_ids(user: Viewer, movie_id: int) -> extras.Answer:
    return extras.external_ids(user, Movie, movie_id)


def list_movie_watch_providers(
    user: Viewer, movie_id: int, country: str | None = None
) -> extras.Answer:
    return extras.watch_providers(user, Movie, movie_id, country)


def refresh_movie_metadata(user: Viewer, movie_id: int) -> tuple[dict[str, Any], int]:
    title = find(Movie.visible_to(user), movie_id)
    run = refreshing.start(user, movie_id=title.id)
    return accepted(run, f"{title.title[:150]} is brought up to date.")


def list_similar_movies(user: Viewer, movie_id: int, limit: int, source: Source) -> dict[str, Any]:
    from marquee.catalogue.embeddings.similar import similar_to  # noqa: PLC0415 - NumPy's 12 MB

    return similar_to(find(Movie.visible_to(user), movie_id), limit, source)
