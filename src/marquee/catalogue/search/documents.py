"""Reading titles, people and collections from the database, as documents of the search index."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Row, TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT

from marquee.catalogue.search import schema
from marquee.catalogue.titles import search_title, sort_title

POPULAR = 20_000
"""So many titles of each kind are completed first."""

TITLES = """
SELECT id, title, search_title, sort_title, original_title, year, overview, tagline, status,
       original_language, genres, keywords, age_rating, vote_average, popularity, added_at,
       {columns}
FROM {table} WHERE id {which}
"""
PEOPLE_OF = """
SELECT credits.{owner},
       array_agg(people.name ORDER BY credits.job, credits.position),
       array_agg(people.name ORDER BY credits.position) FILTER (WHERE credits.job = 'director')
FROM credits JOIN people ON people.id = credits.person_id
WHERE credits.{owner} = ANY(:ids) AND (credits.job IN ('director', 'writer', 'creator')
      OR credits.job = 'actor' AND credits.position < 15)
GROUP BY credits.{owner}
"""
TRANSLATIONS_OF = """
SELECT {owner}, array_agg(DISTINCT title) FILTER (WHERE title IS NOT NULL),
       string_agg(overview, ' ')
FROM translations WHERE {owner} = ANY(:ids) GROUP BY {owner}
"""
FILES_OF_MOVIES = """
SELECT movie_id, array_agg(DISTINCT resolution) FILTER (WHERE resolution IS NOT NULL)
FROM media_files WHERE movie_id = ANY(:ids) GROUP BY movie_id
"""
OF_MOVIES = "release_date AS released, '{}'::text[] AS networks"
OF_SERIES = "first_air_date AS released, networks"
# Of people whose popularity nobody has told, those who worked most come first. New credits alone do
# not write a person anew: that would cost more than a rank that is a little old.
PEOPLE = """
SELECT id, name, NULL AS overview, popularity + (
           SELECT count(*) FROM credits WHERE person_id = people.id) / 100.0::float8 AS popularity
FROM people WHERE id {which}
"""
COLLECTIONS = "SELECT id, name, overview, 0 AS popularity FROM collections WHERE id {which}"

THESE, NEXT = "= ANY(:ids)", "> :after ORDER BY id LIMIT :size"
THRESHOLD = "SELECT popularity FROM {table} ORDER BY popularity DESC OFFSET :popular LIMIT 1"


def _with_ids(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("ids", type_=ARRAY(BIGINT)))


@dataclass(frozen=True)
class _Source:
    """Where the documents of one kind are read."""

    kind: str
    rows: str
    beside: tuple[TextClause, ...] = ()
    """Of titles: their people and translations; of films, which are searched by them, files."""
    threshold: TextClause | None = None

    def these(self) -> TextClause:
        return _with_ids(self.rows.format(which=THESE))

    def next(self) -> TextClause:
        return text(self.rows.format(which=NEXT))


def _titles(kind: str, table: str, owner: str, columns: str, *files: str) -> _Source:
    beside = (PEOPLE_OF, TRANSLATIONS_OF, *files)
    return _Source(
        kind,
        TITLES.format(table=table, columns=columns.replace("{}", "{{}}"), which="{which}"),
        tuple(_with_ids(each.replace("{owner}", owner)) for each in beside),
        text(THRESHOLD.format(table=table)),
    )


SOURCES = {
    each.kind: each
    for each in (
        _titles("movie", "movies", "movie_id", OF_MOVIES, FILES_OF_MOVIES),
        _titles("tvshow", "tvshows", "tvshow_id", OF_SERIES),
        _Source("person", PEOPLE),
        _Source("collection", COLLECTIONS),
    )
}

Made_co = TypeVar("Made_co", covariant=True)


class Make(Protocol[Made_co]):
    """What makes a document of its fields, such as `schema.document`."""

    def __call__(self, fields: dict[str, Any], *, popular: bool) -> Made_co:
        """The document."""


Thresholds = dict[str, float | None]
"""Of each kind of title, the popularity beyond which one is popular; None: all of them are."""


def thresholds(connection: Connection) -> Thresholds:
    """Those of the present catalogue."""
    return {
        kind: connection.execute(source.threshold, {"popular": POPULAR}).scalar()
        for kind, source in SOURCES.items()
        if source.threshold is not None
    }


def read_all(
    connection: Connection, kind: str, popular: Thresholds, size: int, make: Make[Made_co]
) -> Iterator[list[Made_co]]:
    """All documents of a kind, so many at a time, in the order of their ids."""
    source, after = SOURCES[kind], 0
    query = source.next()
    while rows := connection.execute(query, {"after": after, "size": size}).all():
        after = rows[-1].id
        yield _documents(connection, source, rows, popular, make)


def read(
    connection: Connection,
    kind: str,
    ids: Sequence[int],
    popular: Thresholds,
    make: Make[Made_co],
) -> list[Made_co]:
    """The documents of these ids; of what is gone there is none."""
    source = SOURCES[kind]
    rows = connection.execute(source.these(), {"ids": list(ids)}).all()
    return _documents(connection, source, rows, popular, make)


def _documents(
    connection: Connection,
    source: _Source,
    rows: Sequence[Row[Any]],
    popular: Thresholds,
    make: Make[Made_co],
) -> list[Made_co]:
    if not source.beside:
        return [make(_named(source.kind, row), popular=False) for row in rows]
    ids = {"ids": [row.id for row in rows]}
    people, translations, *of_films = (
        {first: rest for first, *rest in connection.execute(query, ids)} for query in source.beside
    )
    files = of_films[0] if of_films else {}
    least = popular[source.kind]
    return [
        make(
            _title(
                source.kind,
                row,
                people.get(row.id, (None, None)),
                translations.get(row.id, (None, None)),
                files.get(row.id),
            ),
            popular=least is None or row.popularity > least,
        )
        for row in rows
    ]


def _title(
    kind: str,
    row: Row[Any],
    people: Sequence[Any],
    translated: Sequence[Any],
    files: Any,  # noqa: ANN401
) -> dict[str, Any]:
    names, directors = people
    titles, overviews = translated
    title = schema.folded(row.title)
    as_others = (row.original_title, *(titles or ()), schema.numbered(row.title))
    others = {each for each in as_others if each} - {row.title}
    told = (row.title, " ".join(row.keywords), row.overview, row.tagline, overviews)
    keywords = (*row.keywords, *row.genres, *row.networks)
    released = row.released.toordinal() if row.released else None
    return {
        "key": schema.key_of(kind, row.id),
        "kind": kind,
        "whole": [*{row.search_title, row.sort_title, schema.unspelled(row.search_title)}],
        "whole_other": [
            *{name for each in others for name in (search_title(each), sort_title(each))}
        ],
        "title": title,
        "other": " ".join((*map(schema.folded, sorted(others)), *schema.joined(title))),
        "people": " ".join(map(schema.folded, dict.fromkeys(names or ()))),
        "keywords": " ".join((*map(schema.folded, keywords), str(row.year or ""))),
        "plot": schema.apart(" ".join(each for each in told if each)),
        "language": row.original_language,
        "genres": row.genres,
        "status": row.status,
        "age_rating": row.age_rating,
        "directors": directors or [],
        "networks": row.networks,
        "resolution": files[0] or [] if files else [],
        "has_file": files is not None,
        "sort_title": row.sort_title,
        "year": row.year,
        "released": released,
        "added": int(row.added_at.timestamp() * 1_000_000),
        "vote_average": row.vote_average,
        "popularity": row.popularity,
    }


def _named(kind: str, row: Row[Any]) -> dict[str, Any]:
    """A person or a collection."""
    return {
        "key": schema.key_of(kind, row.id),
        "kind": kind,
        "whole": [*{search_title(row.name), sort_title(row.name)}],
        "whole_other": [],
        "title": schema.folded(row.name),
        "other": "",
        "plot": schema.apart(row.overview or ""),
        "sort_title": sort_title(row.name),
        "popularity": row.popularity,
    }
