"""What all tests share: one PostgreSQL, one server, a rolled-back transaction around each test.

The server is the real application behind real HTTP on 127.0.0.1, in this process, so that it sees
the test's own transaction. Tests that need several processes start them with `tests.live`.
`make test` shares the tests out to several processes, of which each has all of this for itself.
"""

import hashlib
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import structlog
import trustme
from sqlalchemy import Engine, insert, select

files = tempfile.TemporaryDirectory(prefix="marquee-tests-")
os.environ |= {
    "MARQUEE_DATA": files.name,
    "MARQUEE_SECRET_KEY": "a secret key of the tests, of fifty characters ....",
    "CRON_SECRET": "the cron secret",
    "METRICS_ENABLED": "true",
    "METRICS_TOKEN": "the metrics token",
    "ACCESS_LOG": "false",
    "RATE_LIMIT_DEFAULT": "1000000/minute",
    "RATE_LIMIT_AUTH": "1000000/minute",
    "RATE_LIMIT_POSTERS": "1000000/minute",
    "RATE_LIMIT_RECOMMENDATIONS": "1000000/minute",
    "SIGN_IN_ATTEMPTS": "1000000",
    # Nobody listens there: no test asks a server elsewhere.
    "IMAGE_BASE_URL": "http://127.0.0.1:9/t/p",
    "IMAGE_TIMEOUT": "0.4",
    "CACHE_DURATION_SECONDS": "30",
}
for variable in ("DATABASE_URL", "REDIS_URL", "TMDB_API_KEY", "MARQUEE_ENV"):
    os.environ.pop(variable, None)
# Lines of JSON, as the server's: structlog's own tracebacks take a second each.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
)

from marquee import clock, db, settings  # noqa: E402 - after the environment is what the tests say
from marquee.catalogue.movies.models import Movie  # noqa: E402
from marquee.catalogue.titles import search_title, sort_title  # noqa: E402
from marquee.catalogue.tvshows.models import Episode, Season, TVShow  # noqa: E402
from marquee.identity.api_keys.models import ApiKey  # noqa: E402
from marquee.identity.auth import tokens  # noqa: E402
from marquee.identity.auth.models import Session  # noqa: E402
from marquee.identity.users.models import Role, User, UserRole  # noqa: E402
from marquee.migrations import running  # noqa: E402
from marquee.postgres import temporary  # noqa: E402
from marquee.web.app import App, create_app  # noqa: E402
from tests.contract.checking import check_answer  # noqa: E402
from tests.live import own_database  # noqa: E402
from tests.serving import serving  # noqa: E402

pytest_plugins = ["tests.contract.exercised"]
Made = TypeVar("Made", bound=db.Model)
Make = Callable[..., Any]
numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def authorities() -> Iterator[None]:
    """One certificate authority in place of the public's hundred, which httpx reads anew for each
    client: that took most of a short test's time.
    """
    file = str(Path(files.name, "authority.pem"))
    trustme.CA().cert_pem.write_to_path(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", file)
        yield


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A database of this process: beside that of TEST_DATABASE_URL, else of an embedded
    PostgreSQL.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        with own_database(url) as own:
            yield own
        return
    with temporary() as postgres:
        yield postgres.url()


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the migrated database."""
    engine = db.engine_for(database_url, pool_size=20)
    running.migrate(engine)
    db.connect(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def app(engine: Engine) -> App:
    """The application."""
    return create_app(settings.current())


@pytest.fixture(scope="session")
def base_url(app: App) -> Iterator[str]:
    """The address of a server of the application."""
    with serving(app) as url:
        yield url


@pytest.fixture
def set_variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Change the server's settings for one test."""

    def set_variables(**variables: str | None) -> None:
        for name, value in variables.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        settings.current.cache_clear()

    yield set_variables
    monkeypatch.undo()
    settings.current.cache_clear()


@pytest.fixture
def database(engine: Engine) -> Iterator[None]:
    """The test in a transaction that is rolled back; the application's commits are savepoints in
    it.
    """
    with engine.connect() as connection, connection.begin() as outer:
        db.Session.configure(bind=connection, join_transaction_mode="create_savepoint")
        yield
        db.session.remove()
        outer.rollback()
        db.Session.configure(bind=engine)


@pytest.fixture
def make(database: None) -> Make:
    """Build and save one of anything: `make(Movie, title="Jaws")`."""

    def title(values: dict[str, Any]) -> dict[str, Any]:
        name = values.get("title", "Jaws")
        return {"title": name, "search_title": search_title(name), "sort_title": sort_title(name)}

    def name(_values: dict[str, Any]) -> dict[str, Any]:
        word = f"user-{next(numbers)}"
        return {"username": word, "email": f"{word}@example.org"}

    def season(values: dict[str, Any]) -> dict[str, Any]:
        number = values.get("season_number", 1)
        return {"season_number": number, "name": f"Season {number}", "episode_count": 0}

    def episode(values: dict[str, Any]) -> dict[str, Any]:
        of = db.session.get_one(Season, values["season_id"])
        return {
            "tvshow_id": of.tvshow_id,
            "season_number": of.season_number,
            "title": f"Episode {values['episode_number']}",
        }

    defaults: dict[type, Callable[[dict[str, Any]], dict[str, Any]]] = {
        Movie: title,
        TVShow: title,
        Season: season,
        Episode: episode,
        User: name,
    }

    def make(model: type[Made], **values: Any) -> Made:
        made = model(**{**defaults.get(model, lambda _values: {})(values), **values})
        db.session.add(made)
        db.session.commit()
        return made

    return make


@pytest.fixture
def make_user(make: Make) -> Make:
    """A user with one role: `make_user("admin")`."""

    def make_user(role: str = "user", **values: Any) -> User:
        user: User = make(User, **values)
        role_id = select(Role.id).where(Role.name == role).scalar_subquery()
        db.session.execute(insert(UserRole).values(user_id=user.id, role_id=role_id))
        db.session.commit()
        return user

    return make_user


@pytest.fixture
def key_of(make: Make) -> Callable[..., str]:
    """A new API key of a user."""

    def key_of(
        user: User, scopes: tuple[str, ...] = ("read", "write", "admin"), **values: Any
    ) -> str:
        key = f"mq_{next(numbers):040d}"
        digest = hashlib.sha256(key.encode()).digest()
        make(
            ApiKey,
            user_id=user.id,
            name="test",
            key_prefix=key[:8],
            digest=digest,
            scopes=list(scopes),
            **{"last_used_at": clock.now(), **values},
        )
        return key

    return key_of


@pytest.fixture
def client_of(base_url: str, key_of: Callable[..., str]) -> Iterator[Callable[..., httpx.Client]]:
    """A client that calls as a user; every answer is checked against the contract."""
    opened: list[httpx.Client] = []

    def client_of(user: User | None, **key: Any) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key_of(user, **key)}"} if user else {}
        client = httpx.Client(
            base_url=f"{base_url}/api/v1",
            headers=headers,
            event_hooks={"response": [check_answer]},
            timeout=30,
        )
        opened.append(client)
        return client

    yield client_of
    for client in opened:
        client.close()


@pytest.fixture
def token_of(make: Make) -> Callable[[User], dict[str, str]]:
    """The header of a user who has just signed in, which every operation for users takes."""

    def token_of(user: User) -> dict[str, str]:
        later = clock.now() + timedelta(hours=1)
        opened = make(Session, user_id=user.id, expires_at=later)
        return {"Authorization": f"Bearer {tokens.issue(user.id, opened.id)}"}

    return token_of


@pytest.fixture
def me(make_user: Make) -> User:
    """The user that `client` calls as."""
    return make_user("user")


@pytest.fixture
def client(client_of: Callable[..., httpx.Client], me: User) -> httpx.Client:
    """A client that calls as `me`."""
    return client_of(me)


@pytest.fixture
def admin(client_of: Callable[..., httpx.Client], make_user: Make) -> httpx.Client:
    """A client that calls as an administrator."""
    return client_of(make_user("admin"))


@pytest.fixture
def anonymous(client_of: Callable[..., httpx.Client], database: None) -> httpx.Client:
    """A client without a credential."""
    return client_of(None)
