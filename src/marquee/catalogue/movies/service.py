"""Rules about films."""

from typing import Any, Literal, TypedDict, Unpack

from sqlalchemy import ARRAY, ColumnElement, Select, Text, and_, cast, false, func, select, true
from sqlalchemy.orm import InstrumentedAttribute

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.sources import source
from marquee.catalogue.people.models import Credit, Job, Person
from marquee.catalogue.titles import search_title
from marquee.db import find, missing, session
from marquee.viewer import Viewer

COLUMNS = tuple(column for column in Movie.__table__.columns if column.key != "title_words")
ORDERS: dict[str, InstrumentedAttribute[Any]] = {
    "popularity": Movie.popularity,
    "title": Movie.sort_title,
    "year": Movie.year,
    "added": Movie.added_at,
    "rating": Movie.vote_average,
}


class Filters(TypedDict, total=False):
    """What `GET /movies` can be narrowed by."""

    query: str
    year_from: int
    year_to: int
    duration: Literal["under-90", "90-120", "over-120"]
    min_score: float
    age_rating: list[str]
    genre: list[str]


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


def listed(sort: str, order: str, **filters: Unpack[Filters]) -> tuple[Select[Any], Select[Any]]:
    """Two queries of the films that pass all filters: in order, and to be counted."""
    passing = and_(true(), *_conditions(filters))
    column, descending = ORDERS[sort], order == "desc"
    by = column.desc().nulls_last() if descending else column.asc().nulls_last()
    # Without NULLS LAST where nothing is null, so that the order is that of the index.
    if not column.property.columns[0].nullable:
        by = column.desc() if descending else column.asc()
    tie = Movie.id.desc() if descending else Movie.id.asc()
    return select(*COLUMNS).where(passing).order_by(by, tie), select(Movie.id).where(passing)


def credited(movie: Movie) -> dict[str, Any]:
    """A film with its people, by one query."""
    query = select(Credit.job, Credit.character, Person.id.label("person_id"), Person.name)
    query = query.join(Person, Person.id == Credit.person_id).where(Credit.movie_id == movie.id)
    people = session.execute(query.order_by(Credit.position, Credit.id)).all()
    shown = {column.key: getattr(movie, column.key) for column in COLUMNS}
    by_job = {job: [row for row in people if row.job == job] for job in Job}
    return shown | {
        "directors": by_job[Job.DIRECTOR],
        "writers": by_job[Job.WRITER],
        "cast_members": by_job[Job.ACTOR],
    }


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if "query" in filters:
        conditions.append(_has_words(filters["query"]))
    if "year_from" in filters:
        conditions.append(Movie.year >= filters["year_from"])
    if "year_to" in filters:
        conditions.append(Movie.year <= filters["year_to"])
    if "duration" in filters:
        conditions.append(_lasts(filters["duration"]))
    if "min_score" in filters:
        conditions.append(Movie.vote_average >= filters["min_score"])
    if "age_rating" in filters:
        conditions.append(Movie.age_rating.in_(filters["age_rating"]))
    if "genre" in filters:
        conditions.append(Movie.genres.overlap(cast(filters["genre"], ARRAY(Text))))
    return conditions


def _has_words(text: str) -> ColumnElement[bool]:
    """All words are in the title, the last perhaps as a beginning."""
    words = [
        f"'{word}'" for word in search_title(text).replace("'", " ").replace("\\", " ").split()
    ]
    if not words:
        return false()
    return Movie.title_words.op("@@")(func.to_tsquery("simple", " & ".join(words) + ":*"))


def _lasts(duration: str) -> ColumnElement[bool]:
    ranges = {"under-90": (1, 89), "90-120": (90, 120), "over-120": (121, 100_000)}
    return Movie.runtime_minutes.between(*ranges[duration])
