"""Rows that are really committed, for tests of several transactions at once.

What a test makes here, and whatever hangs on it, is deleted when the block ends.
"""

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import httpx
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from marquee import db
from marquee.audit import Activity
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.titles import search_title, sort_title
from marquee.identity.api_keys.models import ApiKey
from marquee.identity.users.models import Role, User, UserRole
from marquee.web.idempotency import StoredAnswer
from tests.contract.checking import check_answer

Made = TypeVar("Made", bound=db.Model)
numbers = itertools.count(1)


class Committed:
    """Makes rows, and clients that call as the users among them."""

    def __init__(self, session: Session, clients: ExitStack) -> None:
        self.session, self._clients = session, clients
        self.users: list[int] = []
        self._before = set(session.scalars(select(Movie.id)))

    def make(self, model: type[Made], **values: Any) -> Made:
        """Save one of anything."""
        made = model(**values)
        self.session.add(made)
        self.session.commit()
        return made

    def movie(self, title: str = "Jaws", **values: Any) -> Movie:
        """A film."""
        words = {"search_title": search_title(title), "sort_title": sort_title(title)}
        return self.make(Movie, title=title, **words, **values)

    def user(self, role: str = "user") -> User:
        """An account with a role."""
        name = f"committed-{next(numbers)}"
        user = self.make(User, username=name, email=f"{name}@example.org")
        self.users.append(user.id)
        role_id = self.session.scalars(select(Role.id).where(Role.name == role)).one()
        self.make(UserRole, user_id=user.id, role_id=role_id)
        return user

    def client(self, url: str, user: User) -> httpx.Client:
        """A client that calls a server as a user."""
        key = f"mq_committed_{next(numbers):030d}"
        digest = hashlib.sha256(key.encode()).digest()
        scopes = ["read", "write", "admin"]
        name = {"name": "test", "key_prefix": key[:8]}
        self.make(ApiKey, user_id=user.id, digest=digest, scopes=scopes, **name)
        client = httpx.Client(
            base_url=f"{url}/api/v1",
            headers={"Authorization": f"Bearer {key}"},
            event_hooks={"response": [check_answer]},
            timeout=30,
        )
        return self._clients.enter_context(client)

    def clear(self) -> None:
        """Delete all films and users that were not there before."""
        self.session.rollback()
        for model in (Activity, StoredAnswer):
            self.session.execute(delete(model).where(model.user_id.in_(self.users)))
        self.session.execute(delete(User).where(User.id.in_(self.users)))
        self.session.execute(delete(Movie).where(Movie.id.not_in(self._before)))
        self.session.commit()


@contextmanager
def committed(engine: Engine) -> Iterator[Committed]:
    """A maker of committed rows."""
    with Session(engine, expire_on_commit=False) as session, ExitStack() as clients:
        made = Committed(session, clients)
        try:
            yield made
        finally:
            made.clear()
