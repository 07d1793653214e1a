"""openapi/identity/users.yaml: the accounts, for those who look after them."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, delete, select, text

from marquee import clock, db
from marquee.audit import Activity
from marquee.identity.auth.models import Session
from marquee.identity.users import listing
from marquee.identity.users.models import Role, User, UserRole
from tests.answers import refused
from tests.queries import statements

Make = Callable[..., Any]
NOBODY = 9_007_199_254_740_991
LATER = timedelta(hours=1)


def names(client: httpx.Client, **query: Any) -> list[str]:
    """The user names of all pages of a list."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = client.get("/users", params={**query, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [each["username"] for each in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


@pytest.fixture
def people(make_user: Make) -> list[User]:
    """Four accounts, by the time at which they were made."""
    now = clock.now()
    columns: list[dict[str, Any]] = [
        {"username": "Bea", "email": "one@example.org", "last_login_at": now},
        {"username": "anna", "email": "BEATE@example.org"},
        {"username": "carl_1", "email": None, "last_login_at": now - LATER, "is_active": False},
        {"username": "carlx1", "email": "four@example.org"},
    ]
    return [
        make_user(
            "moderator" if each["username"] == "anna" else "user",
            **each,
            created_at=now + timedelta(days=number),
        )
        for number, each in enumerate(columns)
    ]


@pytest.fixture
def reader(client_of: Callable[..., httpx.Client], make_user: Make) -> httpx.Client:
    """A client of an old moderator, who is the last of all."""
    long_ago = clock.now() - timedelta(days=9)
    return client_of(make_user("moderator", username="zoe", created_at=long_ago))


class TestListUsers:
    @pytest.mark.parametrize(
        "query,expected",
        [
            ({}, ["carlx1", "carl_1", "anna", "Bea", "zoe"]),
            ({"order": "asc"}, ["zoe", "Bea", "anna", "carl_1", "carlx1"]),
            ({"sort": "username", "order": "asc"}, ["anna", "Bea", "carl_1", "carlx1", "zoe"]),
            ({"sort": "username"}, ["zoe", "carlx1", "carl_1", "Bea", "anna"]),
            ({"sort": "last_login_at"}, ["Bea", "carl_1", "carlx1", "anna", "zoe"]),
            (
                {"sort": "last_login_at", "order": "asc"},
                ["carl_1", "Bea", "zoe", "anna", "carlx1"],
            ),
            ({"query": "bea"}, ["anna", "Bea"]),
            ({"query": "CARL_"}, ["carl_1"]),
            ({"query": "%"}, []),
            ({"query": "\\"}, []),
            ({"role": "moderator"}, ["anna", "zoe"]),
            ({"role": "nothing"}, []),
            ({"is_active": "false"}, ["carl_1"]),
            ({"is_active": "true", "role": "user", "query": "c"}, ["carlx1"]),
        ],
        ids=str,
    )
    def test_filters_and_orders(
        self,
        reader: httpx.Client,
        people: list[User],
        query: dict[str, str],
        expected: list[str],
    ) -> None:
        assert names(reader, **query) == expected
        assert names(reader, **query, limit=1) == expected

    def test_shows_accounts_without_secrets(
        self, reader: httpx.Client, people: list[User], make: Make
    ) -> None:
        role = make(Role, name="projectionist", permissions=["*:*"])
        make(UserRole, user_id=people[0].id, role_id=role.id)
        answer = reader.get("/users", params={"query": "bea", "sort": "username"})
        bea, anna = answer.json()["items"]
        assert (bea["roles"], bea["is_admin"]) == (["projectionist", "user"], True)
        assert (anna["roles"], anna["is_admin"]) == (["moderator"], False)
        assert (anna["email"], anna["provider"], anna["max_parental_rating"]) == (
            "BEATE@example.org",
            "local",
            None,
        )
        assert "password" not in answer.text
        assert "preferences" not in answer.text

    def test_shows_somebody_without_a_role(self, reader: httpx.Client, make: Make) -> None:
        user = make(User, username="roleless")
        (shown,) = reader.get("/users", params={"query": "roleless"}).json()["items"]
        assert (shown["id"], shown["roles"], shown["is_admin"]) == (user.id, [], False)

    def test_costs_as_many_statements_for_many(
        self, reader: httpx.Client, people: list[User], engine: Engine
    ) -> None:
        reader.get("/users")
        with statements(engine) as for_one:
            reader.get("/users", params={"limit": 1})
        with statements(engine) as for_all:
            reader.get("/users", params={"limit": 100})
        assert len(for_one) == len(for_all)

    def test_without_the_right_to_read_users_only_oneself(
        self, client_of: Callable[..., httpx.Client], make: Make, people: list[User]
    ) -> None:
        role = make(Role, name="lister", permissions=["users:list"])
        lister = make(User, username="lister")
        make(UserRole, user_id=lister.id, role_id=role.id)
        assert names(client_of(lister)) == ["lister"]

    @pytest.mark.parametrize(
        "query",
        [{"sort": "email"}, {"limit": 101}, {"query": ""}, {"is_active": "maybe"}],
    )
    def test_a_query_that_breaks_the_contract(
        self, reader: httpx.Client, query: dict[str, Any]
    ) -> None:
        assert refused(reader.get("/users", params=query)) == (400, "VALIDATION_ERROR")

    def test_a_cursor_of_another_order(self, reader: httpx.Client, people: list[User]) -> None:
        cursor = reader.get("/users", params={"limit": 1}).json()["next_cursor"]
        answer = reader.get("/users", params={"order": "asc", "cursor": cursor})
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_is_not_for_everybody(self, client: httpx.Client) -> None:
        assert refused(client.get("/users")) == (403, "INSUFFICIENT_PERMISSIONS")


@pytest.fixture(scope="class")
def many(engine: Engine) -> Iterator[None]:
    """20,000 accounts, of which the planner knows."""
    made = (
        "insert into users (username, email, last_login_at) select 'indexed-' || n, "
        "'indexed-' || n || '@example.org', case when n % 2 = 0 then now() - n * interval '1s' "
        "end from generate_series(1, 20000) n"
    )
    with engine.begin() as connection:
        connection.execute(text(made))
        connection.execute(text("analyze users"))
    yield
    with engine.begin() as connection:
        connection.execute(delete(User).where(User.username.like("indexed-%")))
        connection.execute(text("analyze users"))


class TestIndexes:
    @pytest.mark.parametrize("sort", ["username", "created_at", "last_login_at"])
    @pytest.mark.parametrize("descending", [False, True])
    def test_each_order_and_beginning_has_one(
        self, many: None, engine: Engine, sort: str, *, descending: bool
    ) -> None:
        query, key = listing.listed(frozenset(), sort, descending=descending)
        ordered = query.order_by(*(each.desc() if descending else each for each in key)).limit(50)
        assert "Seq Scan on users" not in self.plan(engine, ordered, {})
        begins, _ = listing.listed(frozenset({"begins"}), sort, descending=descending)
        assert "Seq Scan on users" not in self.plan(engine, begins, {"begins": "indexed-777%"})

    @staticmethod
    def plan(engine: Engine, query: Any, values: dict[str, Any]) -> str:
        values = {"viewer_id": 1, "sees_all": True, **values}
        with engine.connect() as connection:
            written = query.compile(connection).construct_expanded_state(values)
            rows = connection.exec_driver_sql(f"EXPLAIN {written.statement}", written.parameters)
            return "\n".join(rows.scalars())


class TestUpdateUser:
    def test_changes_what_is_named_alone(self, admin: httpx.Client, me: User) -> None:
        before = admin.get(f"/users/{me.id}").json()
        body = {"discover_request_enabled": True, "max_parental_rating": 12, "seerr_user_id": 7}
        answer = admin.put(f"/users/{me.id}", json=body)
        assert answer.status_code == 200
        changed = {name for name, value in answer.json().items() if value != before[name]}
        assert changed - {"updated_at"} == set(body)
        assert admin.get(f"/users/{me.id}").json() == answer.json()

    def test_can_take_values_away(self, admin: httpx.Client, make_user: Make) -> None:
        user = make_user("user", display_name="Robin", max_parental_rating=12, seerr_user_id=7)
        body = {"display_name": None, "max_parental_rating": None, "seerr_user_id": None}
        shown = admin.put(f"/users/{user.id}", json=body).json()
        assert {name: shown[name] for name in body} == body

    def test_who_is_disabled_is_out_at_once(
        self, admin: httpx.Client, client: httpx.Client, me: User, make: Make
    ) -> None:
        opened = make(Session, user_id=me.id, expires_at=clock.now() + LATER)
        assert client.get("/users/me").status_code == 200
        assert admin.put(f"/users/{me.id}", json={"is_active": False}).json()["is_active"] is False
        assert client.get("/users/me").status_code == 401
        db.session.refresh(opened)
        assert opened.revoked_at is not None
        assert admin.put(f"/users/{me.id}", json={"is_active": True}).json()["is_active"] is True
        assert client.get("/users/me").status_code == 200

    def test_is_recorded(self, admin: httpx.Client, me: User) -> None:
        for body in ({"is_active": False}, {"is_active": False}, {"is_active": True}):
            admin.put(f"/users/{me.id}", json=body)
        lines = db.session.scalars(select(Activity).order_by(Activity.id)).all()
        assert [line.action for line in lines] == [
            "admin.user.ban",
            "user.update",
            "user.update",
            "admin.user.unban",
            "user.update",
        ]
        assert {line.resource_id for line in lines} == {str(me.id)}
        assert all(line.success for line in lines)

    def test_nobody_disables_the_own_account(
        self, client_of: Callable[..., httpx.Client], make_user: Make
    ) -> None:
        one, _other = make_user("admin"), make_user("admin")
        answer = client_of(one).put(f"/users/{one.id}", json={"is_active": False})
        assert refused(answer) == (409, "CONFLICT")

    def test_the_last_administrator_stays(
        self, client_of: Callable[..., httpx.Client], make: Make, make_user: Make
    ) -> None:
        """Also against one who may change users, but is no administrator."""
        last, disabled = make_user("admin"), make_user("admin", is_active=False)
        role = make(Role, name="janitor", permissions=["users:update", "users:read"])
        janitor = make(User)
        make(UserRole, user_id=janitor.id, role_id=role.id)
        client = client_of(janitor)
        answer = client.put(f"/users/{last.id}", json={"is_active": False})
        assert refused(answer) == (409, "LAST_ADMIN")
        assert client.put(f"/users/{disabled.id}", json={"is_active": False}).status_code == 200
        assert client.put(f"/users/{disabled.id}", json={"is_active": True}).status_code == 200
        assert client.put(f"/users/{last.id}", json={"is_active": False}).status_code == 200

    def test_takes_if_match(self, admin: httpx.Client, me: User) -> None:
        path, body = f"/users/{me.id}", {"display_name": "Robin"}
        version = admin.get(path).headers["etag"]
        stale = admin.put(path, json=body, headers={"If-Match": '"stale"'})
        assert refused(stale) == (412, "PRECONDITION_FAILED")
        changed = admin.put(path, json=body, headers={"If-Match": version})
        assert changed.status_code == 200
        assert changed.headers["etag"] == admin.get(path).headers["etag"]

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"role": "admin"},
            {"roles": ["admin"]},
            {"is_admin": True},
            {"id": 1},
            {"username": "root"},
            {"email_verified": True},
            {"password_hash": "x"},
            {"is_active": None},
            {"is_active": "no"},
            {"max_parental_rating": 32768},
            {"seerr_user_id": 0},
            {"display_name": ""},
            {"display_name": "x" * 101},
            [],
        ],
        ids=str,
    )
    def test_a_body_that_breaks_the_contract(
        self, admin: httpx.Client, me: User, body: object
    ) -> None:
        assert refused(admin.put(f"/users/{me.id}", json=body)) == (400, "VALIDATION_ERROR")

    def test_is_for_administrators(
        self, client_of: Callable[..., httpx.Client], make_user: Make, me: User
    ) -> None:
        for role in ("user", "moderator"):
            answer = client_of(make_user(role)).put(f"/users/{me.id}", json={"is_active": False})
            assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")

    def test_unknown(self, admin: httpx.Client) -> None:
        for body in ({"is_active": False}, {"movies_enabled": False}):
            assert refused(admin.put(f"/users/{NOBODY}", json=body)) == (404, "USER_NOT_FOUND")
