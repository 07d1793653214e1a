"""A media server beside a server, of either kind: what tests of several domains share."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from marquee import db
from marquee.identity.users.models import User
from tests.fakes.jellyfin import API_KEY, FakeJellyfin, Person

CASEY = Person("casey", "")


@pytest.fixture(params=["jellyfin", "emby"])
def media_server(
    request: pytest.FixtureRequest, set_variables: Callable[..., None]
) -> Iterator[FakeJellyfin]:
    """A media server of each kind, as the settings name it, with an API key."""
    with FakeJellyfin(CASEY, kind=request.param) as fake:
        set_variables(
            MEDIA_SERVER_URL=fake.url,
            MEDIA_SERVER_KIND=fake.kind,
            MEDIA_SERVER_API_KEY=API_KEY,
            MEDIA_SERVER_TIMEOUT="1",
        )
        yield fake


@pytest.fixture
def member(make_user: Callable[..., User], media_server: FakeJellyfin) -> User:
    """A user who has an account there, and may manage the watch history."""
    of_it = {"provider": media_server.kind, "provider_user_id": CASEY.id}
    return make_user(can_manage_watch_history=True, **of_it)


def queued(task: str) -> list[dict[str, Any]]:
    """The arguments of a task's jobs in the queue."""
    query = text("select args from procrastinate_jobs where task_name = :task order by id")
    return list(db.session.scalars(query, {"task": task}))


def leave() -> None:
    """End the test's own session: the worker begins one. All is one transaction underneath, so that
    what the server did in the meantime would be rolled back with it.
    """
    db.session.commit()
    db.session.remove()
