"""The statuses that follow from the contract's rules happen, on every operation that has them."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import structlog
from sqlalchemy import Engine, text

from marquee import db, settings
from marquee.identity.auth import answers, tokens
from marquee.identity.users.models import User
from marquee.operations.system import checks
from marquee.web.app import create_app
from marquee.web.idempotency import StoredAnswer
from tests.contract import raw
from tests.contract.calls import OPERATIONS, WITH_BODY, Operation, name_of, refused
from tests.contract.checking import check_answer
from tests.serving import serving, serving_with

Call = Callable[..., Any]
JSON = "application/json"
ANSWERING = [each for each in OPERATIONS if any("content" in it for it in each.success.values())]
IDEMPOTENT = [each for each in OPERATIONS if each.definition.get("x-idempotent")]
CLOSED = [each for each in OPERATIONS if "x-open-query" not in each.definition]
"""Not where strangers add parameters of their own, which are ignored."""
CACHED = [each for each in OPERATIONS if "x-cache" in each.definition]
LIMITED = [each for each in OPERATIONS if each.definition.get("x-rate-limit") != "none"]
UNLIMITED = [each for each in OPERATIONS if each not in LIMITED]
INDEPENDENT = {
    "describe_movie_recommendation",
    "get_build_info",
    "get_liveness",
    "get_metrics",
}
"""Operations that need no database."""


@pytest.fixture
def headers(token_of: Call, make_user: Call) -> Call:
    """The headers by which an administrator may call an operation, or the system's secret."""
    root = make_user("admin")

    def headers(operation: Operation, **more: str) -> dict[str, str]:
        return {**(token_of(root) if operation.for_users else operation.secret()), **more}

    return headers


def target(operation: Operation, **values: object) -> str:
    """Its path from the root."""
    return "/api/v1" + operation.url(**values)


class TestClosedQueries:
    @pytest.mark.parametrize("operation", CLOSED, ids=name_of)
    def test_refuse_parameters_that_the_contract_does_not_have(
        self, admin: httpx.Client, operation: Operation
    ) -> None:
        sent = operation.secret()
        url = operation.url() + "?colour=red"
        answer = admin.request(
            operation.method.upper(),
            url,
            headers=sent,
            json=operation.body,
            files=operation.files,
        )
        refused(answer, 400, "VALIDATION_ERROR")
        assert answer.json()["error"]["details"]["errors"][0]["path"] == "/colour"


@pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
class TestEveryOperation:
    def test_repeats_a_well_formed_request_id_only(
        self, admin: httpx.Client, operation: Operation
    ) -> None:
        good = operation.call(admin, {"X-Request-Id": "a.well-formed_ID.1"})
        assert good.headers["x-request-id"] == "a.well-formed_ID.1"
        for bad in ("x" * 129, "with space", "<script>", ""):
            given = operation.call(admin, {"X-Request-Id": bad}).headers["x-request-id"]
            assert given != bad
            assert len(given) >= 16

    def test_is_guarded_by_headers(self, admin: httpx.Client, operation: Operation) -> None:
        answer = operation.call(admin)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert "cache-control" in answer.headers
        assert "server" not in answer.headers


class TestNegotiation:
    @pytest.mark.parametrize("operation", ANSWERING, ids=name_of)
    def test_406(self, admin: httpx.Client, operation: Operation) -> None:
        for accept in ("application/xml", "audio/*", "text/csv;q=1, application/xml"):
            refused(operation.call(admin, {"Accept": accept}), 406, "NOT_ACCEPTABLE")

    @pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
    def test_what_is_acceptable(self, admin: httpx.Client, operation: Operation) -> None:
        for accept in ("*/*", "application/*", "image/png, Application/JSON;q=0.9"):
            assert operation.call(admin, {"Accept": accept}).status_code != 406

    @pytest.mark.parametrize("operation", WITH_BODY, ids=name_of)
    @pytest.mark.parametrize(
        "media_type",
        [
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json; charset=bogus",
            "application/json; charset=utf-16",
            "application/jsonx",
            "json",
            "",
        ],
    )
    def test_415(self, base_url: str, headers: Call, operation: Operation, media_type: str) -> None:
        if media_type == operation.media_type:
            media_type = JSON
        sent = headers(operation, **{"Content-Type": media_type, "Content-Length": "2"})
        answer = raw.exchange(base_url, operation.method.upper(), target(operation), sent, b"{}")
        refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")

    @pytest.mark.parametrize("operation", WITH_BODY, ids=name_of)
    @pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "identity, gzip"])
    def test_415_for_content_codings(
        self, base_url: str, headers: Call, operation: Operation, coding: str
    ) -> None:
        coded = {"Content-Encoding": coding, "Content-Length": "2"}
        sent = headers(operation, **{"Content-Type": operation.media_type}, **coded)
        answer = raw.exchange(base_url, operation.method.upper(), target(operation), sent, b"{}")
        refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("operation", WITH_BODY, ids=name_of)
class TestLargeBodies:
    def largest(self, operation: Operation) -> int:
        return int(operation.definition["requestBody"].get("x-max-bytes", 1024 * 1024))

    def test_413_as_soon_as_it_is_declared(
        self, base_url: str, headers: Call, operation: Operation
    ) -> None:
        for declared in (self.largest(operation) + 1, 10**15, 2**63 - 1):
            framing = {"Content-Type": operation.media_type, "Content-Length": str(declared)}
            sent = headers(operation, **framing)
            with raw.connect(base_url) as connection:
                head = raw.head(operation.method.upper(), target(operation), sent)
                connection.sendall(head)
                answer = raw.answer(connection, operation.method.upper(), target(operation))
            refused(answer, 413, "PAYLOAD_TOO_LARGE")

    def test_413_when_it_turns_out(
        self, base_url: str, headers: Call, operation: Operation
    ) -> None:
        framing = {"Content-Type": operation.media_type, "Transfer-Encoding": "chunked"}
        sent = headers(operation, **framing)
        body = raw.chunked(b" " * (self.largest(operation) + 1))
        answer = raw.exchange(base_url, operation.method.upper(), target(operation), sent, body)
        refused(answer, 413, "PAYLOAD_TOO_LARGE")


def test_408_where_the_body_does_not_come(headers: Call) -> None:
    with serving_with(request_timeout=1) as url:
        waiting = []
        for operation in WITH_BODY:
            framing = {"Content-Type": operation.media_type, "Content-Length": "100"}
            sent = headers(operation, **framing)
            connection = raw.connect(url)
            connection.sendall(raw.head(operation.method.upper(), target(operation), sent) + b"{")
            waiting.append((operation, connection))
        for operation, connection in waiting:
            with connection:
                answer = raw.answer(connection, operation.method.upper(), target(operation))
                refused(answer, 408, "REQUEST_TIMEOUT")


class TestRateLimits:
    @pytest.fixture
    def limited(self) -> Iterator[str]:
        """A server that takes two requests a minute from each caller."""
        policies = (
            "rate_limit_default",
            "rate_limit_auth",
            "rate_limit_posters",
            "rate_limit_recommendations",
        )
        with serving_with(**dict.fromkeys(policies, "2/minute")) as url:
            yield url

    def test_429(self, limited: str, headers: Call, key_of: Call, make_user: Call) -> None:
        for operation in LIMITED:
            sent = {"Authorization": f"Bearer {key_of(make_user('admin'))}"}
            sent = sent if operation.for_users else operation.secret()
            with httpx.Client(
                base_url=f"{limited}/api/v1", event_hooks={"response": [check_answer]}
            ) as client:
                for number in range(1, 4):
                    # An answer that is stored is not counted again.
                    page = f"?page={number}" if operation.is_stored else ""
                    answer = client.request(
                        operation.method.upper(),
                        operation.url() + page,
                        headers=sent,
                        json=operation.body,
                        files=operation.files,
                    )
            refused(answer, 429, "RATE_LIMITED")
            policy = operation.definition.get("x-rate-limit", "default")
            seconds = int(answer.headers["retry-after"])
            assert 1 <= seconds <= 60
            assert answer.headers["ratelimit-policy"] == f'"{policy}";q=2;w=60'
            assert answer.headers["ratelimit"] == f'"{policy}";r=0;t={seconds}'

    def test_what_is_not_limited(self, limited: str, database: None) -> None:
        for operation in UNLIMITED:
            with httpx.Client(base_url=f"{limited}/api/v1") as client:
                statuses = {operation.call(client).status_code for _ in range(4)}
            assert 429 not in statuses


def test_500_tells_nothing_and_is_logged(headers: Call) -> None:
    app = create_app(settings.current())

    def broken(**_arguments: object) -> None:
        raise RuntimeError("the innermost secret")

    for plan in app.engine.plans.values():
        plan.handler = broken
    with (
        serving(app) as url,
        httpx.Client(base_url=f"{url}/api/v1", event_hooks={"response": [check_answer]}) as client,
    ):
        for operation in OPERATIONS:
            with structlog.testing.capture_logs() as lines:
                answer = operation.call(client, headers(operation))
            refused(answer, 500, "INTERNAL_ERROR")
            assert "secret" not in answer.text + str(answer.headers)
            assert "RuntimeError" not in answer.text
            [line] = [line for line in lines if line["event"] == "unhandled_exception"]
            assert str(line["exc_info"]) == "the innermost secret"


@pytest.mark.parametrize(
    "result", [({}, 299), ({"made": "up"}, 200), ("text", 200), (None, 200), None, object()]
)
def test_500_where_a_handler_breaks_the_contract(result: Any) -> None:
    app = create_app(settings.current())
    app.engine.plans["get_build_info"].handler = lambda: result
    with serving(app) as url:
        answer = httpx.get(f"{url}/api/v1/build")
    check_answer(answer)
    refused(answer, 500, "INTERNAL_ERROR")


class TestDatabaseDown:
    @pytest.fixture
    def down(self, engine: Engine) -> Iterator[None]:
        """No PostgreSQL where the server looks for one."""
        nowhere = db.engine_for("postgresql://nobody@127.0.0.1:1/nothing")
        db.Session.configure(bind=nowhere)
        db.connect(nowhere)
        yield
        db.connect(engine)

    def test_503_and_quickly(self, headers: Call, down: None) -> None:
        time.sleep(checks.KEPT)  # what the health checks found before is kept for so long
        with (
            serving_with() as url,
            httpx.Client(
                base_url=f"{url}/api/v1", event_hooks={"response": [check_answer]}
            ) as client,
        ):
            for operation in OPERATIONS:
                sent = operation.secret() or {"Authorization": f"Bearer {tokens.issue(1, 1)}"}
                sent["Cookie"] = f"marquee_session={answers.session_cookie(1)}"
                started = time.monotonic()
                with structlog.testing.capture_logs():
                    answer = operation.call(client, sent)
                assert time.monotonic() - started < 2, operation.name
                if operation.name in INDEPENDENT:
                    assert answer.status_code == 200
                    continue
                refused(answer, 503, "DATABASE_UNAVAILABLE")
                assert 1 <= int(answer.headers["retry-after"]) <= 60
                assert "127.0.0.1" not in answer.text


class TestConditions:
    @pytest.mark.parametrize("operation", CACHED, ids=name_of)
    def test_304(self, client: httpx.Client, me: User, world: None, operation: Operation) -> None:
        first = operation.call(client, user_id=me.id)
        assert first.status_code == 200
        etag = first.headers["etag"]
        for condition in (etag, f'"x", W/{etag.removeprefix("W/")}', "*"):
            again = operation.call(client, {"If-None-Match": condition}, user_id=me.id)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == etag
        other = operation.call(client, {"If-None-Match": '"x"'}, user_id=me.id)
        # What a weak tag is of may be said in other bytes.
        assert other.status_code == 200
        assert etag.startswith("W/") or other.content == first.content

    @pytest.mark.usefixtures("configured")
    @pytest.mark.parametrize("operation", IDEMPOTENT, ids=name_of)
    def test_409_while_the_first_is_running(
        self, permitted: httpx.Client, engine: Engine, me: User, world: None, operation: Operation
    ) -> None:
        lock = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
        with engine.begin() as other:
            other.execute(lock, {"name": f"idempotency:{me.id}:k1"})
            answer = operation.call(permitted, {"Idempotency-Key": "k1"}, user_id=me.id)
            refused(answer, 409, "IDEMPOTENT_REQUEST_RUNNING")
        again = operation.call(permitted, {"Idempotency-Key": "k1"}, user_id=me.id)
        assert str(again.status_code) in operation.success

    @pytest.mark.parametrize("operation", IDEMPOTENT, ids=name_of)
    def test_422_for_a_key_of_another_request(
        self, permitted: httpx.Client, make: Call, me: User, operation: Operation
    ) -> None:
        other = {"fingerprint": b"another", "status": 201, "headers": {}, "body": b"{}"}
        make(StoredAnswer, user_id=me.id, key="k2", **other)
        answer = operation.call(permitted, {"Idempotency-Key": "k2"}, user_id=me.id)
        refused(answer, 422, "IDEMPOTENCY_KEY_REUSED")

    @pytest.mark.parametrize("operation", IDEMPOTENT, ids=name_of)
    def test_400_for_a_malformed_key(
        self, permitted: httpx.Client, me: User, operation: Operation
    ) -> None:
        for key in ("", "x" * 256, "with space"):
            answer = operation.call(permitted, {"Idempotency-Key": key}, user_id=me.id)
            refused(answer, 400, "VALIDATION_ERROR")

    @pytest.mark.usefixtures("configured")
    @pytest.mark.parametrize("operation", IDEMPOTENT, ids=name_of)
    def test_a_replay_says_so(
        self, permitted: httpx.Client, me: User, world: None, operation: Operation
    ) -> None:
        first, again = (
            operation.call(permitted, {"Idempotency-Key": "k3"}, user_id=me.id) for _ in range(2)
        )
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        assert again.headers.get("etag") == first.headers.get("etag")
