"""openapi/identity/api_keys.yaml."""

import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from marquee import clock, db
from marquee.audit import Activity
from marquee.identity.api_keys.models import ApiKey
from marquee.identity.auth.models import Session
from marquee.identity.auth.tokens import issue
from marquee.identity.users.models import User
from tests.answers import refused
from tests.committed import committed
from tests.queries import statements

Make = Callable[..., Any]
SHOWN = {
    "id",
    "name",
    "description",
    "key_prefix",
    "scopes",
    "is_active",
    "created_at",
    "expires_at",
    "last_used_at",
}
NEW = {"name": "Backup script", "scopes": ["read"]}
LATER = timedelta(days=1)


@pytest.fixture
def signed_in(make: Make, anonymous: httpx.Client, me: User) -> httpx.Client:
    """A client that calls with an access token of `me`."""
    opened = make(Session, user_id=me.id, expires_at=clock.now() + LATER)
    anonymous.headers["Authorization"] = f"Bearer {issue(me.id, opened.id)}"
    return anonymous


@pytest.fixture
def other(make_user: Make) -> User:
    """Another user than `me`."""
    user: User = make_user("user")
    return user


def keys_of(user: User) -> list[ApiKey]:
    query = select(ApiKey).where(ApiKey.user_id == user.id).order_by(ApiKey.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


class TestCreateApiKey:
    def test_shows_the_key_once(self, signed_in: httpx.Client, me: User) -> None:
        body = NEW | {"description": "Every night.", "scopes": ["read", "write"]}
        answer = signed_in.post("/apikeys", json=body)
        made = answer.json()
        assert answer.status_code == 201
        assert set(made) == SHOWN | {"api_key", "message"}
        assert (made["name"], made["description"]) == ("Backup script", "Every night.")
        assert (made["scopes"], made["is_active"]) == (["read", "write"], True)
        assert (made["expires_at"], made["last_used_at"]) == (None, None)
        assert made["api_key"].startswith(made["key_prefix"])
        assert answer.headers["cache-control"] == "no-store"
        for later in (signed_in.get("/apikeys"), signed_in.get(f"/apikeys/{made['id']}")):
            assert made["api_key"] not in later.text

    def test_stores_a_digest_alone(self, signed_in: httpx.Client, me: User) -> None:
        key = signed_in.post("/apikeys", json=NEW).json()["api_key"]
        (stored,) = keys_of(me)
        assert stored.digest == sha256(key.encode()).digest()
        assert len(stored.key_prefix) < len(key) / 3
        assert key not in str(vars(stored))

    def test_the_key_is_the_user(self, signed_in: httpx.Client, me: User) -> None:
        key = signed_in.post("/apikeys", json=NEW).json()["api_key"]
        del signed_in.headers["Authorization"]
        for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
            assert signed_in.get("/users/me", headers=headers).json()["id"] == me.id

    def test_ends_with_a_checksum_as_those_of_github(self, signed_in: httpx.Client) -> None:
        """CRC-32 in base 62 with six digits, most significant first, of the random characters."""
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        seen = set()
        for _ in range(5):
            key = signed_in.post("/apikeys", json=NEW).json()["api_key"]
            random, check = key.removeprefix("mq_")[:-6], key[-6:]
            value = 0
            for digit in check:
                value = value * 62 + digits.index(digit)
            assert value == zlib.crc32(random.encode())
            seen.add(random)
        assert len(seen) == 5

    @pytest.mark.parametrize(
        "body",
        [
            {"name": "x"},
            {"scopes": ["read"]},
            {"name": "", "scopes": ["read"]},
            {"name": "x" * 256, "scopes": ["read"]},
            {"name": "x", "scopes": []},
            {"name": "x", "scopes": ["root"]},
            {"name": "x", "scopes": ["read", "read"]},
            {"name": "x", "scopes": "read"},
            {"name": "x", "scopes": ["read"], "description": "x" * 1001},
            {"name": "x", "scopes": ["read"], "expires_at": "tomorrow"},
            {"name": "x", "scopes": ["read"], "expires_at": "2099-01-01T00:00:00"},
            {"name": "x", "scopes": ["read"], "user_id": 1},
        ],
    )
    def test_a_body_that_breaks_the_contract(
        self, signed_in: httpx.Client, me: User, body: dict[str, Any]
    ) -> None:
        assert refused(signed_in.post("/apikeys", json=body)) == (400, "VALIDATION_ERROR")
        assert keys_of(me) == []

    def test_an_end_that_has_passed(self, signed_in: httpx.Client, me: User) -> None:
        body = NEW | {"expires_at": clock.now().isoformat()}
        answer = signed_in.post("/apikeys", json=body)
        assert refused(answer) == (400, "VALIDATION_ERROR")
        (error,) = answer.json()["error"]["details"]["errors"]
        assert (error["in"], error["path"]) == ("body", "/expires_at")

    def test_an_end_to_come(self, signed_in: httpx.Client, me: User) -> None:
        made = signed_in.post("/apikeys", json=NEW | {"expires_at": "2099-01-01T01:00:00+01:00"})
        assert made.json()["expires_at"] == "2099-01-01T00:00:00.000000Z"
        assert made.json()["is_active"] is True

    def test_eleventh_active_key(self, signed_in: httpx.Client, me: User, key_of: Make) -> None:
        for ended in ({"revoked_at": clock.now()}, {"expires_at": clock.now() - LATER}):
            key_of(me, **ended)
        made = [signed_in.post("/apikeys", json=NEW) for _ in range(11)]
        assert [each.status_code for each in made] == [201] * 10 + [409]
        assert refused(made[-1]) == (409, "API_KEY_LIMIT")
        signed_in.delete(f"/apikeys/{made[0].json()['id']}")
        assert signed_in.post("/apikeys", json=NEW).status_code == 201

    def test_admin_scope_needs_a_role_that_administers(
        self, signed_in: httpx.Client, admin: httpx.Client
    ) -> None:
        body = NEW | {"scopes": ["admin"]}
        assert refused(signed_in.post("/apikeys", json=body)) == (403, "INSUFFICIENT_PERMISSIONS")
        assert admin.post("/apikeys", json=body).status_code == 201

    @pytest.mark.parametrize(
        "held,asked,status",
        [
            (("write",), ["write"], 201),
            (("read", "write"), ["read"], 201),
            (("write",), ["read"], 403),
            (("write",), ["write", "admin"], 403),
            (("read",), ["read"], 403),
            (("admin",), ["read", "write", "admin"], 201),
        ],
    )
    def test_a_key_hands_on_no_more_than_its_own_scopes(
        self, client_of: Make, make_user: Make, held: tuple[str, ...], asked: list[str], status: int
    ) -> None:
        client = client_of(make_user("admin"), scopes=held)
        answer = client.post("/apikeys", json=NEW | {"scopes": asked})
        assert answer.status_code == status

    def test_a_key_makes_none_that_outlives_it(
        self, client_of: Make, me: User, make_user: Make
    ) -> None:
        end = clock.now() + LATER
        client = client_of(me, scopes=("read", "write"), expires_at=end)
        sooner, later = end - timedelta(hours=1), end + timedelta(hours=1)
        for ends, status in ((sooner, 201), (end, 201), (later, 403), (None, 403)):
            body = NEW | {"expires_at": ends and ends.isoformat()}
            assert client.post("/apikeys", json=body).status_code == status

    def test_is_told_by_the_audit_log_without_the_key(
        self, signed_in: httpx.Client, me: User
    ) -> None:
        made = signed_in.post("/apikeys", json=NEW).json()
        (line,) = db.session.scalars(select(Activity))
        assert (line.action, line.resource_type) == ("apikey.create", "apikey")
        assert (line.user_id, line.resource_id) == (me.id, str(made["id"]))
        assert made["api_key"] not in str(vars(line))

    def test_is_not_replayed(self, signed_in: httpx.Client, me: User) -> None:
        """The key would lie in the store of answers for a day."""
        sent = {"Idempotency-Key": "once"}
        made = [signed_in.post("/apikeys", json=NEW, headers=sent).json() for _ in range(2)]
        assert made[0]["api_key"] != made[1]["api_key"]


class TestCreateApiKeyAtOnce:
    def test_never_more_than_ten(self, engine: Engine, base_url: str) -> None:
        with committed(engine) as rows:
            user = rows.user()
            client = rows.client(base_url, user)

            def create(_: int) -> int:
                return client.post("/apikeys", json=NEW).status_code

            with ThreadPoolExecutor(8) as threads:
                statuses = list(threads.map(create, range(16)))
            # One of the ten is the client's own.
            assert sorted(statuses) == [201] * 9 + [409] * 7


class TestListApiKeys:
    def test_shows_ones_own_newest_first(
        self, signed_in: httpx.Client, key_of: Make, me: User, other: User
    ) -> None:
        key_of(other)
        key_of(me, revoked_at=clock.now())
        key_of(me, expires_at=clock.now() - LATER)
        key_of(me, expires_at=clock.now() + LATER, last_used_at=clock.now())
        listed = signed_in.get("/apikeys").json()
        assert [each["id"] for each in listed["items"]] == [k.id for k in reversed(keys_of(me))]
        assert [each["is_active"] for each in listed["items"]] == [True, False, False]
        assert all(set(each) == SHOWN for each in listed["items"])
        assert listed["next_cursor"] is None

    def test_goes_on_by_cursor(self, signed_in: httpx.Client, key_of: Make, me: User) -> None:
        for _ in range(5):
            key_of(me)
        seen, cursor = [], None
        for _ in range(3):
            params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = signed_in.get("/apikeys", params=params).json()
            seen += [each["id"] for each in page["items"]]
            cursor = page["next_cursor"]
        assert (seen, cursor) == ([each.id for each in reversed(keys_of(me))], None)

    def test_a_cursor_of_another_user(
        self, signed_in: httpx.Client, client_of: Make, key_of: Make, me: User, other: User
    ) -> None:
        for _ in range(2):
            key_of(me)
        cursor = signed_in.get("/apikeys?limit=1").json()["next_cursor"]
        answer = client_of(other).get("/apikeys", params={"cursor": cursor})
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_costs_as_many_queries_however_long_it_is(
        self, signed_in: httpx.Client, key_of: Make, me: User, engine: Engine
    ) -> None:
        costs = []
        for _ in range(2):
            key_of(me)
            with statements(engine) as sent:
                signed_in.get("/apikeys")
            costs.append(len(sent))
        assert costs == [2, 2]


class TestGetApiKey:
    def test_shows_all_but_the_key(self, signed_in: httpx.Client, key_of: Make, me: User) -> None:
        key = key_of(me, scopes=("read",), description="Mine")
        (stored,) = keys_of(me)
        shown = signed_in.get(f"/apikeys/{stored.id}").json()
        assert set(shown) == SHOWN
        assert (shown["id"], shown["scopes"]) == (stored.id, ["read"])
        assert key.startswith(shown["key_prefix"])

    def test_another_users(self, admin: httpx.Client, key_of: Make, me: User) -> None:
        key_of(me)
        (stored,) = keys_of(me)
        for key_id in (stored.id, 2**53 - 1):
            assert refused(admin.get(f"/apikeys/{key_id}")) == (404, "API_KEY_NOT_FOUND")


class TestRevokeApiKey:
    def test_the_key_stops_at_once(
        self, signed_in: httpx.Client, client_of: Make, me: User
    ) -> None:
        client = client_of(me)
        assert client.get("/users/me").status_code == 200
        (stored,) = keys_of(me)
        assert signed_in.delete(f"/apikeys/{stored.id}").status_code == 204
        assert refused(client.get("/users/me")) == (401, "INVALID_TOKEN")
        assert signed_in.get(f"/apikeys/{stored.id}").json()["is_active"] is False

    def test_twice_is_as_once(self, signed_in: httpx.Client, key_of: Make, me: User) -> None:
        key_of(me)
        moments = []
        for _ in range(2):
            (stored,) = keys_of(me)
            assert signed_in.delete(f"/apikeys/{stored.id}").status_code == 204
            moments.append(keys_of(me)[0].revoked_at)
        assert moments[0] == moments[1] is not None

    def test_a_key_may_revoke_itself(self, client: httpx.Client, me: User) -> None:
        (stored,) = keys_of(me)
        assert client.delete(f"/apikeys/{stored.id}").status_code == 204
        assert client.get("/users/me").status_code == 401

    def test_another_users(self, admin: httpx.Client, key_of: Make, me: User) -> None:
        key_of(me)
        (stored,) = keys_of(me)
        for key_id in (stored.id, 2**53 - 1):
            assert refused(admin.delete(f"/apikeys/{key_id}")) == (404, "API_KEY_NOT_FOUND")
        assert keys_of(me)[0].revoked_at is None

    def test_is_told_by_the_audit_log(
        self, signed_in: httpx.Client, key_of: Make, me: User
    ) -> None:
        key_of(me)
        (stored,) = keys_of(me)
        signed_in.delete(f"/apikeys/{stored.id}")
        (line,) = db.session.scalars(select(Activity))
        assert (line.action, line.resource_id) == ("apikey.revoke", str(stored.id))
        assert (line.user_id, line.success) == (me.id, True)
