"""All that is told of one film."""

from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select
from sqlalchemy.dialects.postgresql import JSONB

from marquee.catalogue.collections.models import Collection
from marquee.catalogue.companies.models import Studio
from marquee.catalogue.genres.models import Genre
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.service import DETAILS, POSTER_URL
from marquee.catalogue.named import as_json, named_by
from marquee.catalogue.people.credits import people_of
from marquee.catalogue.people.models import Credit
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.translations.service import translated
from marquee.db import Rows, as_dict, find, first, missing, rows
from marquee.errors import NotFound
from marquee.viewer import Viewer

COLLECTION = (
    select(func.jsonb_build_object("id", Collection.id, "name", Collection.name, type_=JSONB))
    .where(Collection.id == Movie.collection_id)
    .scalar_subquery()
)
STUDIOS = as_json(Movie.studios, Studio)
GENRES = named_by(Movie.genres, Genre)


def detailed(viewer: Viewer, movie_id: int, languages: tuple[str, ...]) -> dict[str, Any]:
    """A film with its people, its studios and its collection in the best of these languages, by
    two queries and one for the language. Raises NotFound.
    """
    found = first(_details(Movie.visible_to(viewer)), {"movie_id": movie_id})
    if found is None:
        raise missing(Movie, movie_id)
    (shown,) = translated([found], Translation.movie_id, languages)
    return {
        **as_dict(shown),
        **people_of(Credit.movie_id, movie_id),
        "studios": found.studios_named or [],
        "rt_audience_score": _score(found, "rotten_tomatoes_audience"),
    }


@cache
def _details(visible: Select[Any]) -> Select[Any]:
    one = visible.where(Movie.id == bindparam("movie_id"))
    return one.with_only_columns(*DETAILS, POSTER_URL, COLLECTION.label("collection"), STUDIOS)


def _score(movie: Row[Any], source: str) -> int | None:
    """What a source gives a film, of 100."""
    scores: dict[str, float] = {each["source"]: each["score"] for each in movie.external_ratings}
    return round(scores[source] * 10) if source in scores else None


def genres(movie: Movie) -> Rows:
    """The genres of a film, in its order."""
    return rows(GENRES, {"title_id": movie.id})


def collection(viewer: Viewer, movie: Movie) -> Collection:
    """The collection that a film is in. Raises NotFound (COLLECTION_NOT_FOUND) where in none."""
    if movie.collection_id is None:
        raise NotFound(f"{movie.title} is in no collection.", "COLLECTION_NOT_FOUND")
    return find(Collection.visible_to(viewer), movie.collection_id)
