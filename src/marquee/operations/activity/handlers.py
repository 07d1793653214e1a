"""Handlers of openapi/operations/activity.yaml."""

from typing import Any, Unpack

from marquee.operations.activity import service
from marquee.viewer import Viewer
from marquee.web.paging import CursorPage, by_cursor


def list_activity(
    user: Viewer, limit: int, cursor: str | None = None, **filters: Unpack[service.Filters]
) -> dict[str, Any]:
    return _shown(_page(user, filters, limit, cursor))


def list_user_activity(
    user: Viewer, user_id: int, limit: int, cursor: str | None = None
) -> dict[str, Any]:
    page = _page(user, {"user_id": user_id}, limit, cursor)
    if not page.items:
        service.require_user(user_id)
    return _shown(page)


def list_resource_activity(
    user: Viewer, resource_type: str, resource_id: str, limit: int, cursor: str | None = None
) -> dict[str, Any]:
    about: service.Filters = {"resource_type": resource_type, "resource_id": resource_id}
    page = _page(user, about, limit, cursor)
    if not page.items and cursor is None:
        raise service.nothing_about(resource_type, resource_id)
    return _shown(page)


def get_activity_stats(user: Viewer) -> dict[str, Any]:
    return service.stats(user)


def list_activity_actions(user: Viewer, limit: int) -> dict[str, Any]:
    return {"actions": service.actions(user, limit)}


def _page(user: Viewer, filters: service.Filters, limit: int, cursor: str | None) -> CursorPage:
    # A place in the log is one under every filter: a cursor may be used with another.
    query, key = service.listed(user, **filters), service.NEWEST_FIRST
    return by_cursor(query, key=key, name="activity", descending=True, limit=limit, cursor=cursor)


def _shown(page: CursorPage) -> dict[str, Any]:
    items = [service.described(line) for line in page.items]
    return {"items": items, "next_cursor": page.next_cursor}
