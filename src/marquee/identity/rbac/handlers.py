"""Handlers of openapi/identity/rbac.yaml."""

from collections import defaultdict
from functools import cache
from typing import Any, Unpack

from sqlalchemy import Row

from marquee.identity.rbac import service
from marquee.identity.users.models import Role
from marquee.identity.users.service import account, roles_of
from marquee.viewer import Viewer
from marquee.web import contract
from marquee.web.conditions import require_version, version_tag
from marquee.web.paging import by_cursor

Answer = tuple[dict[str, Any], int, dict[str, str]]


def list_roles(user: Viewer) -> dict[str, Any]:
    roles = [_shown(row) for row in service.listed(user)]
    return {"roles": roles, "total": len(roles)}


def create_role(user: Viewer, body: dict[str, Any]) -> Answer:
    service.create(user, body["name"], body.get("description"), body["permissions"])
    return _answer(service.named(user, body["name"]), 201)


def get_role(user: Viewer, role_name: str) -> Answer:
    return _answer(service.named(user, role_name))


def delete_role(user: Viewer, role_name: str) -> None:
    service.remove(user, service.to_change(user, role_name))


def update_role_permissions(user: Viewer, role_name: str, body: dict[str, Any]) -> Answer:
    role = service.to_change(user, role_name)
    require_version(role)
    service.replace(user, role, body["permissions"])
    return _answer(service.named(user, role_name))


def list_permissions(user: Viewer) -> dict[str, Any]:
    permissions = service.vocabulary(user, _asked_for())
    return {"permissions": permissions, "total": len(permissions)}


def list_policies(
    user: Viewer, limit: int, cursor: str | None = None, **filters: Unpack[service.PolicyFilters]
) -> dict[str, Any]:
    query, key = service.policies(user, **filters)
    page = by_cursor(query, key=key, name="policies", descending=False, limit=limit, cursor=cursor)
    return {"items": page.items, "next_cursor": page.next_cursor}


def add_policy(user: Viewer, body: dict[str, str]) -> tuple[dict[str, str], int]:
    pair = {"resource": body["object"], "action": body["action"]}
    service.add_policy(user, service.to_change(user, body["subject"]), pair)
    return body, 201


def remove_policy(user: Viewer, subject: str, object: str, action: str) -> None:  # noqa: A002
    pair = {"resource": object, "action": action}
    service.remove_policy(user, service.to_change(user, subject), pair)


def list_user_roles(user: Viewer, user_id: int) -> dict[str, Any]:
    return _names(account(user, user_id, permission="roles:list").id)


def assign_user_role(
    user: Viewer, user_id: int, body: dict[str, str]
) -> tuple[dict[str, Any], int]:
    service.assign(user, account(user, user_id, permission="roles:assign"), body["role"])
    return _names(user_id), 201


def remove_user_role(user: Viewer, user_id: int, role: str) -> None:
    service.revoke(user, account(user, user_id, permission="roles:assign"), role)


@cache
def _asked_for() -> dict[str, list[str]]:
    # The permissions of the contract, with the summaries of the operations that ask for them.
    found = defaultdict(list)
    for _path, _method, operation in contract.operations(contract.load()):
        if permission := operation.get("x-permission"):
            found[permission].append(operation["summary"])
    return dict(found)


def _shown(row: Row[Role, int]) -> dict[str, Any]:
    role, user_count = row
    return {
        "name": role.name,
        "description": role.description,
        "permissions": service.split(role.permissions),
        "is_built_in": role.is_built_in,
        "user_count": user_count,
    }


def _answer(row: Row[Role, int], status: int = 200) -> Answer:
    return _shown(row), status, {"ETag": version_tag(row[0])}


def _names(user_id: int) -> dict[str, Any]:
    names = [row.name for row in roles_of(user_id)]
    return {"roles": names, "total": len(names)}
