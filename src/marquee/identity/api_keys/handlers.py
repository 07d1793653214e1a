"""Handlers of openapi/identity/api_keys.yaml."""

from typing import Any

from marquee import clock
from marquee.db import find
from marquee.identity.api_keys import service
from marquee.identity.api_keys.models import ApiKey
from marquee.viewer import Viewer
from marquee.web.paging import by_cursor


def list_api_keys(user: Viewer, limit: int, cursor: str | None = None) -> dict[str, Any]:
    page = by_cursor(
        service.listed(),
        {"owner_id": user.id},
        key=(ApiKey.id.expression,),
        name=f"api_keys:{user.id}",
        descending=True,
        limit=limit,
        cursor=cursor,
    )
    return {"items": page.items, "next_cursor": page.next_cursor}


def create_api_key(user: Viewer, body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    key, secret = service.create(user, **body)
    shown = {name: getattr(key, name) for name in (*service.SHOWN, "is_active")}
    once = {"api_key": secret, "message": "Store this key now. It is not shown again."}
    return shown | once, 201


def get_api_key(user: Viewer, key_id: int) -> ApiKey:
    return find(ApiKey.visible_to(user), key_id)


def revoke_api_key(user: Viewer, key_id: int) -> None:
    key = find(ApiKey.visible_to(user), key_id)
    key.revoked_at = key.revoked_at or clock.now()
