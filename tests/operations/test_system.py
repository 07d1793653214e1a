"""openapi/operations/system.yaml."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, insert, select

from marquee import __version__, audit, clock, db
from marquee.identity.auth.models import (
    OneTimeToken,
    RefreshToken,
    Session,
    SignInAttempts,
)
from marquee.identity.users.models import User
from marquee.operations.system import build, checks, cleanup
from marquee.web.idempotency import StoredAnswer
from marquee.web.limits import rate_limits
from tests.answers import refused
from tests.queries import statements
from tests.redis_server import PASSWORD, RedisServer

Make = Callable[..., Any]
Set = Callable[..., None]
METRICS = {"Authorization": "Bearer the metrics token"}
CRON = {"Authorization": "Bearer the cron secret"}


@pytest.fixture
def checked_now(monkeypatch: pytest.MonkeyPatch) -> checks.Checks:
    """Health checks that have found nothing yet."""
    fresh = checks.Checks({"postgres": checks.check_postgres, "redis": checks.check_redis})
    monkeypatch.setattr(checks, "CHECKS", fresh)
    return fresh


@pytest.fixture
def no_database(database: None) -> Iterator[None]:
    """The server as it is when its PostgreSQL is gone."""
    bound = db.Session.kw["bind"]
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # nobody else gets the port, and nobody listens there
        away = db.engine_for(f"postgresql://127.0.0.1:{closed.getsockname()[1]}/nothing")
        db.connect(away)
        yield
        db._connected.remove(away)  # noqa: SLF001 - servers never go back
        db.session.remove()
        db.Session.configure(bind=bound)
        away.dispose()


@pytest.fixture
def root(base_url: str, database: None) -> Iterator[httpx.Client]:
    """A client of the server's root, outside of the contract's base path."""
    with httpx.Client(base_url=base_url) as client:
        yield client


@pytest.mark.usefixtures("checked_now")
class TestGetHealth:
    def test_all_is_well(self, anonymous: httpx.Client, set_variables: Set) -> None:
        set_variables(REGION="eu-north-1")
        answer = anonymous.get("/health")
        assert answer.status_code == 200
        health = answer.json()
        assert health["status"] == "ok"
        assert health["checks"] == {"postgres": "ok", "redis": "not_configured"}
        assert health["region"] == "eu-north-1"
        age = datetime.now(UTC) - datetime.fromisoformat(health["timestamp"])
        assert abs(age) < timedelta(seconds=10)
        assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.usefixtures("no_database")
    def test_postgres_is_down(self, anonymous: httpx.Client) -> None:
        started = time.perf_counter()
        answer = anonymous.get("/health")
        assert time.perf_counter() - started < 3
        assert refused(answer) == (503, "DATABASE_UNAVAILABLE")
        down = {"postgres": "error", "redis": "not_configured"}
        assert answer.json()["error"]["details"] == {"checks": down}
        assert int(answer.headers["retry-after"]) >= 1
        assert "127.0.0.1" not in answer.text

    def test_redis_comes_and_goes(self, anonymous: httpx.Client, set_variables: Set) -> None:
        with RedisServer() as redis:
            set_variables(REDIS_URL=redis.url, REDIS_PASSWORD=PASSWORD)
            assert anonymous.get("/health").json()["checks"]["redis"] == "ok"
            redis.stop()
            # What was found is told for a second.
            assert anonymous.get("/health").json()["checks"]["redis"] == "ok"
            time.sleep(checks.KEPT + 0.05)
            answer = anonymous.get("/health")
            assert refused(answer) == (503, "REDIS_UNAVAILABLE")
            states = {"postgres": "ok", "redis": "error"}
            assert answer.json()["error"]["details"] == {"checks": states}
            assert PASSWORD not in answer.text

    def test_a_wrong_password_of_redis(self, anonymous: httpx.Client, set_variables: Set) -> None:
        with RedisServer() as redis:
            set_variables(REDIS_URL=redis.url, REDIS_PASSWORD="wrong")
            answer = anonymous.get("/health")
            assert answer.json()["error"]["details"]["checks"]["redis"] == "error"
            assert "wrong" not in answer.text


@pytest.mark.usefixtures("checked_now")
class TestGetLiveness:
    @pytest.mark.parametrize("path", ["/healthz", "/api/v1/healthz"])
    def test_needs_nothing(self, root: httpx.Client, no_database: None, path: str) -> None:
        answer = root.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.usefixtures("checked_now")
class TestGetReadiness:
    @pytest.mark.parametrize("path", ["/readyz", "/api/v1/readyz"])
    def test_the_database_answers(self, root: httpx.Client, path: str) -> None:
        answer = root.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})

    @pytest.mark.parametrize("path", ["/readyz", "/api/v1/readyz"])
    def test_it_does_not(self, root: httpx.Client, no_database: None, path: str) -> None:
        answer = root.get(path)
        assert refused(answer) == (503, "DATABASE_UNAVAILABLE")
        assert answer.headers["retry-after"] == "1"


class TestGetStartup:
    @pytest.mark.parametrize("path", ["/startupz", "/api/v1/startupz"])
    def test_the_tables_are_there(self, root: httpx.Client, path: str) -> None:
        answer = root.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})

    def test_they_are_not(self, anonymous: httpx.Client, engine: Engine) -> None:
        """In the database that every PostgreSQL has beside ours."""
        empty = db.engine_for(
            engine.url.set(database="template1").render_as_string(hide_password=False)
        )
        db.connect(empty)
        try:
            answer = anonymous.get("/startupz")
        finally:
            db._connected.remove(empty)  # noqa: SLF001 - servers never go back
            empty.dispose()
        assert refused(answer) == (503, "DATABASE_UNAVAILABLE")

    def test_the_database_is_away(self, anonymous: httpx.Client, no_database: None) -> None:
        assert refused(anonymous.get("/startupz")) == (503, "DATABASE_UNAVAILABLE")


class TestWithoutADatabase:
    def test_operations_say_so(self, client: httpx.Client, me: User, no_database: None) -> None:
        for answer in (
            client.get("/users/me"),
            client.post("/movies/ratings", json={"movie_id": 1, "rating": 1}),
        ):
            assert refused(answer) == (503, "DATABASE_UNAVAILABLE")
            assert int(answer.headers["retry-after"]) >= 1


class TestGetBuildInfo:
    @pytest.fixture(autouse=True)
    def forget(self) -> Iterator[None]:
        """What was told to other tests."""
        for told in (build.commit, build.branch):
            told.cache_clear()
        yield
        for told in (build.commit, build.branch):
            told.cache_clear()

    def test_tells_what_the_environment_says(
        self, anonymous: httpx.Client, set_variables: Set
    ) -> None:
        commit = "2f0c1e9f3a6d4a7c8b5e1d2c3b4a5f6e7d8c9b0a"
        set_variables(
            BUILD_COMMIT=commit,
            BUILD_BRANCH="release",
            BUILD_CHANNEL="beta",
            PUBLIC_URL="https://api.example.org",
            MARQUEE_ENV="staging",
        )
        told = anonymous.get("/build").json()
        assert told | {"timestamp": ""} == {
            "app": "marquee",
            "version": __version__,
            "channel": "beta",
            "commit_sha": commit,
            "commit_short_sha": commit[:7],
            "branch": "release",
            "environment": "staging",
            "base_url": "https://api.example.org",
            "timestamp": "",
        }

    def test_asks_git_otherwise(self, anonymous: httpx.Client) -> None:
        answer = anonymous.get("/build")
        git = subprocess.run(
            ["git", "-C", str(build.CHECKOUT), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert answer.json()["commit_sha"] == (git.stdout.strip() or None)
        assert answer.headers["cache-control"] == "no-store"


class TestGetMetrics:
    def test_is_what_prometheus_reads(self, anonymous: httpx.Client) -> None:
        promtool = shutil.which("promtool")
        assert promtool, "This test needs promtool (Debian's package prometheus)."
        anonymous.get("/healthz")
        answer = anonymous.get("/metrics", headers=METRICS)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
        checked = subprocess.run(
            [promtool, "check", "metrics"],
            input=answer.content,
            capture_output=True,
            check=False,
        )
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")

    def test_counts_by_operation(self, anonymous: httpx.Client) -> None:
        line = 'http_requests_total{method="GET",operation="get_liveness",status="200"}'

        def counted() -> float:
            lines = anonymous.get("/metrics", headers=METRICS).text.splitlines()
            found = [each for each in lines if each.startswith(line)]
            return float(found[0].rpartition(" ")[2]) if found else 0.0

        before = counted()
        for path in ("/healthz", "/healthz", "/healthz?x=1"):
            anonymous.get(path)
        assert counted() == before + 2

    @pytest.mark.parametrize(
        "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer"}]
    )
    def test_needs_its_token(self, anonymous: httpx.Client, headers: dict[str, str]) -> None:
        assert refused(anonymous.get("/metrics", headers=headers)) == (401, "INVALID_TOKEN")

    def test_an_administrators_key_is_another(self, admin: httpx.Client) -> None:
        assert admin.get("/metrics").status_code == 401

    def test_nobody_is_let_in_without_a_token_to_know_them_by(
        self, anonymous: httpx.Client, set_variables: Set
    ) -> None:
        set_variables(METRICS_TOKEN=None)
        for headers in ({}, {"Authorization": "Bearer"}, METRICS):
            assert anonymous.get("/metrics", headers=headers).status_code == 401

    def test_may_be_switched_off(self, anonymous: httpx.Client, set_variables: Set) -> None:
        set_variables(METRICS_ENABLED="false")
        for headers in ({}, METRICS):
            assert refused(anonymous.get("/metrics", headers=headers)) == (404, "NOT_FOUND")


class TestRunCronCleanup:
    @pytest.fixture
    def rows(self, make: Make, me: User) -> dict[str, Any]:
        """Of each kind, what has expired and what has not."""
        now, hour = clock.now(), timedelta(hours=1)

        def opened(**values: Any) -> Session:
            session: Session = make(Session, user_id=me.id, **values)
            return session

        def stored(key: str, created_at: datetime) -> StoredAnswer:
            values = {"fingerprint": b"", "status": 201, "headers": {}, "body": b""}
            answer: StoredAnswer = make(
                StoredAnswer, user_id=me.id, key=key, created_at=created_at, **values
            )
            return answer

        counters = [
            {"key": "old", "count": 1, "expires_at": now.timestamp() - 1},
            {"key": "new", "count": 1, "expires_at": now.timestamp() + 60},
        ]
        db.session.execute(insert(rate_limits), counters)
        db.session.commit()
        for ended in ({"expires_at": now - hour}, {"expires_at": now + hour}):
            make(OneTimeToken, purpose="test", digest=str(ended).encode(), **ended)
            make(SignInAttempts, key=str(ended), count=1, ends_at=ended["expires_at"])
        lines = {"action": "test.test", "success": True}
        make(audit.Activity, created_at=now - audit.KEPT - hour, **lines)
        stored("old", now - 25 * hour)
        opened(expires_at=now - hour)
        opened(expires_at=now + hour, revoked_at=now - 25 * hour)
        holds = opened(expires_at=now + hour).id
        ended = opened(expires_at=now + hour, revoked_at=now - hour).id
        for digest, session_id in ((b"1", holds), (b"2", ended), (b"3", ended)):
            make(RefreshToken, session_id=session_id, digest=digest)
        return {
            "sessions": [holds, ended],
            "answers": [stored("new", now - 23 * hour).id],
            "lines": [make(audit.Activity, created_at=now - audit.KEPT + hour, **lines).id],
        }

    def test_removes_what_has_expired_and_nothing_else(
        self, anonymous: httpx.Client, rows: dict[str, Any], me: User
    ) -> None:
        answer = anonymous.get("/cron/cleanup", headers=CRON)
        assert answer.status_code == 200
        cleaned = {
            "refresh_tokens": 2,
            "sessions": 2,
            "one_time_tokens": 1,
            "sign_in_attempts": 1,
            "idempotency_keys": 1,
            "rate_limits": 1,
            "activity": 1,
            "job_runs": 0,
        }
        assert answer.json() == {"success": True, "cleaned": cleaned, "total": 9}
        assert list(db.session.scalars(select(RefreshToken.session_id))) == rows["sessions"][:1]
        for ends_at in (OneTimeToken.expires_at, SignInAttempts.ends_at):
            assert db.session.scalars(select(ends_at)).one() > clock.now()
        assert set(db.session.scalars(select(Session.id))) == set(rows["sessions"])
        assert list(db.session.scalars(select(StoredAnswer.id))) == rows["answers"]
        assert list(db.session.scalars(select(rate_limits.c.key))) == ["new"]
        left = db.session.execute(select(audit.Activity.id, audit.Activity.action))
        actions = {row.id: row.action for row in left}
        assert actions.pop(rows["lines"][0]) == "test.test"
        assert list(actions.values()) == ["system.cleanup"]
        again = anonymous.get("/cron/cleanup", headers=CRON)
        assert again.json()["total"] == 0

    def test_removes_in_batches(
        self, anonymous: httpx.Client, make: Make, monkeypatch: pytest.MonkeyPatch, engine: Engine
    ) -> None:
        monkeypatch.setattr(cleanup, "BATCH", 3)
        long_ago = clock.now() - audit.KEPT - timedelta(hours=1)
        for _ in range(7):
            make(audit.Activity, action="test.test", success=True, created_at=long_ago)
        with statements(engine) as sent:
            answer = anonymous.get("/cron/cleanup", headers=CRON)
        assert answer.json()["cleaned"]["activity"] == 7
        assert len([each for each in sent if each.startswith("DELETE FROM activity ")]) == 3

    @pytest.mark.parametrize(
        "headers",
        [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer the metrics token"}],
    )
    def test_needs_its_secret(
        self, anonymous: httpx.Client, rows: dict[str, Any], headers: dict[str, str]
    ) -> None:
        answer = anonymous.get("/cron/cleanup", headers=headers)
        assert refused(answer) == (401, "INVALID_TOKEN")
        assert len(list(db.session.scalars(select(StoredAnswer.id)))) == 2

    def test_nobody_is_let_in_without_a_secret_to_know_them_by(
        self, anonymous: httpx.Client, rows: dict[str, Any], set_variables: Set
    ) -> None:
        set_variables(CRON_SECRET=None)
        for headers in ({}, {"Authorization": "Bearer"}, CRON):
            answer = anonymous.get("/cron/cleanup", headers=headers)
            assert refused(answer) == (503, "NOT_CONFIGURED")
            assert int(answer.headers["retry-after"]) >= 1
        assert len(list(db.session.scalars(select(StoredAnswer.id)))) == 2
