"""openapi/identity/users.yaml."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from marquee import clock
from marquee.identity.users.models import Role, User, UserRole

Make = Callable[..., Any]


class TestGetCurrentUser:
    def test_shows_the_caller_and_nothing_secret(self, client: httpx.Client, me: User) -> None:
        answer = client.get("/users/me")
        assert answer.status_code == 200
        shown = answer.json()
        assert (shown["id"], shown["username"], shown["email"]) == (me.id, me.username, me.email)
        assert (shown["roles"], shown["is_admin"]) == (["user"], False)
        assert "favorites:create" in shown["permissions"]
        assert (shown["is_active"], shown["email_verified"]) == (True, False)
        assert "password_hash" not in answer.text
        assert answer.headers["cache-control"] == "no-store"

    def test_an_administrator_may_do_everything(self, admin: httpx.Client) -> None:
        shown = admin.get("/users/me").json()
        assert (shown["roles"], shown["permissions"], shown["is_admin"]) == (
            ["admin"],
            ["*:*"],
            True,
        )

    def test_joins_the_permissions_of_all_roles(
        self, client: httpx.Client, me: User, make: Make
    ) -> None:
        role = make(Role, name="projectionist", permissions=["films:show", "favorites:create"])
        make(UserRole, user_id=me.id, role_id=role.id)
        shown = client.get("/users/me").json()
        assert shown["roles"] == ["projectionist", "user"]
        assert shown["permissions"].count("favorites:create") == 1
        assert "films:show" in shown["permissions"]

    def test_needs_a_credential(self, anonymous: httpx.Client) -> None:
        answer = anonymous.get("/users/me")
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "INVALID_TOKEN")
        assert answer.headers["www-authenticate"].startswith("Bearer")

    def test_needs_the_permission(self, client_of: Callable[..., httpx.Client], make: Make) -> None:
        answer = client_of(make(User)).get("/users/me")
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "INSUFFICIENT_PERMISSIONS"

    @pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
    def test_takes_a_key_in_either_header(
        self, anonymous: httpx.Client, key_of: Callable[..., str], me: User, header: str
    ) -> None:
        key = key_of(me)
        sent = {header: f"Bearer {key}" if header == "Authorization" else key}
        assert anonymous.get("/users/me", headers=sent).json()["id"] == me.id

    @pytest.mark.parametrize(
        "values",
        [{"revoked_at": clock.now()}, {"expires_at": clock.now() - timedelta(minutes=1)}],
    )
    def test_refuses_a_key_that_is_over(
        self, client_of: Callable[..., httpx.Client], me: User, values: dict[str, Any]
    ) -> None:
        assert client_of(me, **values).get("/users/me").status_code == 401

    @pytest.mark.parametrize(
        "credential",
        [
            "Bearer",
            "Bearer mq_nothing",
            "Basic YTpi",
            "Bearer a.b.c",
            "Bearer " + "x" * 5000,
        ],
    )
    def test_refuses_other_credentials(self, anonymous: httpx.Client, credential: str) -> None:
        answer = anonymous.get("/users/me", headers={"Authorization": credential})
        assert answer.status_code == 401

    def test_a_good_key_does_not_excuse_a_bad_one(self, client: httpx.Client) -> None:
        assert client.get("/users/me", headers={"X-API-Key": "mq_bad"}).status_code == 401

    @pytest.mark.parametrize("path", ["/auth/me", "/users/profile"])
    def test_old_paths_lead_here(self, client: httpx.Client, path: str) -> None:
        answer = client.get(f"{path}?x=1")
        assert (answer.status_code, answer.headers["location"]) == (308, "/api/v1/users/me?x=1")


def test_a_key_without_the_scope_admin_sees_no_more_than_a_users(
    client_of: Callable[..., httpx.Client], make_user: Make
) -> None:
    admin, other = make_user("admin"), make_user("user")
    path = f"/users/{other.id}/favorites"
    assert client_of(admin).get(path).status_code == 200
    assert client_of(admin, scopes=("read", "write")).get(path).status_code == 403
