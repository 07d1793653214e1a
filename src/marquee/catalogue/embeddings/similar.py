"""Titles like another: by vectors, else as TMDB recommends them."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    Row,
    Select,
    bindparam,
    exists,
    func,
    select,
)
from sqlalchemy.orm import aliased

from marquee.catalogue.embeddings import reasons
from marquee.catalogue.embeddings.kinds import MOVIES, TVSHOWS, Kind, Source, statement
from marquee.catalogue.embeddings.nearest import widen
from marquee.catalogue.embeddings.vectors import GENRE_NUMBERS, WITH_ITSELF
from marquee.catalogue.files.models import MediaFile
from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.movies import sources as movie_sources
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.people.models import Credit, Job, Person
from marquee.catalogue.tvshows import sources as tvshow_sources
from marquee.catalogue.tvshows.models import Episode, TVShow
from marquee.db import rows, session
from marquee.services import embeddings

DUPLICATES = 10
"""So many more are looked for, as some may be other entries of the same title."""
MOST_BILLED = 10
TMDB_PAGE = 20

MODELS_OF = (
    "SELECT model, vector_dims(vector) AS dimensions FROM embeddings WHERE {id} = :id "
    "ORDER BY embedded_at DESC"
)
LIKE = """
WITH target AS MATERIALIZED (SELECT {vector} FROM embeddings WHERE {id} = :id AND model = :model)
SELECT {id} AS id, -({vector} <#> (SELECT vector FROM target)) AS product,
       -(subvector(vector, 1, :text) <#> subvector((SELECT vector FROM target), 1, :text)) AS story
FROM embeddings WHERE model = :model AND {id} IS NOT NULL
ORDER BY {vector} <#> (SELECT vector FROM target) LIMIT :limit
"""


@dataclass(frozen=True)
class Near:
    """A title that may be given: `similarity` of 0 to 1, and that of its text; None at TMDB."""

    id: int
    similarity: float | None = None
    story: float | None = None


@dataclass(frozen=True)
class Found:
    """Similar titles, the most similar first, and who has found them."""

    source: Source
    near: Sequence[Near] = ()
    total: int | None = None
    """How many the source has, where it says so."""


def similar_to(title: Movie | TVShow, limit: int, source: Source) -> dict[str, Any]:
    """The titles that are most like one, with reasons.

    Vectors are asked, unless `source` is `tmdb`; where the title has none yet, TMDB is. Without a
    key for it there are none. Raises Unavailable or TimedOut when TMDB does not serve.
    """
    kind = MOVIES if isinstance(title, Movie) else TVSHOWS
    found = _by_vectors(kind, title.id, limit) if source == "vector" else None
    found = found or _by_tmdb(kind, title.tmdb_id, limit)
    shown = _shown(kind, title, found.near)[:limit]
    total = len(shown) if found.total is None else max(found.total, len(shown))
    return {
        kind.column: title.id,
        "source": found.source,
        "similar": shown,
        "total_results": total,
    }


def _by_vectors(kind: Kind, id_: int, limit: int) -> Found | None:
    """By the present model, else by the one whose vector is the newest."""
    connection = session.connection()
    models = connection.execute(statement(MODELS_OF, kind.column, 0), {"id": id_}).all()
    if not models:
        return None
    name = embeddings.current().name
    ours = [each for each in models if each.model.rpartition("@")[0] == name]
    model, dimensions = (ours or models)[0]
    wanted = limit + DUPLICATES + 1
    widen(wanted)
    values = {"id": id_, "model": model, "text": dimensions - GENRE_NUMBERS, "limit": wanted}
    found = connection.execute(statement(LIKE, kind.column, dimensions), values)
    near = [
        Near(row.id, round(min(max(row.product / WITH_ITSELF, 0.0), 1.0), 4), row.story)
        for row in found
    ]
    return Found("vector", near)


def _by_tmdb(kind: Kind, tmdb_id: int | None, limit: int) -> Found:
    """As TMDB recommends them; none without a key, and for what TMDB does not know."""
    recommended: Callable[[int, int], Any] = (
        movie_sources.recommended if kind is MOVIES else tvshow_sources.recommended
    )
    near: list[Near] = []
    total = 0
    if tmdb_id is None:
        return Found("tmdb")
    for page in range(1, -(-limit // TMDB_PAGE) + 1):
        listing = recommended(tmdb_id, page)
        if listing is None:
            break
        near += [Near(row["id"]) for row in listing.results]
        total = listing.total_results
        if page >= listing.total_pages:
            break
    return Found("tmdb", near, total)


def _shown(kind: Kind, title: Movie | TVShow, near: Sequence[Near]) -> list[dict[str, Any]]:
    """What is told of each, without the title itself and other entries of the same titles."""
    ids = [each.id for each in near if each.id != title.id]
    if not ids:
        return []
    known = {row.id: row for row in rows(_titles(kind), {"ids": ids})}
    seen = {(title.search_title, title.year)}
    kept = []
    for each in near:
        row = known.get(each.id)
        if row is not None and (row.search_title, row.year) not in seen:
            seen.add((row.search_title, row.year))
            kept.append((each, row))
    shared: dict[int, list[Row[Any]]] = defaultdict(list)
    values = {"id": title.id, "ids": [row.id for _, row in kept]}
    for credit in rows(_shared(kind), values):
        shared[credit.title_id].append(credit)
    return [
        {
            "id": row.id,
            "title": row.title,
            "year": row.year,
            "poster_url": row.poster_url,
            "genres": row.genres,
            "similarity": each.similarity,
            "reasons": reasons.reasons(title, row, shared[row.id], each.story),
            "in_library": row.in_library,
        }
        for each, row in kept
    ]


@cache
def _titles(kind: Kind) -> Select[Any]:
    """What is told of titles."""
    title = kind.model
    shown: tuple[Any, ...] = (
        *(title.id, title.title, title.search_title, title.year, title.genres, title.keywords),
        (func.coalesce(title.overview, "") != "").label("has_overview"),
        poster_url(title),
        _in_library(title).label("in_library"),
        *((Movie.collection_id,) if title is Movie else ()),
    )
    return select(*shown).where(_one_of(title.id))


def _in_library(title: type[Movie | TVShow]) -> ColumnElement[bool]:
    """Whether there is a file of it, or of one of its episodes."""
    if title is Movie:
        return exists().where(MediaFile.movie_id == Movie.id)
    of_show = (MediaFile.episode_id == Episode.id) & (Episode.tvshow_id == TVShow.id)
    return exists().where(of_show)


@cache
def _shared(kind: Kind) -> Select[Any]:
    """The people who did the same in a title and in these others."""
    ours, theirs = aliased(Credit), _billed(kind)
    same = (theirs.c.person_id == ours.person_id) & (theirs.c.job == ours.job)
    return (
        select(theirs.c.title_id, ours.job, Person.name)
        .join(theirs, same)
        .join(Person, Person.id == ours.person_id)
        .where(getattr(ours, kind.column) == bindparam("id"), ours.position < MOST_BILLED)
        .order_by(ours.position, ours.id)
    )


def _billed(kind: Kind) -> CTE:
    """The people of titles. By the titles, whatever the planner thinks: some have worked on
    thousands of others.
    """
    title_id = kind.credited.label("title_id")
    query = select(title_id, Credit.person_id, Credit.job).where(
        _one_of(kind.credited),
        Credit.job.in_((Job.DIRECTOR, Job.CREATOR, Job.ACTOR)),
        Credit.position < MOST_BILLED,
    )
    return query.cte("theirs").prefix_with("MATERIALIZED", dialect="postgresql")


def _one_of(column: Any) -> ColumnElement[bool]:  # noqa: ANN401 - of any model
    these: ColumnElement[bool] = column == func.any(bindparam("ids", type_=ARRAY(BigInteger)))
    return these
