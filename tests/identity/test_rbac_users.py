"""openapi/identity/rbac.yaml: who has which role, and that somebody always is an administrator."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from marquee import db
from marquee.audit import Activity
from marquee.identity.rbac import service
from marquee.identity.users.models import Role, User, UserRole
from tests.answers import refused
from tests.committed import Committed, committed

Make = Callable[..., Any]
ClientOf = Callable[..., httpx.Client]
NOBODY = 9_007_199_254_740_991
EVERYTHING = {"resource": "*", "action": "*"}


@pytest.fixture
def projectionist(make: Make) -> Role:
    """A role that nobody has."""
    role: Role = make(Role, name="projectionist", permissions=["movies:list"])
    return role


@pytest.fixture
def owner(make_user: Make) -> User:
    """The only administrator."""
    user: User = make_user("admin")
    return user


@pytest.fixture
def only_admin(client_of: ClientOf, owner: User) -> httpx.Client:
    """A client of the only administrator."""
    return client_of(owner)


def roles_of(user: User) -> list[str]:
    """A user's roles, by the database."""
    query = select(Role.name).join(UserRole, UserRole.role_id == Role.id)
    return list(db.session.scalars(query.where(UserRole.user_id == user.id).order_by(Role.name)))


class TestListUserRoles:
    def test_ones_own(self, client: httpx.Client, me: User) -> None:
        answer = client.get(f"/rbac/users/{me.id}/roles")
        assert answer.json() == {"roles": ["user"], "total": 1}

    def test_anybodys_for_those_who_may(self, admin: httpx.Client, me: User) -> None:
        assert admin.get(f"/rbac/users/{me.id}/roles").json()["roles"] == ["user"]

    def test_of_others_is_nobodys_business(self, client: httpx.Client, make_user: Make) -> None:
        for user_id in (make_user("admin").id, NOBODY):
            answer = client.get(f"/rbac/users/{user_id}/roles")
            assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")

    def test_unknown(self, admin: httpx.Client) -> None:
        assert refused(admin.get(f"/rbac/users/{NOBODY}/roles")) == (404, "USER_NOT_FOUND")


class TestAssignUserRole:
    def test_holds_from_the_next_request(
        self, admin: httpx.Client, client: httpx.Client, me: User, projectionist: Role
    ) -> None:
        path = f"/rbac/users/{me.id}/roles"
        answer = admin.post(path, json={"role": "projectionist"})
        assert answer.status_code == 201
        assert answer.json() == {"roles": ["projectionist", "user"], "total": 2}
        assert client.get("/users/me").json()["roles"] == ["projectionist", "user"]
        line = db.session.scalars(select(Activity)).one()
        found = (line.action, line.resource_type, line.resource_id, line.details)
        assert found == ("admin.role.assign", "role", "projectionist", {"user_id": str(me.id)})
        again = admin.post(path, json={"role": "projectionist"})
        assert refused(again) == (409, "ROLE_ASSIGNED")

    def test_unknown_user_and_unknown_role(self, admin: httpx.Client, me: User) -> None:
        answer = admin.post(f"/rbac/users/{NOBODY}/roles", json={"role": "user"})
        assert refused(answer) == (404, "USER_NOT_FOUND")
        answer = admin.post(f"/rbac/users/{me.id}/roles", json={"role": "nobody"})
        assert refused(answer) == (404, "ROLE_NOT_FOUND")

    def test_nobody_makes_themselves_an_administrator(
        self, client_of: ClientOf, make: Make, projectionist: Role
    ) -> None:
        user = make(User)
        role = make(Role, name="lead", permissions=["roles:*", "movies:list"])
        make(UserRole, user_id=user.id, role_id=role.id)
        path = f"/rbac/users/{user.id}/roles"
        answer = client_of(user).post(path, json={"role": "admin"})
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
        answer = client_of(user).post(path, json={"role": "projectionist"})
        assert answer.status_code == 201
        assert roles_of(user) == ["lead", "projectionist"]

    def test_no_more_than_can_be_listed(
        self, admin: httpx.Client, me: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "MOST_ROLES_OF_A_USER", 1)
        answer = admin.post(f"/rbac/users/{me.id}/roles", json={"role": "guest"})
        assert refused(answer) == (409, "ROLE_LIMIT")

    def test_needs_a_key_for_administration(
        self, client_of: ClientOf, owner: User, me: User
    ) -> None:
        client = client_of(owner, scopes=("read", "write"))
        answer = client.post(f"/rbac/users/{me.id}/roles", json={"role": "guest"})
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")


class TestRemoveUserRole:
    def test_holds_from_the_next_request(
        self, admin: httpx.Client, client: httpx.Client, me: User
    ) -> None:
        path = f"/rbac/users/{me.id}/roles/user"
        assert admin.delete(path).status_code == 204
        assert client.get("/users/me").status_code == 403
        line = db.session.scalars(select(Activity)).one()
        assert (line.action, line.resource_id) == ("admin.role.revoke", "user")
        assert refused(admin.delete(path)) == (404, "ROLE_NOT_FOUND")

    def test_unknown_user_and_unknown_role(self, admin: httpx.Client, me: User) -> None:
        answer = admin.delete(f"/rbac/users/{NOBODY}/roles/user")
        assert refused(answer) == (404, "USER_NOT_FOUND")
        answer = admin.delete(f"/rbac/users/{me.id}/roles/nobody")
        assert refused(answer) == (404, "ROLE_NOT_FOUND")

    def test_nobody_unmakes_those_who_may_more(
        self, client_of: ClientOf, make: Make, make_user: Make, owner: User
    ) -> None:
        make_user("admin")
        lead = make(User)
        role = make(Role, name="lead", permissions=["roles:*"])
        make(UserRole, user_id=lead.id, role_id=role.id)
        answer = client_of(lead).delete(f"/rbac/users/{owner.id}/roles/admin")
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
        assert roles_of(owner) == ["admin"]


class TestTheLastAdministrator:
    def test_keeps_the_role(self, only_admin: httpx.Client, owner: User, make_user: Make) -> None:
        """One who is disabled does not count."""
        make_user("admin", is_active=False)
        path = f"/rbac/users/{owner.id}/roles/admin"
        assert refused(only_admin.delete(path)) == (409, "LAST_ADMIN")
        assert roles_of(owner) == ["admin"]
        make_user("admin")
        assert only_admin.delete(path).status_code == 204
        assert roles_of(owner) == []

    def test_may_be_one_by_another_role(
        self, only_admin: httpx.Client, owner: User, make: Make
    ) -> None:
        role = make(Role, name="root", permissions=["*:*"])
        make(UserRole, user_id=owner.id, role_id=role.id)
        assert only_admin.delete(f"/rbac/users/{owner.id}/roles/admin").status_code == 204
        keep = [
            ("DELETE", f"/rbac/users/{owner.id}/roles/root", None),
            ("DELETE", "/rbac/roles/root", None),
            ("PUT", "/rbac/roles/root/permissions", {"permissions": []}),
            ("DELETE", "/rbac/policies?subject=root&object=*&action=*", None),
        ]
        for method, path, body in keep:
            answer = only_admin.request(method, path, json=body)
            assert refused(answer) == (409, "LAST_ADMIN")
        assert only_admin.get("/users/me").json()["is_admin"] is True

    @pytest.mark.parametrize(
        "method,path,body",
        [
            ("PUT", "/rbac/roles/admin/permissions", {"permissions": []}),
            ("DELETE", "/rbac/policies?subject=admin&object=*&action=*", None),
        ],
    )
    def test_the_role_admin_keeps_everything(
        self, only_admin: httpx.Client, make: Make, owner: User, method: str, path: str, body: Any
    ) -> None:
        answer = only_admin.request(method, path, json=body)
        assert refused(answer) == (409, "LAST_ADMIN")
        role = make(Role, name="root", permissions=["*:*"])
        make(UserRole, user_id=owner.id, role_id=role.id)
        answer = only_admin.request(method, path, json=body)
        assert refused(answer) == (409, "BUILT_IN_ROLE")
        more = {"permissions": [EVERYTHING, {"resource": "movies", "action": "list"}]}
        assert only_admin.put("/rbac/roles/admin/permissions", json=more).status_code == 200


class TestAtOnce:
    """In transactions of their own."""

    @pytest.fixture
    def rows(self, engine: Engine) -> Iterator[Committed]:
        with committed(engine) as rows:
            yield rows

    def test_of_two_administrators_who_unmake_each_other_one_stays(
        self, rows: Committed, base_url: str
    ) -> None:
        for _ in range(5):
            pair = [rows.user("admin"), rows.user("admin")]
            clients = [rows.client(base_url, each) for each in pair]
            paths = [f"/rbac/users/{each.id}/roles/admin" for each in reversed(pair)]
            with ThreadPoolExecutor(2) as threads:
                calls = zip(clients, paths, strict=True)
                statuses = sorted(
                    threads.map(lambda call: call[0].delete(call[1]).status_code, calls)
                )
            # The other's request may also come so late that its caller has become nobody.
            assert statuses in ([204, 409], [204, 403])
            rows.clear()

    def test_a_role_is_given_once(self, rows: Committed, base_url: str) -> None:
        user, client = rows.user(), rows.client(base_url, rows.user("admin"))
        path = f"/rbac/users/{user.id}/roles"
        with ThreadPoolExecutor(4) as threads:
            answers = list(
                threads.map(lambda _: client.post(path, json={"role": "guest"}), range(4))
            )
        assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
