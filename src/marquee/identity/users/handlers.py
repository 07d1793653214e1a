"""Handlers of openapi/identity/users.yaml."""

from typing import Any, Unpack

from marquee.db import find
from marquee.identity.users import (
    account_page,
    changing,
    exporting,
    listing,
    preferences,
    service,
    statistics,
)
from marquee.identity.users.avatars import service as avatars
from marquee.identity.users.models import User
from marquee.viewer import Viewer
from marquee.web.answers import Stream
from marquee.web.conditions import require_version, version_tag
from marquee.web.paging import CursorPage, by_cursor

EXPORTED = {"Content-Disposition": 'attachment; filename="marquee-export.jsonl"'}


def get_current_user(user: Viewer) -> dict[str, Any]:
    return service.described(find(User.visible_to(user), user.id))


def update_current_user(user: Viewer, body: dict[str, Any]) -> dict[str, Any]:
    return service.described(changing.change_own(user, body))


def patch_current_user(user: Viewer, body: dict[str, Any]) -> dict[str, Any]:
    return service.described(changing.change_profile(user, body))


def get_user_preferences(user: Viewer) -> dict[str, Any]:
    stored = find(User.visible_to(user), user.id).preferences
    return {**preferences.complete(stored), "user_id": user.id}


def update_user_preferences(user: Viewer, body: dict[str, Any]) -> dict[str, Any]:
    return {**preferences.change(user.id, body), "user_id": user.id}


def get_account(user: Viewer) -> dict[str, Any]:
    return account_page.page(user)


def export_account(user: Viewer) -> tuple[Stream, int, dict[str, str]]:
    pieces = exporting.Pieces(exporting.written(user.id))
    return Stream(pieces, "application/x-ndjson"), 200, EXPORTED


def list_users(
    user: Viewer,
    sort: str,
    order: str,
    limit: int,
    cursor: str | None = None,
    **filters: Unpack[listing.Filters],
) -> CursorPage:
    query, values, key = listing.asked(user, sort, order, filters)
    name, descending = f"users:{sort}:{order}", order == "desc"
    return by_cursor(
        query, values, key=key, name=name, descending=descending, limit=limit, cursor=cursor
    )


def get_user(user: Viewer, user_id: int) -> tuple[dict[str, Any], int, dict[str, str]]:
    shown = service.profile(user, user_id)
    version = {"id": user_id, "updated_at": shown["updated_at"]}
    return shown, 200, {"ETag": version_tag(User(**version))} if shown["updated_at"] else {}


def update_user(
    user: Viewer, user_id: int, body: dict[str, Any]
) -> tuple[dict[str, Any], int, dict[str, str]]:
    if body.get("is_active") is False:
        changing.require_disabling(user, user_id)
    account = find(User.visible_to(user).with_for_update(), user_id)
    require_version(account)
    changing.change(user, account, body)
    return service.described(account), 200, {"ETag": version_tag(account)}


def get_user_stats(user: Viewer, user_id: int) -> dict[str, int]:
    return statistics.of(service.account(user, user_id, permission="users:read").id)


def upload_avatar(user: Viewer, body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    return avatars.described(avatars.replace(user, body["file"].file)), 201


def delete_avatar(user: Viewer) -> tuple[None, int]:
    avatars.take_away(user)
    return None, 204


def get_avatar(user: Viewer, user_id: int) -> bytes:
    return avatars.shown(user, user_id)
