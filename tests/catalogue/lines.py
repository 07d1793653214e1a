"""Lines of title files, and what has become of them in the database."""

import json
from typing import Any

from sqlalchemy import Connection, text

from marquee.catalogue.importing import Report, import_titles

Row = dict[str, Any]
FILM = {
    "kind": "movie",
    "imdb_id": "tt0073195",
    "tmdb_id": 578,
    "title": "Jaws",
    "original_title": "Jaws",
    "year": 1975,
    "release_date": "1975-06-20",
    "runtime_minutes": 124,
    "age_rating": "PG",
    "genres": ["Thriller", "Adventure"],
    "languages": ["English"],
    "countries": ["United States"],
    "overview": "A great white shark\nterrorises a beach town.",
    "tagline": "Don't go in the water.",
    "directors": ["Steven Spielberg"],
    "writers": ["Peter Benchley", "Carl Gottlieb"],
    "cast_members": ["Roy Scheider", "Robert Shaw", "Richard Dreyfuss"],
    "vote_average": 8.1,
    "vote_count": 74,
    "popularity": 63.2,
    "metacritic": 87,
    "rotten_tomatoes": 97,
    "box_office_usd": 470_653_000,
    "attribution": "Facts: Wikidata (CC0 1.0)",
}
SERIES = {
    "kind": "tvshow",
    "imdb_id": "tt0903747",
    "title": "Breaking Bad",
    "year": 2008,
    "first_air_date": "2008-01-20",
    "last_air_date": "2013-09-29",
    "status": "ended",
    "episode_runtime_minutes": 47,
    "genres": ["Crime", "Drama"],
    "networks": ["AMC"],
    "creators": ["Vince Gilligan"],
    "cast_members": ["Bryan Cranston", "Aaron Paul"],
    "seasons": [
        {"season_number": 0},
        {"season_number": 1, "name": "One", "episode_count": 7, "air_date": "2008-01-20"},
        {"season_number": 2, "episode_count": 13},
    ],
    "vote_average": 9,
    "popularity": 99.5,
}


def line(values: Any = None, **more: Any) -> bytes:
    return json.dumps({**(values or {}), **more}, ensure_ascii=False).encode()


def load(connection: Connection, *lines: bytes) -> Report:
    return import_titles(iter(lines), connection)


def rows(connection: Connection, query: str, **values: Any) -> list[Row]:
    return [dict(row) for row in connection.execute(text(query), values).mappings()]


def one(connection: Connection, table: str, title: str) -> Row:
    (row,) = rows(connection, f"SELECT * FROM {table} WHERE title = :title", title=title)  # noqa: S608
    return row


def names(connection: Connection, title: str) -> dict[str, list[str]]:
    """The people of a title by job, in the order of billing."""
    found = rows(
        connection,
        "SELECT c.job, array_agg(p.name ORDER BY c.position) AS names FROM credits c"
        " JOIN people p ON p.id = c.person_id LEFT JOIN movies m ON m.id = c.movie_id"
        " LEFT JOIN tvshows t ON t.id = c.tvshow_id"
        " WHERE coalesce(m.title, t.title) = :title GROUP BY c.job",
        title=title,
    )
    return {row["job"]: row["names"] for row in found}


def age(connection: Connection) -> None:
    """Let everything be of long ago: the clock stands still within a transaction."""
    for table in ("movies", "tvshows"):
        connection.execute(text(f"UPDATE {table} SET updated_at = '2000-01-01Z'"))  # noqa: S608


def is_new(row: Row) -> bool:
    return int(row["updated_at"].year) > 2000
