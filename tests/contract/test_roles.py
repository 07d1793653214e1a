"""Roles that an administrator makes open what they name, and nothing else."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from marquee.identity.users.models import Role, User, UserRole
from marquee.viewer import Viewer
from tests.contract.calls import PERMITTED, Operation, name_of

Call = Callable[..., Any]
LACKING = "This needs the permission"


@pytest.fixture
def user_with(make: Call) -> Callable[..., User]:
    """A user with one role that allows just this."""

    def user_with(*permissions: str) -> User:
        user: User = make(User)
        role = make(Role, name=f"role-of-{user.id}", permissions=list(permissions))
        make(UserRole, user_id=user.id, role_id=role.id)
        return user

    return user_with


@pytest.mark.parametrize("operation", PERMITTED, ids=name_of)
def test_one_permission_or_a_wildcard_is_enough(
    anonymous: httpx.Client, token_of: Call, user_with: Call, operation: Operation
) -> None:
    resource, _, action = str(operation.permission).partition(":")
    for permission in (f"{resource}:{action}", f"{resource}:*", f"*:{action}", "*:*"):
        user = user_with(permission)
        answer = operation.call(anonymous, token_of(user), user_id=user.id)
        assert LACKING not in answer.text, permission
        assert "INVALID_TOKEN" not in answer.text


@pytest.mark.parametrize("operation", PERMITTED, ids=name_of)
def test_what_is_like_it_is_not_enough(
    anonymous: httpx.Client, token_of: Call, user_with: Call, operation: Operation
) -> None:
    resource, _, action = str(operation.permission).partition(":")
    user = user_with(
        f"{resource}:{action}s", f"{resource}s:{action}", f"{resource}:", f":{action}", resource
    )
    answer = operation.call(anonymous, token_of(user), user_id=user.id)
    assert (answer.status_code, LACKING in answer.text) == (403, True)


@pytest.mark.parametrize("permissions", [("*:get",), ("profile:*", "movies:list"), ("*:*",)])
def test_effective_permissions_are_what_happens(
    anonymous: httpx.Client, token_of: Call, user_with: Call, permissions: tuple[str, ...]
) -> None:
    """What `GET /users/me` says decides, for every operation."""
    user = user_with(*permissions)
    headers = token_of(user)
    told = anonymous.get("/users/me", headers=headers).json()["permissions"]
    assert told == sorted(permissions)
    viewer = Viewer(user.id, user.username, frozenset(told))
    reading = [each for each in PERMITTED if each.method == "get"]
    for operation in reading:
        answer = operation.call(anonymous, headers, user_id=user.id)
        assert (LACKING in answer.text) != viewer.may(str(operation.permission)), operation.name
