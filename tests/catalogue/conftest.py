"""A small catalogue; and a database of the catalogue's own: loading commits, and expects to find
nothing there.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from marquee import db
from marquee.catalogue.movies.models import Movie
from tests.catalogue.embedded import embed  # noqa: F401 - a fixture
from tests.catalogue.films import make_films
from tests.catalogue.tmdb import real, serve, tmdb  # noqa: F401 - fixtures
from tests.live import own_database

TABLES = (
    "movies, tvshows, seasons, collections, genres, studios, networks, genre_tallies,"
    " title_changes, people, credits, users, ratings, api_keys, user_roles"
)


@pytest.fixture(scope="session")
def scratch_database(database_url: str) -> Iterator[Engine]:
    """An engine on a migrated database beside that of the other tests."""
    with own_database(database_url) as url:
        scratch = db.engine_for(url)
        yield scratch
        scratch.dispose()


@pytest.fixture
def scratch(scratch_database: Engine) -> Iterator[Engine]:
    """The same, emptied afterwards; ids begin with 1 again."""
    yield scratch_database
    with scratch_database.begin() as connection:
        connection.execute(text(f"TRUNCATE {TABLES} RESTART IDENTITY CASCADE"))


@pytest.fixture
def connection(scratch_database: Engine) -> Iterator[Connection]:
    """A connection in a transaction that is rolled back."""
    with scratch_database.connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def films(make: Callable[..., Any]) -> dict[str, Movie]:
    """A small catalogue, by title."""
    return make_films(make)
