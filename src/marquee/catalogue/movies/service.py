"""Rules about films."""

from functools import lru_cache
from typing import Any, Literal, TypedDict, Unpack

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    select,
    true,
)
from sqlalchemy.orm import InstrumentedAttribute

from marquee.catalogue.movies.models import Movie
from marquee.catalogue.movies.sources import source
from marquee.catalogue.people.models import Credit, Job, Person
from marquee.catalogue.titles import search_title
from marquee.db import find, missing, rows, session
from marquee.viewer import Viewer

UNLISTED = ("title_words", "images", "watch_providers")
COLUMNS = tuple(column for column in Movie.__table__.columns if column.key not in UNLISTED)
PEOPLE = (
    select(Credit.job, Credit.character, Person.id.label("person_id"), Person.name)
    .join(Person, Person.id == Credit.person_id)
    .where(Credit.movie_id == bindparam("movie_id"))
    .order_by(Credit.position, Credit.id)
)
CONDITIONS: dict[str, ColumnElement[bool]] = {
    "query": Movie.title_words.op("@@")(func.to_tsquery("simple", bindparam("query"))),
    "year_from": Movie.year >= bindparam("year_from"),
    "year_to": Movie.year <= bindparam("year_to"),
    "duration": Movie.runtime_minutes.between(bindparam("shortest"), bindparam("longest")),
    "min_score": Movie.vote_average >= bindparam("min_score"),
    "age_rating": Movie.age_rating.in_(bindparam("age_rating", expanding=True)),
    "genre": Movie.genres.overlap(cast(bindparam("genre"), ARRAY(Text))),
}
DURATIONS = {"under-90": (1, 89), "90-120": (90, 120), "over-120": (121, 100_000)}
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


def listed(
    sort: str, order: str, **filters: Unpack[Filters]
) -> tuple[Select[Any], Select[Any], dict[str, Any]]:
    """Two queries of the films that pass all filters, in order and to be counted, and their
    values.
    """
    values: dict[str, Any] = dict(filters)
    if "query" in filters:
        values["query"] = _words(filters["query"])
    if "duration" in filters:
        values["shortest"], values["longest"] = DURATIONS[values.pop("duration")]
    return *_queries(sort, order, tuple(filters)), values


@lru_cache(maxsize=512)
def _queries(sort: str, order: str, filters: tuple[str, ...]) -> tuple[Select[Any], Select[Any]]:
    """The queries for these filters, whatever their values."""
    passing = and_(true(), *(CONDITIONS[name] for name in filters))
    column, descending = ORDERS[sort], order == "desc"
    by = column.desc().nulls_last() if descending else column.asc().nulls_last()
    # Without NULLS LAST where nothing is null, so that the order is that of the index.
    if not column.property.columns[0].nullable:
        by = column.desc() if descending else column.asc()
    tie = Movie.id.desc() if descending else Movie.id.asc()
    return select(*COLUMNS).where(passing).order_by(by, tie), select(Movie.id).where(passing)


def credited(movie: Movie) -> dict[str, Any]:
    """A film with its people, by one query."""
    people = rows(PEOPLE, {"movie_id": movie.id})
    shown = {column.key: getattr(movie, column.key) for column in COLUMNS}
    by_job = {job: [row for row in people if row.job == job] for job in Job}
    return shown | {
        "directors": by_job[Job.DIRECTOR],
        "writers": by_job[Job.WRITER],
        "cast_members": by_job[Job.ACTOR],
    }


def _words(text: str) -> str:
    """A query for titles with all words of a text, the last perhaps as a beginning; for none
    where there is no word.
    """
    words = [
        f"'{word}'" for word in search_title(text).replace("'", " ").replace("\\", " ").split()
    ]
    return " & ".join(words) + ":*" if words else ""
