"""Rules about films."""

from typing import Any, Literal, Unpack

from sqlalchemy import bindparam, exists

from marquee.catalogue.files.models import MediaFile
from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.listing import Listed, Listing
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.sources import source
from marquee.catalogue.translations.languages import Asked
from marquee.db import find, missing, session
from marquee.viewer import Viewer

INTERNAL = ("search_title", "sort_title", "title_words", "images", "external_ids")
DETAILS = tuple(each for each in Movie.__table__.columns if each.key not in INTERNAL)
ONLY_IN_DETAILS = (
    *("attribution", "metadata_updated_at", "homepage", "keywords", "studios", "collection_id"),
    *("languages", "countries", "external_ratings", "metacritic_score", "watch_providers"),
    *("budget_usd", "revenue_usd"),
)
POSTER_URL = poster_url(Movie)
HAS_FILE = exists().where(MediaFile.movie_id == Movie.id)
DURATIONS = {"under-90": (1, 89), "90-120": (90, 120), "over-120": (121, 100_000)}
LISTING = Listing(
    Movie,
    (*(each for each in DETAILS if each.key not in ONLY_IN_DETAILS), POSTER_URL),
    {
        "duration": Movie.runtime_minutes.between(bindparam("shortest"), bindparam("longest")),
        "min_runtime": Movie.runtime_minutes >= bindparam("min_runtime"),
        "max_runtime": Movie.runtime_minutes <= bindparam("max_runtime"),
        "collection_id": Movie.collection_id == bindparam("collection_id"),
        "has_file": HAS_FILE,
        "resolution": HAS_FILE.where(
            MediaFile.resolution.in_(bindparam("resolution", expanding=True))
        ),
    },
    {
        "popularity": Movie.popularity,
        "title": Movie.sort_title,
        "year": Movie.year,
        "release_date": Movie.release_date,
        "rating": Movie.vote_average,
        "rt_score": Movie.rt_score,
        "metacritic": Movie.metacritic_score,
        "runtime": Movie.runtime_minutes,
        "added": Movie.added_at,
    },
)


class Filters(Asked, total=False):
    """What `GET /movies` can be narrowed by, and the language of the answer."""

    query: str
    year_from: int
    year_to: int
    duration: Literal["under-90", "90-120", "over-120"]
    min_runtime: int
    max_runtime: int
    min_score: float
    min_rt_score: int
    min_metacritic: int
    has_awards: bool
    age_rating: list[str]
    genre: list[str]
    country: list[str]
    collection_id: int
    has_file: bool
    resolution: list[str]
    min_votes: int
    watch_status: Literal["any", "watched", "unwatched"]
    min_watchers: int
    max_watchers: int


def named(viewer: Viewer, body: dict[str, Any]) -> Movie:
    """The film that a body names, by `movie_id` or `tmdb_id`. Raises NotFound.

    A film that the catalogue lacks is fetched from TMDB and imported.
    """
    if "movie_id" in body:
        return find(Movie.visible_to(viewer), body["movie_id"])
    tmdb_id = body["tmdb_id"]
    movie = session.scalar(
        Movie.visible_to(viewer).where(Movie.tmdb_id == tmdb_id)
    ) or source().movie(tmdb_id)
    if movie is None:
        raise missing(Movie, tmdb_id)
    return movie


def listed(sort: str, order: str, viewer_id: int | None = None, **asked: Unpack[Filters]) -> Listed:
    """The films that pass all filters, in order."""
    found = LISTING.listed(sort, order, viewer_id, **asked)
    if "duration" in asked:
        values = found["values"]
        values["shortest"], values["longest"] = DURATIONS[values.pop("duration")]
    return found
