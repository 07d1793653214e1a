"""openapi/operations/activity.yaml: the audit log."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from marquee import audit, clock, db
from marquee.audit import KEPT, Activity
from marquee.catalogue.movies.models import Movie
from marquee.identity.users.models import Role, User, UserRole
from marquee.operations.activity import counting, service
from marquee.operations.activity.models import ActivityDay
from marquee.viewer import Viewer
from marquee.web import contract
from tests.answers import refused

Make = Callable[..., Any]
NOBODY = 9_007_199_254_740_991
DAY = timedelta(days=1)


@pytest.fixture
def reader(client_of: Callable[..., httpx.Client], make: Make) -> httpx.Client:
    """A client of somebody who may read the log and nothing else; that leaves no lines in it."""
    user = make(User)
    role = make(Role, name="auditor", permissions=["audit:list"])
    make(UserRole, user_id=user.id, role_id=role.id)
    return client_of(user)


@pytest.fixture
def line(make: Make) -> Make:
    """A line of the log, `age` before now: `line("rating.create", DAY, user_id=2)`."""

    def line(action: str, age: timedelta = timedelta(), **values: Any) -> Activity:
        kind = {"resource_type": action.split(".")[-2], "success": "error_code" not in values}
        made: Activity = make(
            Activity, action=action, created_at=clock.now() - age, **kind, **values
        )
        return made

    return line


def ids(answer: httpx.Response) -> list[int]:
    """The ids of a page."""
    assert answer.status_code == 200
    return [each["id"] for each in answer.json()["items"]]


class TestListActivity:
    def test_shows_who_did_what_to_what(
        self, client: httpx.Client, reader: httpx.Client, make: Make, me: User
    ) -> None:
        body = {"movie_id": make(Movie).id}
        path = f"/users/{me.id}/favorites"
        made = client.post(path, json=body, headers={"User-Agent": "tests", "X-Request-Id": "r1"})
        client.post(path, json=body, headers={"User-Agent": "tests", "X-Request-Id": "r2"})
        failed, worked = reader.get("/admin/activity").json()["items"]
        assert worked | {"id": 0, "created_at": ""} == {
            "id": 0,
            "user_id": me.id,
            "username": me.username,
            "action": "favorite.create",
            "resource_type": "favorite",
            "resource_id": str(made.json()["id"]),
            "changes": [],
            "metadata": {"user_id": str(me.id)},
            "ip_address": "127.0.0.1",
            "user_agent": "tests",
            "request_id": "r1",
            "success": True,
            "error_code": None,
            "error_message": None,
            "created_at": "",
        }
        assert (failed["request_id"], failed["success"]) == ("r2", False)
        assert (failed["error_code"], failed["resource_id"]) == ("FAVORITE_EXISTS", None)
        assert failed["error_message"] == "Jaws is a favourite already."

    def test_shows_what_changed(self, admin: httpx.Client) -> None:
        movies = {"resource": "movies", "action": "list"}
        admin.post("/rbac/roles", json={"name": "curator", "permissions": [movies]})
        (shown,) = admin.get("/admin/activity").json()["items"]
        assert shown["resource_id"] == "curator"
        assert shown["changes"] == [{"name": "permissions", "before": None, "after": "movies:list"}]

    def test_failed_sign_ins_are_there(
        self, anonymous: httpx.Client, reader: httpx.Client, make_user: Make
    ) -> None:
        """Although they roll back."""
        user = make_user("user")
        for name in (user.username, "nobody-here"):
            body = {"username": name, "password": "not the password"}
            assert anonymous.post("/auth/login", json=body).status_code == 401
        items = reader.get("/admin/activity", params={"action": "user.login"}).json()["items"]
        assert [each["error_code"] for each in items] == ["INVALID_CREDENTIALS"] * 2
        assert [each["user_id"] for each in items] == [None, user.id]
        assert "not the password" not in str(items)

    def test_filters(self, reader: httpx.Client, line: Make) -> None:
        one = line("rating.create", 3 * DAY, user_id=5, resource_id="7").id
        two = line("rating.update", 2 * DAY, user_id=5, resource_id="7").id
        three = line("rating.create", DAY, user_id=6, resource_id="8").id
        four = line("user.login", user_id=5, error_code="INVALID_CREDENTIALS").id

        def found(**filters: Any) -> list[int]:
            return ids(reader.get("/admin/activity", params=filters))

        def ago(age: timedelta) -> str:
            return (clock.now() - age).isoformat()

        assert found() == [four, three, two, one]
        assert found(user_id=5) == [four, two, one]
        assert found(action="rating.create") == [three, one]
        assert found(resource_type="rating") == [three, two, one]
        assert found(resource_type="rating", resource_id="7") == [two, one]
        assert found(resource_id="8") == [three]
        assert found(success=False) == [four]
        assert found(success=True, user_id=5) == [two, one]
        assert found(start_time=ago(2.5 * DAY)) == [four, three, two]
        assert found(end_time=ago(DAY / 2)) == [three, two, one]
        assert found(start_time=ago(2.5 * DAY), end_time=ago(DAY / 2), user_id=5) == [two]
        assert found(start_time=ago(DAY / 2), end_time=ago(2.5 * DAY)) == []
        assert found(user_id=NOBODY) == []

    def test_bounds_of_time_are_exact(self, reader: httpx.Client, line: Make) -> None:
        made = line("rating.create", DAY)
        moment = made.created_at.isoformat()
        assert ids(reader.get("/admin/activity", params={"start_time": moment})) == [made.id]
        assert ids(reader.get("/admin/activity", params={"end_time": moment})) == []

    def test_by_page_while_lines_are_added(self, reader: httpx.Client, line: Make) -> None:
        made = [line("rating.create", timedelta(seconds=9 - n // 2)).id for n in range(9)]
        found, cursor = [], {}
        while True:
            answer = reader.get("/admin/activity", params={"limit": 2, **cursor})
            found += ids(answer)
            if answer.json()["next_cursor"] is None:
                break
            cursor = {"cursor": answer.json()["next_cursor"]}
            line("user.login")
        assert found == made[::-1]

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=101",
            "user_id=0",
            "action=DROP",
            "resource_type=A",
            "resource_id=%00",
            "success=1",
            "start_time=yesterday",
            "end_time=2026-11-22",
            "cursor=x",
            "offset=1",
        ],
    )
    def test_a_query_that_breaks_the_contract(self, reader: httpx.Client, query: str) -> None:
        answer = reader.get(f"/admin/activity?{query}")
        assert refused(answer) == (400, "VALIDATION_ERROR")


class TestListUserActivity:
    def test_is_the_users(self, reader: httpx.Client, line: Make, me: User) -> None:
        mine = [line("rating.create", user_id=me.id).id for _ in range(3)]
        line("rating.create", user_id=me.id + 1)
        path = f"/admin/activity/users/{me.id}"
        first = reader.get(path, params={"limit": 2})
        rest = reader.get(path, params={"limit": 2, "cursor": first.json()["next_cursor"]})
        assert ids(first) + ids(rest) == mine[::-1]

    def test_of_one_who_did_nothing(self, reader: httpx.Client, me: User) -> None:
        assert ids(reader.get(f"/admin/activity/users/{me.id}")) == []

    def test_of_one_who_is_gone(self, reader: httpx.Client, line: Make) -> None:
        made = line("rating.create", user_id=NOBODY)
        assert ids(reader.get(f"/admin/activity/users/{NOBODY}")) == [made.id]

    def test_of_nobody(self, reader: httpx.Client) -> None:
        answer = reader.get(f"/admin/activity/users/{NOBODY}")
        assert refused(answer) == (404, "USER_NOT_FOUND")

    def test_even_ones_own_needs_the_permission(self, client: httpx.Client, me: User) -> None:
        answer = client.get(f"/admin/activity/users/{me.id}")
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")


class TestListResourceActivity:
    def test_is_the_things(self, reader: httpx.Client, line: Make) -> None:
        made = [line(action, resource_id="7").id for action in ("rating.create", "rating.update")]
        line("favorite.create", resource_id="7")
        line("rating.create", resource_id="8")
        assert ids(reader.get("/admin/activity/resources/rating/7")) == made[::-1]

    def test_of_a_role_has_who_got_it(self, admin: httpx.Client, make: Make, me: User) -> None:
        make(Role, name="projectionist", permissions=["movies:list"])
        admin.post(f"/rbac/users/{me.id}/roles", json={"role": "projectionist"})
        admin.delete(f"/rbac/users/{me.id}/roles/projectionist")
        items = admin.get("/admin/activity/resources/role/projectionist").json()["items"]
        assert [each["action"] for each in items] == ["admin.role.revoke", "admin.role.assign"]
        assert {each["metadata"]["user_id"] for each in items} == {str(me.id)}

    def test_of_what_the_log_does_not_know(self, reader: httpx.Client) -> None:
        answer = reader.get("/admin/activity/resources/rating/7")
        assert refused(answer) == (404, "NOT_FOUND")


class TestGetActivityStats:
    def test_of_nothing(self, reader: httpx.Client) -> None:
        assert reader.get("/admin/activity/stats").json() == {
            "total_count": 0,
            "success_count": 0,
            "failed_count": 0,
            "oldest_entry": None,
            "newest_entry": None,
        }

    def test_counts(self, reader: httpx.Client, line: Make) -> None:
        oldest = line("rating.create", 5 * DAY)
        line("rating.create", 3 * DAY, error_code="RATING_EXISTS")
        newest = line("user.login")
        found = reader.get("/admin/activity/stats").json()
        counts = (found["total_count"], found["success_count"], found["failed_count"])
        assert counts == (3, 2, 1)
        ends = [datetime.fromisoformat(found[f"{end}_entry"]) for end in ("oldest", "newest")]
        assert ends == [oldest.created_at, newest.created_at]

    def test_days_that_are_over_are_counted_once(self, reader: httpx.Client, line: Make) -> None:
        for age in (0, 1, 2, 2, 40, 88):
            line("rating.create", age * DAY)
        line("user.login", 2 * DAY, error_code="INVALID_CREDENTIALS")
        line("user.login", KEPT)
        before = reader.get("/admin/activity/stats").json()
        actions = reader.get("/admin/activity/actions").json()
        assert (before["total_count"], before["failed_count"]) == (8, 1)
        counting.count_days()
        days = list(db.session.scalars(select(ActivityDay.day).order_by(ActivityDay.day)))
        gaps = {later - earlier for earlier, later in pairwise(days)}
        assert (len(days) >= 87, gaps) == (True, {DAY})
        assert days[-1] < clock.now().date()
        assert reader.get("/admin/activity/stats").json() == before
        assert reader.get("/admin/activity/actions").json() == actions
        # Not read again: a line that could not be there is not found.
        line("rating.create", 40 * DAY)
        assert reader.get("/admin/activity/stats").json()["total_count"] == 8
        line("rating.create")
        assert reader.get("/admin/activity/stats").json()["total_count"] == 9

    def test_days_that_are_removed_are_forgotten(
        self, reader: httpx.Client, make: Make, line: Make
    ) -> None:
        gone = clock.now().date() - KEPT - DAY
        make(ActivityDay, day=gone, counts={"rating.create": [5, 0]})
        line("rating.create", 2 * DAY)
        assert reader.get("/admin/activity/stats").json()["total_count"] == 1
        counting.count_days()
        assert gone not in set(db.session.scalars(select(ActivityDay.day)))
        assert reader.get("/admin/activity/stats").json()["total_count"] == 1


class TestListActivityActions:
    def test_the_most_frequent_first(self, reader: httpx.Client, line: Make) -> None:
        for action in ("b.b", "a.a", "c.c", "c.c", "b.b", "c.c", "d.d"):
            line(action, DAY)
        listed = reader.get("/admin/activity/actions", params={"limit": 3}).json()["actions"]
        assert [tuple(each.values()) for each in listed] == [("c.c", 3), ("b.b", 2), ("a.a", 1)]
        assert len(reader.get("/admin/activity/actions").json()["actions"]) == 4

    @pytest.mark.parametrize("limit", [0, 51])
    def test_limits(self, reader: httpx.Client, limit: int) -> None:
        answer = reader.get("/admin/activity/actions", params={"limit": limit})
        assert refused(answer) == (400, "VALIDATION_ERROR")


def test_names_of_actions_are_those_that_clients_know() -> None:
    names = ("login", "logout", "create", "update", "delete", "password_reset")
    known = {f"user.{name}" for name in names} | {
        "session.revoke",
        "apikey.create",
        "apikey.revoke",
        "oidc.unlink",
        "oidc.provider.add",
        "oidc.provider.update",
        "oidc.provider.delete",
        "admin.role.assign",
        "admin.role.revoke",
    }
    operations = [each for _, _, each in contract.operations(contract.load())]
    assert known <= {each["x-audit"] for each in operations if "x-audit" in each}


class TestNobodyChangesTheLog:
    def test_by_no_operation(self) -> None:
        paths = contract.load()["paths"]
        assert {
            method
            for path, item in paths.items()
            if "activity" in path
            for method in item.keys() & set(contract.METHODS)
        } == {"get"}

    @pytest.mark.parametrize(
        "change",
        [
            {"success": True},
            {"action": "user.login"},
            {"user_id": 1},
            {"username": "somebody"},
            {"created_at": datetime(2026, 1, 1, tzinfo=UTC)},
            {"username": None, "ip_address": None},
            {
                "username": None,
                "ip_address": None,
                "user_agent": None,
                "details": None,
                "success": True,
            },
        ],
        ids=str,
    )
    def test_not_even_by_sql(self, line: Make, change: dict[str, Any]) -> None:
        made = line("rating.create", DAY, user_id=5, username="casey", error_code="X", details={})
        with pytest.raises(DBAPIError, match="audit log is not changed"), db.session.begin_nested():
            db.session.execute(update(Activity).where(Activity.id == made.id).values(change))

    def test_only_who_it_was_is_taken_out(self, line: Make) -> None:
        """When an account is deleted."""
        made = line(
            "rating.create", user_id=5, username="casey", user_agent="x", details={"a": "b"}
        )
        audit.forget(5)
        db.session.refresh(made)
        left = (made.username, made.user_agent, made.details, made.ip_address)
        assert (left, made.user_id) == ((None,) * 4, 5)


MANY = """
insert into activity (action, user_id, resource_type, resource_id, success, created_at)
    select 'rating.' || n % 20, n % 20, 'kind ' || n % 5, n % 20, n % 20 <> 0,
           now() - n * interval '1 minute'
    from generate_series(1, 20000) n
"""
"""So that all filters find the few among many: of few lines the planner might read all."""


@pytest.mark.parametrize(
    "filters,index",
    [
        ({}, "created_at"),
        ({"user_id": 5}, "user"),
        ({"action": "rating.7"}, "action"),
        ({"resource_type": "kind 2", "resource_id": "7"}, "resource"),
        ({"success": False}, "failed"),
    ],
    ids=str,
)
def test_each_filter_has_its_index(database: None, filters: Any, index: str) -> None:
    """In the order of the list, so that a page costs what it shows, however long the log is."""
    db.session.execute(text(MANY))
    db.session.execute(text("analyze activity"))
    viewer = Viewer(1, "auditor", frozenset(("audit:list",)))
    order = [each.desc() for each in service.NEWEST_FIRST]
    query = service.listed(viewer, **filters).order_by(*order).limit(51)
    sql = query.compile(db.engine(), compile_kwargs={"literal_binds": True})
    plan = "\n".join(db.session.scalars(text(f"explain {sql}")))
    assert f"activity_{index}_idx" in plan
    assert "Sort" not in plan
