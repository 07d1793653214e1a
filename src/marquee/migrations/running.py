"""Running the migrations: one process at a time, on a database that can carry the tables."""

import importlib
import pkgutil
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, MetaData, text

import marquee
from marquee.db import Model

FOLDER = Path(__file__).parent
LOCK = 7_346_102_551
OLDEST_SERVER = 150_000


class UnfitDatabase(Exception):
    """The database lacks something; the message says what, and how to get it."""


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the database to a revision. Others who try at the same time wait until it is there.

    Raises UnfitDatabase for a server older than PostgreSQL 15 or without pgvector.
    """
    with engine.connect() as connection:
        connection.execute(text("set statement_timeout = 0; set lock_timeout = 0"))
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": LOCK})
        connection.commit()
        try:
            check_fitness(connection)
            command.upgrade(configuration(connection), revision)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": LOCK})
            connection.commit()


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Take the database back to a revision."""
    with engine.begin() as connection:
        command.downgrade(configuration(connection), revision)


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration, with a connection to use."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def metadata() -> MetaData:
    """All tables of all domains."""
    for module in pkgutil.walk_packages(marquee.__path__, "marquee."):
        name = module.name.rpartition(".")[2]
        if name == "models" or module.name in (
            "marquee.audit",
            "marquee.job_runs",
            "marquee.web.idempotency",
            "marquee.web.limits",
        ):
            importlib.import_module(module.name)
    return Model.metadata


def check_fitness(connection: Connection) -> None:
    """Raise UnfitDatabase unless the server is new enough and has pgvector."""
    version = int(connection.execute(text("show server_version_num")).scalar_one())
    if version < OLDEST_SERVER:
        found = connection.execute(text("show server_version")).scalar_one()
        raise UnfitDatabase(f"Marquee needs PostgreSQL 15 or later; this is {found}.")
    installed = text("select 1 from pg_extension where extname = 'vector'")
    available = text("select 1 from pg_available_extensions where name = 'vector'")
    if connection.execute(installed).scalar():
        return
    if not connection.execute(available).scalar():
        raise UnfitDatabase(
            "The server lacks the extension pgvector: install it (package postgresql-NN-pgvector)."
        )
    may_create = text("select rolsuper from pg_roles where rolname = current_user")
    if not connection.execute(may_create).scalar():
        raise UnfitDatabase(
            "pgvector is not in this database: let a superuser run CREATE EXTENSION vector in it."
        )
