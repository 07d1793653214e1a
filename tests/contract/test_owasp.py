"""The OWASP API Security Top 10 of 2023, each item by name.

https://owasp.org/API-Security/editions/2023/en/0x11-t10/. What stands here holds for every
operation of the contract, whatever is added to it; the tags' own tests look closer.
"""

import itertools
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from marquee import clock, db, settings
from marquee.catalogue.movies import sources
from marquee.db import Model
from marquee.identity.api_keys.models import ApiKey
from marquee.identity.auth.models import Session
from marquee.identity.mfa.models import Passkey
from marquee.services import http
from marquee.taste.favorites.models import Favorite
from marquee.viewer import ADMINISTRATIVE
from tests.contract.calls import (
    FOR_USERS,
    OPERATIONS,
    PERMITTED,
    UNSAFE,
    WITH_JSON,
    Operation,
    name_of,
    refused,
)
from tests.fakes.tmdb import KEY, FakeTmdb
from tools.contract.exceptions import AGREED

Call = Callable[..., Any]
OWNED = ("favorite_id", "session_id", "key_id", "passkey_id")
"""Parameters of a path that name what belongs to one user."""
OF_ONE_USER = [
    each
    for each in FOR_USERS
    if any(f"{{{name}}}" in each.path for name in OWNED) and "{user_id}" not in each.path
]
PRIVILEGES = {
    "id": 1,
    "user_id": 1,
    "role": "admin",
    "roles": ["admin"],
    "is_admin": True,
    "permissions": ["*:*"],
    "email_verified": True,
    "provider_user_id": "1",
    "created_at": "2001-01-01T00:00:00Z",
}
GUESSABLE = {"login", "register", "forgot_password", "reset_password", "verify_email"}
"""Operations by which a stranger could guess or flood."""


class TestApi1BrokenObjectLevelAuthorization:
    @pytest.fixture
    def theirs(self, make: Call, make_user: Call, world: None) -> dict[str, int]:
        """Ids of things that another user owns."""
        other = make_user("user")
        later = clock.now().replace(year=2100)
        passkey = {"credential_id": b"theirs", "public_key": b"key", "backed_up": False}
        key = {"key_prefix": "mq_", "digest": b"theirs", "scopes": ["read"]}
        film = db.session.execute(text("select id from movies order by id limit 1")).scalar_one()
        made: dict[str, Model] = {
            "favorite_id": make(Favorite, user_id=other.id, movie_id=film),
            "session_id": make(Session, user_id=other.id, expires_at=later),
            "key_id": make(ApiKey, user_id=other.id, name="theirs", **key),
            "passkey_id": make(Passkey, user_id=other.id, name="theirs", **passkey),
        }
        assert set(made) == set(OWNED)
        return {name: row.id for name, row in made.items()}

    @pytest.mark.parametrize("operation", OF_ONE_USER, ids=name_of)
    def test_what_is_another_users_is_not_there(
        self, client: httpx.Client, theirs: dict[str, int], operation: Operation
    ) -> None:
        answer = operation.call(client, **theirs)
        unknown = operation.call(client, **dict.fromkeys(OWNED, 2**53 - 1))
        assert (answer.status_code, unknown.status_code) == (404, 404)
        codes = [each.json()["error"]["code"] for each in (answer, unknown)]
        assert codes[0] == codes[1]

    @pytest.mark.parametrize("operation", OF_ONE_USER, ids=name_of)
    def test_not_even_for_an_administrator(
        self, admin: httpx.Client, theirs: dict[str, int], operation: Operation
    ) -> None:
        assert operation.call(admin, **theirs).status_code == 404


class TestApi2BrokenAuthentication:
    @pytest.mark.parametrize("name", sorted(GUESSABLE))
    def test_guessing_is_limited(self, name: str) -> None:
        (operation,) = [each for each in OPERATIONS if each.name == name]
        assert operation.definition["x-rate-limit"] == "auth"

    def test_no_credential_is_taken_from_an_address(self) -> None:
        for operation in OPERATIONS:
            for parameter in operation.parameters:
                secret = {"token", "key", "password", "secret", "api_key", "access_token"}
                assert parameter["in"] != "query" or parameter["name"] not in secret

    @pytest.mark.parametrize("operation", FOR_USERS, ids=name_of)
    def test_a_credential_in_the_query_is_none(
        self, anonymous: httpx.Client, operation: Operation
    ) -> None:
        for query in ("access_token=x", "api_key=1234567890", "token=x"):
            answer = anonymous.request(operation.method.upper(), f"{operation.url()}?{query}")
            refused(answer, 401, "INVALID_TOKEN")


class TestApi3BrokenObjectPropertyLevelAuthorization:
    @pytest.mark.parametrize("operation", WITH_JSON, ids=name_of)
    def test_nobody_assigns_what_is_not_theirs_to_say(
        self, admin: httpx.Client, operation: Operation
    ) -> None:
        """Even an administrator, who may do everything, only says what the contract has."""
        content = operation.definition["requestBody"]["content"]["application/json"]
        known, method, url = content["schema"]["properties"], operation.method, operation.url()
        for name in PRIVILEGES.keys() - known.keys():
            sent = {**operation.body, name: PRIVILEGES[name]}
            answer = admin.request(method.upper(), url, json=sent, headers=operation.secret())
            refused(answer, 400, "VALIDATION_ERROR")

    def test_no_answer_has_a_property_that_the_contract_does_not_name(self) -> None:
        found = [
            f"{operation.name}: {path}"
            for operation in OPERATIONS
            for response in operation.success.values()
            for content in response.get("content", {}).values()
            for path, schema in _objects(content.get("schema", {}), operation.name)
            if schema.get("additionalProperties") is True
        ]
        assert found == []

    def test_no_answer_has_a_secret(self) -> None:
        secrets = {"password", "password_hash", "digest", "client_secret", "sealed_secret"}
        found = [
            f"{operation.name}: {path}"
            for operation in OPERATIONS
            for response in operation.success.values()
            for content in response.get("content", {}).values()
            for path, _ in _properties(content.get("schema", {}), "")
            if path.rpartition("/")[2] in secrets
        ]
        assert found == []


class TestApi4UnrestrictedResourceConsumption:
    @pytest.mark.parametrize("operation", WITH_JSON, ids=name_of)
    def test_a_large_body_is_refused_unread(
        self, admin: httpx.Client, operation: Operation
    ) -> None:
        most = operation.definition["requestBody"].get("x-max-bytes", 1024 * 1024)
        headers = {**operation.secret(), "Content-Type": "application/json"}
        content = b'"' + b"x" * most + b'"'
        answer = admin.request(
            operation.method.upper(), operation.url(), content=content, headers=headers
        )
        refused(answer, 413, "PAYLOAD_TOO_LARGE")

    def test_every_list_has_a_bound(self) -> None:
        found = [
            f"{operation.name}: {path}"
            for operation in OPERATIONS
            for response in operation.success.values()
            for content in response.get("content", {}).values()
            for path, schema in _arrays(content.get("schema", {}), "")
            if "maxItems" not in schema
        ]
        assert found == []


class TestApi5BrokenFunctionLevelAuthorization:
    @pytest.mark.parametrize(
        "operation",
        [each for each in PERMITTED if (each.permission or "").partition(":")[0] in ADMINISTRATIVE],
        ids=name_of,
    )
    @pytest.mark.parametrize("role", ["guest", "user"])
    def test_administration_is_not_for_users(
        self,
        anonymous: httpx.Client,
        token_of: Call,
        make_user: Call,
        operation: Operation,
        role: str,
    ) -> None:
        user = make_user(role)
        answer = operation.call(anonymous, token_of(user), user_id=user.id)
        refused(answer, 403, "INSUFFICIENT_PERMISSIONS")

    def test_no_header_makes_an_administrator(self, client: httpx.Client) -> None:
        claims = {"X-Internal-Request": "true", "X-Role": "admin", "X-Forwarded-User": "admin"}
        answer = client.get("/admin/activity", headers=claims)
        refused(answer, 403, "INSUFFICIENT_PERMISSIONS")


class TestApi6UnrestrictedAccessToSensitiveBusinessFlows:
    def test_what_a_stranger_may_start_is_limited_by_address(self) -> None:
        """Sending mail, making accounts, hashing passwords."""
        found = {
            each.name
            for each in OPERATIONS
            if each.anonymous
            and each.method != "get"
            and each.definition.get("x-rate-limit", "default") == "default"
        }
        harmless = {
            "refresh_token",  # takes a secret of 256 bits
            "refresh_session",  # as refresh_token
            "start_passkey_login",  # gives a challenge, which pages ask for as they open
        }
        assert found <= harmless


class TestApi7ServerSideRequestForgery:
    @pytest.mark.parametrize(
        "issuer",
        [
            "file:///etc/passwd",
            "gopher://127.0.0.1:5432/",
            "http://169.254.169.254/latest/meta-data",
            "http://internal.example",
            "https://user:password@example.org",
        ],
    )
    def test_an_issuer_is_an_https_address(self, admin: httpx.Client, issuer: str) -> None:
        body = {"name": "x", "display_name": "X", "issuer_url": issuer, "client_id": "x"}
        answer = admin.post("/admin/oidc/providers", json=body | {"provider_type": "generic"})
        assert answer.status_code in (400, 422), answer.text


class TestApi8SecurityMisconfiguration:
    @pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
    def test_every_answer_is_locked_down(
        self, anonymous: httpx.Client, operation: Operation
    ) -> None:
        answer = operation.call(anonymous)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in answer.headers
        assert "x-powered-by" not in answer.headers

    @pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND"])
    def test_no_other_method(self, anonymous: httpx.Client, method: str) -> None:
        assert anonymous.request(method, "/movies").status_code in (400, 405)


class TestApi9ImproperInventoryManagement:
    def test_the_server_has_no_path_that_the_contract_does_not_name(self, app: Any) -> None:
        assert set(app.engine.plans) == {each.name for each in OPERATIONS}

    @pytest.mark.parametrize(
        "path", ["/api/v0/movies", "/api/v2/movies", "/admin", "/debug", "/.env", "/metrics"]
    )
    def test_nothing_else_answers(self, base_url: str, path: str) -> None:
        assert httpx.get(f"{base_url}{path}").status_code == 404


class TestApi10UnsafeConsumptionOfApis:
    @pytest.mark.parametrize("kind", ["broken_json", "huge", "bomb", "redirect", "wrong_types"])
    def test_what_an_outside_service_says_is_not_believed(
        self, anonymous: httpx.Client, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        with FakeTmdb() as fake:
            fake.breaks(kind)
            monkeypatch.setenv("TMDB_API_KEY", KEY)
            monkeypatch.setenv("TMDB_BASE_URL", fake.url)
            monkeypatch.setattr(http, "FIRST_WAIT", 0.01)
            for cached in (settings.current, sources.source):
                cached.cache_clear()
            answer = anonymous.get("/movies/popular?page=9")
            monkeypatch.undo()
        for cached in (settings.current, sources.source):
            cached.cache_clear()
        refused(answer, 503, "EXTERNAL_API_ERROR")
        assert int(answer.headers["retry-after"]) >= 1


def test_every_write_is_in_the_audit_log() -> None:
    """A09 of the Web Top 10, which the API list takes for granted."""
    unaudited = {each.name for each in UNSAFE if "x-audit" not in each.definition}
    assert unaudited == AGREED.without_audit


def _objects(schema: dict[str, Any], path: str, depth: int = 0) -> Any:
    for where, each in _properties(schema, path, depth):
        if each.get("type") == "object":
            yield where, each


def _arrays(schema: dict[str, Any], path: str, depth: int = 0) -> Any:
    for where, each in _properties(schema, path, depth):
        if each.get("type") == "array":
            yield where, each


def _properties(schema: dict[str, Any], path: str, depth: int = 0) -> Any:
    """All parts of a schema with where they stand; five levels are more than any answer has."""
    yield path, schema
    if depth > 5:
        return
    parts = itertools.chain(
        schema.get("properties", {}).items(),
        [("items", schema["items"])] if "items" in schema else [],
    )
    for name, part in parts:
        yield from _properties(part, f"{path}/{name}", depth + 1)
