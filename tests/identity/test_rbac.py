"""openapi/identity/rbac.yaml: roles, policies and permissions."""

import re
from collections.abc import Callable
from typing import Any, ClassVar

import httpx
import pytest
from sqlalchemy import Engine, select

from marquee import db
from marquee.audit import Activity
from marquee.identity.rbac import service
from marquee.identity.users.models import Role, User, UserRole
from marquee.web import contract
from tests.answers import refused
from tests.queries import statements
from tests.test_house import sources

Make = Callable[..., Any]
BUILT_IN = ["admin", "guest", "moderator", "user"]
LIST, GET = {"resource": "movies", "action": "list"}, {"resource": "movies", "action": "get"}


@pytest.fixture
def projectionist(make: Make) -> Role:
    """A role that nobody has."""
    role: Role = make(Role, name="projectionist", permissions=["movies:list"])
    return role


@pytest.fixture
def lead(client_of: Callable[..., httpx.Client], make: Make) -> httpx.Client:
    """A client of somebody who looks after roles, and may list films, but is no administrator."""
    user = make(User)
    role = make(Role, name="lead", permissions=["movies:list", "roles:*"])
    make(UserRole, user_id=user.id, role_id=role.id)
    return client_of(user)


def allowed(name: str) -> list[str]:
    """What a role allows, by the database."""
    return list(db.session.scalars(select(Role.permissions).where(Role.name == name)).one())


def last_line() -> Activity:
    """The latest line of the audit log."""
    return db.session.scalars(select(Activity).order_by(Activity.id.desc())).first() or Activity()


class TestListRoles:
    def test_shows_all_with_their_users(
        self, admin: httpx.Client, make_user: Make, projectionist: Role
    ) -> None:
        for role in ("guest", "guest", "user"):
            make_user(role)
        listed = admin.get("/rbac/roles").json()
        assert listed["total"] == 5
        assert [each["name"] for each in listed["roles"]] == sorted([*BUILT_IN, "projectionist"])
        counts = {each["name"]: each["user_count"] for each in listed["roles"]}
        assert counts == {"admin": 1, "guest": 2, "moderator": 0, "user": 1, "projectionist": 0}
        (shown,) = [each for each in listed["roles"] if each["name"] == "projectionist"]
        assert shown == {
            "name": "projectionist",
            "description": None,
            "permissions": [LIST],
            "is_built_in": False,
            "user_count": 0,
        }

    def test_costs_as_much_for_many(self, admin: httpx.Client, make: Make, engine: Engine) -> None:
        admin.get("/rbac/roles")
        with statements(engine) as few:
            admin.get("/rbac/roles")
        for number in range(10):
            make(Role, name=f"role-{number}")
        with statements(engine) as many:
            admin.get("/rbac/roles")
        assert len(many) == len(few)


class TestCreateRole:
    def test_works_at_once(
        self, admin: httpx.Client, client_of: Callable[..., httpx.Client], make: Make
    ) -> None:
        user = make(User)
        theirs = client_of(user)
        assert theirs.get("/users/me").status_code == 403
        body = {"name": "curator", "description": "Curates.", "permissions": [LIST, GET, LIST]}
        answer = admin.post("/rbac/roles", json=body)
        assert answer.status_code == 201
        shown = {**body, "permissions": [GET, LIST], "is_built_in": False, "user_count": 0}
        assert answer.json() == shown
        line = last_line()
        assert (line.action, line.resource_type, line.resource_id) == (
            "role.create",
            "role",
            "curator",
        )
        profile = {"resource": "profile", "action": "*"}
        admin.put("/rbac/roles/curator/permissions", json={"permissions": [profile]})
        admin.post(f"/rbac/users/{user.id}/roles", json={"role": "curator"})
        mine = theirs.get("/users/me").json()
        assert (mine["roles"], mine["permissions"]) == (["curator"], ["profile:*"])

    def test_needs_a_name_alone(self, admin: httpx.Client) -> None:
        answer = admin.post("/rbac/roles", json={"name": "r"})
        assert (answer.status_code, answer.json()["permissions"]) == (201, [])
        assert answer.json()["description"] is None

    @pytest.mark.parametrize("name", ["projectionist", "Projectionist", "ADMIN"])
    def test_one_of_each_name(self, admin: httpx.Client, projectionist: Role, name: str) -> None:
        answer = admin.post("/rbac/roles", json={"name": name})
        assert refused(answer) == (409, "ROLE_EXISTS")

    def test_no_more_than_can_be_listed(
        self, admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "MOST_ROLES", 5)
        assert admin.post("/rbac/roles", json={"name": "fifth"}).status_code == 201
        answer = admin.post("/rbac/roles", json={"name": "sixth"})
        assert refused(answer) == (409, "ROLE_LIMIT")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"name": ""},
            {"name": "two words"},
            {"name": "a/b"},
            {"name": ".."},
            {"name": "x" * 65},
            {"name": "r", "description": "x" * 257},
            {"name": "r", "permissions": ["movies:list"]},
            {"name": "r", "permissions": [{"resource": "movies"}]},
            {"name": "r", "permissions": [{"resource": "movies", "action": "li*"}]},
            {"name": "r", "permissions": [{"resource": "Movies", "action": "list"}]},
            {"name": "r", "permissions": [{"resource": "a:b", "action": "list"}]},
            {"name": "r", "permissions": [LIST] * 501},
            {"name": "r", "is_built_in": True},
        ],
    )
    def test_a_body_that_breaks_the_contract(
        self, admin: httpx.Client, body: dict[str, Any]
    ) -> None:
        assert refused(admin.post("/rbac/roles", json=body)) == (400, "VALIDATION_ERROR")


class TestGetRole:
    def test_shows_it(self, admin: httpx.Client, projectionist: Role, make_user: Make) -> None:
        make_user("projectionist")
        answer = admin.get("/rbac/roles/projectionist")
        assert (answer.status_code, answer.json()["user_count"]) == (200, 1)
        assert answer.json()["permissions"] == [LIST]

    def test_unknown(self, admin: httpx.Client) -> None:
        assert refused(admin.get("/rbac/roles/nobody")) == (404, "ROLE_NOT_FOUND")


class TestUpdateRolePermissions:
    PATH = "/rbac/roles/projectionist/permissions"

    def test_replaces_them(self, admin: httpx.Client, projectionist: Role) -> None:
        body = {"permissions": [GET, {"resource": "users", "action": "*"}]}
        answer = admin.put(self.PATH, json=body)
        assert answer.status_code == 200
        assert answer.json()["permissions"] == body["permissions"]
        assert allowed("projectionist") == ["movies:get", "users:*"]
        line = last_line()
        assert (line.action, line.resource_id) == ("role.update", "projectionist")
        assert (line.details or {})["changes"] == [
            {"name": "permissions", "before": None, "after": "movies:get"},
            {"name": "permissions", "before": None, "after": "users:*"},
            {"name": "permissions", "before": "movies:list", "after": None},
        ]

    def test_keeps_to_the_version(self, admin: httpx.Client, projectionist: Role) -> None:
        seen = admin.get("/rbac/roles/projectionist").headers["etag"]
        body = {"permissions": [GET]}
        changed = admin.put(self.PATH, json=body, headers={"If-Match": seen})
        assert (changed.status_code, changed.headers["etag"] == seen) == (200, False)
        late = admin.put(self.PATH, json={"permissions": []}, headers={"If-Match": seen})
        assert refused(late) == (412, "PRECONDITION_FAILED")
        assert allowed("projectionist") == ["movies:get"]
        assert admin.put(self.PATH, json=body).status_code == 200

    def test_unknown(self, admin: httpx.Client) -> None:
        answer = admin.put("/rbac/roles/nobody/permissions", json={"permissions": []})
        assert refused(answer) == (404, "ROLE_NOT_FOUND")


class TestDeleteRole:
    def test_takes_it_from_its_users(
        self,
        admin: httpx.Client,
        client_of: Callable[..., httpx.Client],
        make_user: Make,
        projectionist: Role,
    ) -> None:
        theirs = client_of(make_user("projectionist"))
        assert theirs.get("/movies").status_code == 200
        assert admin.delete("/rbac/roles/projectionist").status_code == 204
        assert theirs.get("/movies").status_code == 403
        assert refused(admin.get("/rbac/roles/projectionist")) == (404, "ROLE_NOT_FOUND")

    @pytest.mark.parametrize("name", BUILT_IN)
    def test_built_in_ones_stay(self, admin: httpx.Client, name: str) -> None:
        assert refused(admin.delete(f"/rbac/roles/{name}")) == (409, "BUILT_IN_ROLE")

    def test_unknown(self, admin: httpx.Client) -> None:
        assert refused(admin.delete("/rbac/roles/nobody")) == (404, "ROLE_NOT_FOUND")


class TestListPermissions:
    def test_has_every_permission_of_the_contract(self, admin: httpx.Client) -> None:
        listed = admin.get("/rbac/permissions").json()
        names = [f"{each['resource']}:{each['action']}" for each in listed["permissions"]]
        assert (listed["total"], names) == (len(names), sorted(set(names)))
        asked_for = {
            each["x-permission"]
            for _, _, each in contract.operations(contract.load())
            if "x-permission" in each
        }
        assert asked_for <= set(names)
        assert {"*:*", "movies:*", "users:write"} <= set(names)
        (described,) = [
            each["description"]
            for each in listed["permissions"]
            if (each["resource"], each["action"]) == ("favorites", "list")
        ]
        assert "List a user's favourite films" in described

    def test_has_every_permission_that_a_rule_asks_for(self, admin: httpx.Client) -> None:
        listed = admin.get("/rbac/permissions").json()["permissions"]
        names = {f"{each['resource']}:{each['action']}" for each in listed}
        literal = re.compile(r"""(?:\.may\(|permission=)"([a-z_]+:[a-z_]+)\"""")
        asked_for = {each for _, text in sources("src") for each in literal.findall(text)}
        assert asked_for
        assert asked_for <= names

    def test_may_all_be_given(self, admin: httpx.Client) -> None:
        listed = admin.get("/rbac/permissions").json()["permissions"]
        pairs = [{name: each[name] for name in ("resource", "action")} for each in listed]
        answer = admin.post("/rbac/roles", json={"name": "all", "permissions": pairs})
        assert answer.status_code == 201


class TestListPolicies:
    def test_is_every_permission_of_every_role(
        self, admin: httpx.Client, projectionist: Role
    ) -> None:
        listed = admin.get("/rbac/policies", params={"limit": 100}).json()["items"]
        roles = admin.get("/rbac/roles").json()["roles"]
        assert [tuple(each.values()) for each in listed] == [
            (role["name"], each["resource"], each["action"])
            for role in roles
            for each in sorted(role["permissions"], key=lambda p: f"{p['resource']}:{p['action']}")
        ]

    def test_by_page(self, admin: httpx.Client) -> None:
        whole = admin.get("/rbac/policies", params={"limit": 100}).json()["items"]
        found, cursor = [], {}
        while True:
            page = admin.get("/rbac/policies", params={"limit": 3, **cursor}).json()
            found += page["items"]
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert found == whole

    @pytest.mark.parametrize(
        "filters,found",
        [
            ({"subject": "admin"}, [("admin", "*", "*")]),
            ({"object": "audit"}, [("moderator", "audit", "list")]),
            ({"subject": "projectionist", "action": "list"}, [("projectionist", "movies", "list")]),
            ({"subject": "guest", "object": "movies", "action": "delete"}, []),
            ({"subject": "nobody"}, []),
            ({"object": "*"}, [("admin", "*", "*")]),
        ],
    )
    def test_filters(
        self, admin: httpx.Client, projectionist: Role, filters: dict[str, str], found: list[Any]
    ) -> None:
        listed = admin.get("/rbac/policies", params=filters).json()["items"]
        assert [tuple(each.values()) for each in listed] == found

    @pytest.mark.parametrize("cursor", ["x", "a.b"])
    def test_a_cursor_of_somebody_elses_making(self, admin: httpx.Client, cursor: str) -> None:
        answer = admin.get("/rbac/policies", params={"cursor": cursor})
        assert refused(answer) == (400, "VALIDATION_ERROR")


class TestAddPolicy:
    POLICY: ClassVar = {"subject": "projectionist", "object": "movies", "action": "get"}

    def test_once(self, admin: httpx.Client, projectionist: Role) -> None:
        answer = admin.post("/rbac/policies", json=self.POLICY)
        assert (answer.status_code, answer.json()) == (201, self.POLICY)
        assert allowed("projectionist") == ["movies:get", "movies:list"]
        line = last_line()
        found = (line.action, line.resource_type, line.resource_id, line.success)
        assert found == ("policy.add", "policy", "projectionist", True)
        again = admin.post("/rbac/policies", json=self.POLICY)
        assert refused(again) == (409, "POLICY_EXISTS")
        line = last_line()
        assert (line.resource_id, line.error_code) == ("projectionist", "POLICY_EXISTS")
        assert "allows it already" in (line.details or {})["error_message"]

    def test_no_more_than_a_role_can_have(
        self, admin: httpx.Client, projectionist: Role, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "MOST_PERMISSIONS", 1)
        answer = admin.post("/rbac/policies", json=self.POLICY)
        assert refused(answer) == (409, "ROLE_LIMIT")

    def test_unknown_role(self, admin: httpx.Client) -> None:
        answer = admin.post("/rbac/policies", json=self.POLICY)
        assert refused(answer) == (404, "ROLE_NOT_FOUND")


class TestRemovePolicy:
    POLICY: ClassVar = {"subject": "projectionist", "object": "movies", "action": "list"}

    def test_once(self, admin: httpx.Client, projectionist: Role) -> None:
        assert admin.delete("/rbac/policies", params=self.POLICY).status_code == 204
        assert allowed("projectionist") == []
        line = last_line()
        assert (line.action, line.resource_id) == ("policy.remove", "projectionist")
        again = admin.delete("/rbac/policies", params=self.POLICY)
        assert refused(again) == (404, "POLICY_NOT_FOUND")

    def test_unknown_role(self, admin: httpx.Client) -> None:
        answer = admin.delete("/rbac/policies", params={**self.POLICY, "subject": "nobody"})
        assert refused(answer) == (404, "ROLE_NOT_FOUND")

    @pytest.mark.parametrize("missing", ["subject", "object", "action"])
    def test_is_named_by_the_query(
        self, admin: httpx.Client, projectionist: Role, missing: str
    ) -> None:
        named = {name: value for name, value in self.POLICY.items() if name != missing}
        answer = admin.request("DELETE", "/rbac/policies", params=named, json=self.POLICY)
        assert refused(answer) == (400, "VALIDATION_ERROR")
        assert allowed("projectionist") == ["movies:list"]


class TestGivingAndTaking:
    """Nobody gives or takes what they may not do themselves."""

    @pytest.mark.parametrize(
        "method,path,body",
        [
            ("POST", "/rbac/roles", {"name": "r", "permissions": [GET]}),
            ("POST", "/rbac/roles", {"name": "r", "permissions": [{**LIST, "resource": "*"}]}),
            ("POST", "/rbac/roles", {"name": "r", "permissions": [{**LIST, "action": "*"}]}),
            ("PUT", "/rbac/roles/lead/permissions", {"permissions": [LIST, GET]}),
            ("PUT", "/rbac/roles/user/permissions", {"permissions": []}),
            ("POST", "/rbac/policies", {"subject": "lead", "object": "*", "action": "*"}),
            ("DELETE", "/rbac/policies?subject=guest&object=movies&action=get", None),
            ("DELETE", "/rbac/policies?subject=admin&object=*&action=*", None),
            ("DELETE", "/rbac/roles/archivist", None),
        ],
    )
    def test_what_one_has_not(
        self, lead: httpx.Client, make: Make, method: str, path: str, body: Any
    ) -> None:
        make(Role, name="archivist", permissions=["movies:list", "movies:get"])
        before = db.session.execute(select(Role.name, Role.permissions)).all()
        answer = lead.request(method, path, json=body)
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
        assert db.session.execute(select(Role.name, Role.permissions)).all() == before

    def test_what_one_has(self, lead: httpx.Client, projectionist: Role) -> None:
        roles = {"resource": "roles", "action": "*"}
        body = {"name": "r", "permissions": [LIST, roles, {**roles, "action": "list"}]}
        assert lead.post("/rbac/roles", json=body).status_code == 201
        policy = {"subject": "projectionist", "object": "movies", "action": "list"}
        assert lead.delete("/rbac/policies", params=policy).status_code == 204
        assert lead.post("/rbac/policies", json=policy).status_code == 201
        assert lead.delete("/rbac/roles/projectionist").status_code == 204

    def test_what_stays_need_not_be_ones_own(self, lead: httpx.Client) -> None:
        kept = [each for each in service.split(allowed("guest")) if each != LIST]
        answer = lead.put("/rbac/roles/guest/permissions", json={"permissions": kept})
        assert (answer.status_code, "movies:list" in allowed("guest")) == (200, False)
