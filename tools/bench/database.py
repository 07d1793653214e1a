"""The database of the benchmark: an embedded PostgreSQL with some 10,000 made-up films."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, func, insert, select, text, update

from marquee import db
from marquee.catalogue.demo import synthetic
from marquee.catalogue.movies.models import Movie
from marquee.identity.api_keys.models import ApiKey
from marquee.identity.auth.models import Session
from marquee.identity.users.models import Role, User, UserRole
from marquee.migrations import running
from marquee.postgres import Postgres
from marquee.taste.favorites.models import Favorite
from marquee.taste.ratings.models import Rating
from tools.bench import places

TITLES, USERS, RATINGS = 30_000, 2_000, 50_000
FAVORITES, RATED = 60, 40
READER, WRITER = "bench-reader", "bench-writer"
KEYS = {READER: "mq_" + "r" * 40, WRITER: "mq_" + "w" * 40}


@dataclass(frozen=True)
class Database:
    """A filled database: who reads, who writes, and the films as a range of ids."""

    url: str
    engine: Engine
    reader: int
    writer: int
    first_movie: int
    movies: int

    def forget_writes(self) -> None:
        """Undo what was written, so that each run writes the same again."""
        with self.engine.begin() as connection:
            connection.execute(delete(Rating).where(Rating.user_id == self.writer))
            connection.execute(text("TRUNCATE activity"))

    def note_use(self) -> None:
        """Every key and session has just been used: in life that is written down once a minute."""
        with self.engine.begin() as connection:
            connection.execute(update(ApiKey).values(last_used_at=func.now()))
            connection.execute(update(Session).values(last_activity_at=func.now()))


@contextmanager
def opened() -> Iterator[Database]:
    """Start the server, fill it at the first time, stop it at the end."""
    with Postgres(places.WORK / "postgres") as postgres:
        engine = db.engine_for(postgres.url(), statement_timeout=0)
        running.migrate(engine)
        with engine.connect() as connection:
            filled = connection.scalar(select(User.id).where(User.username == READER))
        if filled is None:
            synthetic.generate(engine, TITLES, 1, USERS, RATINGS, progress=places.say)
            with engine.begin() as connection:
                add_people(connection)
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE"))
        with engine.connect() as connection:
            ids = connection.scalars(select(Movie.id).order_by(Movie.id)).all()
            by_name = dict(
                connection.execute(
                    select(User.username, User.id).where(User.username.in_(KEYS))
                ).all()
            )
        yield Database(postgres.url(), engine, by_name[READER], by_name[WRITER], ids[0], len(ids))
        engine.dispose()


def add_people(connection: Connection) -> None:
    """The two callers, and what the reader likes."""
    role = connection.scalar(select(Role.id).where(Role.name == "user"))
    ids = {}
    for name, key in KEYS.items():
        new = insert(User).values(username=name, email=f"{name}@example.org")
        ids[name] = connection.execute(new.returning(User.id)).scalar_one()
        connection.execute(insert(UserRole).values(user_id=ids[name], role_id=role))
        connection.execute(
            insert(ApiKey).values(
                user_id=ids[name],
                name="bench",
                key_prefix=key[:8],
                digest=hashlib.sha256(key.encode()).digest(),
                scopes=["read", "write"],
            )
        )
    movies = connection.scalars(select(Movie.id).order_by(Movie.id).limit(FAVORITES)).all()
    reader = ids[READER]
    connection.execute(insert(Favorite), [{"user_id": reader, "movie_id": each} for each in movies])
    connection.execute(
        insert(Rating),
        [
            {"user_id": reader, "movie_id": each, "score": number % 11}
            for number, each in enumerate(movies[:RATED])
        ],
    )
