"""The films that may be recommended: gathered from several sides, then looked at once.

A fixed number of queries for each person, and none for each film.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from psycopg2 import sql
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Row,
    Select,
    Text,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from marquee.catalogue.embeddings import nearest, texts, vectors
from marquee.catalogue.embeddings.kinds import MOVIES
from marquee.catalogue.embeddings.nearest import Meaning
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Job, Person
from marquee.catalogue.search import blending, words
from marquee.catalogue.search.index import reader
from marquee.catalogue.titles import search_title
from marquee.db import checkpoint, rows
from marquee.errors import Unavailable
from marquee.services import embeddings
from marquee.taste.recommendations.quiz.references import LOOKED_AT, alike, indexed
from marquee.taste.recommending.binary import copied
from marquee.taste.recommending.titles import Floats

NEAR_ALL, NEAR_ONE = 200, 100
"""How many are gathered that are near all of a wish, and near a part of it."""
POPULAR, OF_ACTOR, DESCRIBED = 200, 60, 60
SAME_NAME = 0.9
VECTORS = sql.SQL("""
SELECT movie_id, vector FROM embeddings
WHERE model = {model} AND movie_id = ANY ({ids}::bigint[]) AND vector_dims(vector) = {size}
ORDER BY movie_id
""")
ONE_OF = Movie.id == any_(bindparam("ids", type_=ARRAY(BigInteger)))


def _people(job: Job, most: int) -> ColumnElement[Any]:
    """The names of who did a job, in the order of billing."""
    names = func.array_agg(aggregate_order_by(Person.name, Credit.position, Credit.id))
    of = select(names).select_from(Credit).join(Person, Person.id == Credit.person_id)
    return of.where(
        Credit.movie_id == Movie.id, Credit.job == job, Credit.position < most
    ).scalar_subquery()


FACTS = select(
    *(Movie.id, Movie.tmdb_id, Movie.title, Movie.search_title, Movie.year, Movie.genres),
    *(Movie.keywords, Movie.overview, Movie.runtime_minutes, Movie.age_rating),
    *(Movie.vote_average, Movie.vote_count, Movie.popularity, Movie.collection_id),
    *(Movie.tagline, Movie.studios, Movie.countries, Movie.awards_summary),
    _people(Job.DIRECTOR, 3).label("directors"),
    _people(Job.ACTOR, 15).label("actors"),
).where(ONE_OF)
PEOPLE = select(Person.id, Person.name).where(
    Person.id == any_(bindparam("ids", type_=ARRAY(BigInteger)))
)
PLAYED = (
    select(Movie.id)
    .join(Credit, Credit.movie_id == Movie.id)
    .where(Credit.person_id == any_(bindparam("people", type_=ARRAY(BigInteger))))
    .where(Credit.job.in_((Job.ACTOR, Job.DIRECTOR)))
    .group_by(Movie.id)
    .order_by(Movie.popularity.desc(), Movie.id)
    .limit(OF_ACTOR)
)


Film: TypeAlias = Row[*tuple[Any, ...]]
"""What is known of a film: the columns of `FACTS`."""


@dataclass(frozen=True)
class Pool:
    """Films and what is known of them, a row of each for each film."""

    films: Sequence[Film]
    vectors: Floats
    """Whole ones, as they are stored; zeros where there are none."""

    def __post_init__(self) -> None:
        """Refuse what does not fit."""
        if len(self.films) != len(self.vectors):
            raise ValueError("a vector for each film")

    @property
    def ids(self) -> list[int]:
        """Of the films."""
        return [film.id for film in self.films]


@dataclass(frozen=True)
class Sought:
    """What one person's films are near to."""

    references: Floats
    """(r, d) Whole vectors of the films that were named."""
    about: Floats | None
    """(text) What the film is to be like; None where nothing is said, or nothing embeds it."""
    whole: Floats | None
    """(d) All of it together, of length 1."""


def near(sought: Sequence[Sought], model: str) -> set[int]:
    """The films that are near what people seek: near all of it, and near its parts."""
    found: set[int] = set()
    for each in sought:
        parts = [(each.whole, NEAR_ALL), *((one, NEAR_ONE) for one in each.references)]
        if each.about is not None:
            parts.append((vectors.padded(each.about), NEAR_ONE))
        for vector, most in parts:
            if vector is not None:
                found.update(nearest.nearest(MOVIES, _meaning(vector, model), most))
    return found


def popular(genres: Collection[str], first: int | None, last: int | None) -> list[int]:
    """The popular films of these genres, of any where none is named, from a year to another."""
    values: dict[str, Any] = {"genres": list(genres), "first": first, "last": last}
    return [row.id for row in rows(_popular(bool(genres), first is None, last is None), values)]


@cache
def _popular(any_genre: bool, open_start: bool, open_end: bool) -> Select[int]:  # noqa: FBT001
    query = select(Movie.id).order_by(Movie.popularity.desc(), Movie.id.desc()).limit(POPULAR)
    if any_genre:
        query = query.where(Movie.genres.overlap(bindparam("genres", type_=ARRAY(Text))))
    if not open_start:
        query = query.where(Movie.year >= bindparam("first"))
    return query if open_end else query.where(Movie.year <= bindparam("last"))


def played_by(name: str) -> list[int]:
    """The films that somebody played in or directed, the popular first; none where nobody is so
    called, or this machine has no search index.
    """
    if not name:
        return []
    try:
        ids = indexed("person", name)[:LOOKED_AT]
    except Unavailable:
        return []
    called = search_title(name)
    same = [
        row.id
        for row in rows(PEOPLE, {"ids": ids})
        if alike(called, search_title(row.name)) >= SAME_NAME
    ]
    return [row.id for row in rows(PLAYED, {"people": same})] if same else []


def described(about: str) -> dict[int, float]:
    """What the search index finds for a description, by its words and its meaning together: how
    well it fits, of 0 to 1, by id. Nothing for a few words, where this machine has no index, and
    where a title is made of these words.
    """
    query = words.words_of(about)
    if len(query.units) < words.LEAST_DESCRIPTION:
        return {}
    reader.refresh()
    try:
        with reader.searching() as searcher:
            found = blending.blended(searcher, MOVIES.name, query, [words.only(MOVIES.name)])
            if not isinstance(found, blending.Blend):
                return {}
            best = found.best[:DESCRIBED]
            keys = words.keys_of(searcher, best)
    except Unavailable:
        return {}
    least, most = (float(best[-1][0]), float(best[0][0])) if best else (0.0, 1.0)
    whole = max(most - least, 1e-6)
    return {id_: (score - least) / whole for (_, id_), (score, _) in zip(keys, best, strict=True)}


def looked_at(ids: Iterable[int], model: str, dimensions: int) -> Pool:
    """What is known of films, in the order of their ids; those that are still there.

    Those without a vector of this model are embedded now, while no connection is held.
    """
    wanted = sorted(set(ids))
    films = sorted(rows(FACTS, {"ids": wanted}), key=_id) if wanted else []
    stored = stored_vectors([film.id for film in films], model, dimensions)
    missing = [film for film in films if film.id not in stored]
    made = _made(missing, model, dimensions) if missing else {}
    nothing = np.zeros(dimensions, np.float32)
    known = {**stored, **made}
    found = [known.get(film.id, nothing) for film in films]
    return Pool(films, np.array(found, np.float32).reshape(len(films), dimensions))


def stored_vectors(ids: Sequence[int], model: str, dimensions: int) -> Mapping[int, Floats]:
    """The whole vectors of films by a model, by id, by one query."""
    if not ids:
        return {}
    query = VECTORS.format(
        model=sql.Literal(model), ids=sql.Literal(list(ids)), size=sql.Literal(dimensions)
    )
    # halfvec's own form: two numbers of two bytes before the halves.
    found = copied(query, {"id": ">i8", "vector": (">f2", (2 + dimensions,))})
    return {int(row["id"]): row["vector"][2:].astype(np.float32) for row in found}


def _id(film: Film) -> int:
    return int(film.id)


MOST_MADE = 100
"""So many vectors are made at once at the most, of the popular films."""


def _made(films: Sequence[Film], model: str, dimensions: int) -> dict[int, Floats]:
    """Vectors of films that have none yet, such as those that TMDB has just told of."""
    some = sorted(films, key=lambda film: -film.popularity)[:MOST_MADE]
    contents = [texts.content_of(film, ()) for film in some]
    checkpoint()
    try:
        found = embeddings.current().encode([each.text for each in contents])
    except Unavailable:
        return {}
    embedder = embeddings.current()
    if embeddings.model_of(embedder, found) != model:
        return {}
    return {
        film.id: vectors.whole(vector, content.genres)[:dimensions]
        for film, vector, content in zip(some, found, contents, strict=True)
    }


def _meaning(vector: Floats, model: str) -> Meaning:
    """A whole vector as something to be near to."""
    return Meaning(model, vector[: -vectors.GENRE_NUMBERS], vectors.text_of(vector))
