"""The database: the base of all tables, the session, and the one transaction around each
request.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, TypeAlias, TypeVar, TypeVarTuple

from sqlalchemy import (
    BigInteger,
    CursorResult,
    DateTime,
    Engine,
    Identity,
    MetaData,
    Row,
    Select,
    Text,
    bindparam,
    create_engine,
    make_url,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, scoped_session, sessionmaker
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.pool import NullPool

from marquee.errors import NotFound
from marquee.waiting import may_wait


class _Session(OrmSession):
    """One that is not begun where nothing may wait."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        may_wait()
        super().__init__(*arguments, **options)


Session = sessionmaker(class_=_Session, expire_on_commit=False)
session = scoped_session(Session)
AFTER_COMMIT = "after_commit"
_connected: list[Engine] = []


class Model(DeclarativeBase):
    """Base of all tables: a 64-bit key, and constraint names that Alembic finds again."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "pk": "%(table_name)s_pkey",
        }
    )
    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True), int: BigInteger, str: Text}

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)


T = TypeVar("T", bound=Model)
WORD_STARTS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where the words of a class name begin: `ApiKey` is an API key, `TVShow` a TV show."""
Columns = TypeVarTuple("Columns")
Rows: TypeAlias = Sequence[Row[*tuple[Any, ...]]]
"""Rows of whatever columns."""


def find(query: Select[T], id: int) -> T:  # noqa: A002 - the word of every handler's signature
    """The row of a query with this id. Raises NotFound, so that no caller tests for None."""
    row: T | None = session.scalar(_with_id(query), {"with_id": id})
    if row is None:
        raise missing(query.column_descriptions[0]["entity"], id)
    return row


@lru_cache(maxsize=256)
def _with_id(query: Select[T]) -> Select[T]:
    """A query narrowed to one id; made once for a query that is one object at every call."""
    return query.where(query.column_descriptions[0]["entity"].id == bindparam("with_id"))


def rows(query: Select[*Columns], values: dict[str, Any] | None = None) -> Sequence[Row[*Columns]]:
    """The rows of a query for columns, by Core alone: the ORM's layers cost twice as much.

    `values` are those of its `bindparam`s. What costs most is to build a query: one that is asked
    often is built once.
    """
    return _result(query, values).all()


def first(query: Select[*Columns], values: dict[str, Any] | None = None) -> Row[*Columns] | None:
    """The first row of a query, as `rows`; None where there is none."""
    return _result(query, values).first()


def _result(query: Select[*Columns], values: dict[str, Any] | None) -> CursorResult[*Columns]:
    # What the session has not written yet must be seen, as it is by `session.execute`.
    session.flush()
    return session.connection().execute(query, values)


def as_dict(row: Row[*tuple[Any, ...]] | dict[str, Any]) -> dict[str, Any]:
    """The columns of a row by name; a dictionary as it is."""
    return row if isinstance(row, dict) else dict(row._mapping)  # noqa: SLF001 - its public name


def missing(model: type[Model], id: int) -> NotFound:  # noqa: A002
    """The refusal that there is no such row: `There is no movie 7.`, MOVIE_NOT_FOUND."""
    name = model.__name__
    words = WORD_STARTS.sub(" ", name).lower()
    code = words.upper().replace(" ", "_") + "_NOT_FOUND"
    return NotFound(f"There is no {words} {id}.", code)


def engine_for(url: str, *, pool_size: int = 4, statement_timeout: int = 15) -> Engine:
    """An engine on a PostgreSQL. `url` may say `postgresql://`; the driver is always psycopg2.

    Every connection speaks UTC, ends a statement after `statement_timeout` seconds and never sits
    in a transaction for longer than a minute. One that has gone without a word is noticed within
    half a minute. Without a pool (`pool_size=0`) each is opened anew.
    """
    options = (
        f"-c timezone=UTC -c statement_timeout={statement_timeout}s "
        "-c idle_in_transaction_session_timeout=60s -c lock_timeout=10s"
    )
    pool = {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": 10}
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg2"),
        **(pool if pool_size else {"poolclass": NullPool}),
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            "options": options,
            "application_name": "marquee",
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,
        },
    )


def connect(engine: Engine) -> None:
    """Make `session`, and whoever asks for `engine()`, speak to this engine."""
    Session.configure(bind=engine)
    _connected.append(engine)


def engine() -> Engine:
    """The engine of this process, for what needs a connection beside the session's."""
    return _connected[-1]


class _Transaction:
    """As a class, which costs less than a generator: it surrounds every request."""

    def __enter__(self) -> None:
        if session.registry.has():
            raise RuntimeError("transaction() inside another: the outer one is the boundary.")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not session.registry.has():
            return
        actions: Iterable[Callable[[], object]] = ()
        try:
            if kind is None:
                actions = _commit()
            else:
                session.rollback()
        finally:
            session.remove()
        for action in actions:
            action()


def transaction() -> AbstractContextManager[None]:
    """Commit what the block did, or none of it. Nothing else commits; it cannot be nested."""
    return _Transaction()


def checkpoint() -> None:
    """Commit what the present transaction did so far, and give its connection back.

    Before slow work that needs no database, such as a password's hash, and for what must outlive a
    refusal, such as a failed sign-in that is counted. What follows is a transaction of its own.
    """
    for action in _commit():
        action()


def _commit() -> Iterable[Callable[[], object]]:
    """Commit; what is to be done now that it is."""
    try:
        session.commit()
    except BaseException:
        session.rollback()
        raise
    actions: Iterable[Callable[[], object]] = session.info.pop(AFTER_COMMIT, ())
    return actions


def after_commit(action: Callable[[], object]) -> None:
    """Do this when the present transaction has been committed, and never if it is rolled back."""
    session.info.setdefault(AFTER_COMMIT, []).append(action)


def locked(*parts: object) -> bool:
    """Try to hold a lock of this name until the transaction ends; False if another holds it."""
    name = ":".join(str(part) for part in parts)
    query = text("select pg_try_advisory_xact_lock(hashtextextended(:name, 0))")
    return bool(session.scalar(query, {"name": name}))
