"""A small catalogue; and a database of the catalogue's own: loading commits, and expects to find
nothing there.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from marquee import db
from marquee.catalogue.movies.models import Movie
from marquee.migrations import running
from tests.catalogue.films import make_films

NAME = "marquee_catalogue_tests"
TABLES = "movies, tvshows, seasons, people, credits, users, ratings, api_keys, user_roles"


@pytest.fixture(scope="session")
def scratch_database(engine: Engine) -> Iterator[Engine]:
    """An engine on a migrated database beside that of the other tests."""
    outside = engine.execution_options(isolation_level="AUTOCOMMIT")
    with outside.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {NAME}"))
    url = engine.url.set(database=NAME).render_as_string(hide_password=False)
    scratch = db.engine_for(url)
    running.migrate(scratch)
    yield scratch
    scratch.dispose()
    with outside.connect() as connection:
        connection.execute(text(f"DROP DATABASE {NAME} WITH (FORCE)"))


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
