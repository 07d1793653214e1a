"""Migrations: from nothing, back to nothing, by several at once, and on databases that cannot."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, make_url, text

from marquee import db, migrations
from marquee.migrations import running

LEFT = text(
    "select count(*) from pg_class where relkind in ('r', 'S', 'v') "
    "and relnamespace = 'public'::regnamespace and relname <> 'alembic_version'"
)


@pytest.fixture
def empty(database_url: str) -> Iterator[Engine]:
    """A database without a table."""
    name = f"marquee_empty_{secrets.token_hex(4)}"
    url = make_url(database_url).set(drivername="postgresql+psycopg2")
    outside = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with outside.connect() as connection:
        connection.execute(text(f"create database {name}"))
    engine = db.engine_for(url.set(database=name).render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with outside.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))
    outside.dispose()


def test_the_head_is_alembics() -> None:
    scripts = ScriptDirectory.from_config(running.configuration())
    assert migrations.head() == scripts.get_current_head()


def tables(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(LEFT).scalar_one())


def test_up_down_and_up_again(empty: Engine) -> None:
    running.migrate(empty)
    made = tables(empty)
    running.migrate(empty)
    running.downgrade(empty)
    assert (tables(empty), made > 20) == (0, True)
    running.migrate(empty)
    assert tables(empty) == made


def test_models_equal_migrations(empty: Engine) -> None:
    running.migrate(empty)
    with empty.connect() as connection:
        command.check(running.configuration(connection))


def test_several_at_once_wait_for_each_other(empty: Engine) -> None:
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(running.migrate, [empty] * 3)) == [None] * 3
    assert tables(empty) > 20


def test_roles_are_there(empty: Engine) -> None:
    running.migrate(empty)
    with empty.connect() as connection:
        names = connection.execute(text("select name from roles where is_built_in order by name"))
        assert list(names.scalars()) == ["admin", "guest", "moderator", "user"]


def test_says_what_a_database_lacks(empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner who is no superuser cannot make pgvector: one line says so, and who can."""
    role, password = f"plain_{secrets.token_hex(4)}", secrets.token_hex(8)
    with empty.begin() as connection:
        connection.execute(text(f"create role {role} login password '{password}'"))
        connection.execute(text(f"alter database {empty.url.database} owner to {role}"))
    url = empty.url.set(username=role, password=password)
    monkeypatch.setenv("DATABASE_URL", url.render_as_string(hide_password=False))
    words = [sys.executable, "-m", "marquee", "migrate"]
    refused = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("marquee: pgvector is not in this database")
    assert len(refused.stderr.splitlines()) == 1
    with empty.begin() as connection:
        connection.execute(text("create extension vector"))
    subprocess.run(words, check=True, timeout=60)
    with empty.begin() as connection:
        connection.execute(text(f"reassign owned by {role} to current_user"))
        connection.execute(text(f"drop owned by {role}; drop role {role}"))
