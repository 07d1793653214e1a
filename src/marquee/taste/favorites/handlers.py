"""Handlers of openapi/taste/favorites.yaml."""

from typing import Any

from marquee.catalogue.movies.service import named
from marquee.db import find, session
from marquee.identity.users.service import account
from marquee.taste.favorites import service
from marquee.taste.favorites.models import Favorite
from marquee.viewer import Viewer
from marquee.watching.watch_history.listing import mark_films
from marquee.web.paging import by_cursor

mark_films("is_favorite", service.OF_WATCHED)


def list_favorites(
    user: Viewer, user_id: int, sort: str, order: str, limit: int, cursor: str | None = None
) -> dict[str, Any]:
    owner = account(user, user_id, permission="users:read")
    descending = order == "desc"
    query, key = service.listed(sort, descending=descending)
    name, values = f"favorites:{owner.id}:{sort}:{order}", {"owner_id": owner.id}
    page = by_cursor(
        query, values, key=key, name=name, descending=descending, limit=limit, cursor=cursor
    )
    return {"favorites": page.items, "next_cursor": page.next_cursor}


def create_favorite(user: Viewer, user_id: int, body: dict[str, Any]) -> tuple[Favorite, int]:
    owner = account(user, user_id, permission="users:write")
    return service.add(owner, named(user, body)), 201


def delete_favorite(user: Viewer, user_id: int, favorite_id: int) -> None:
    owner = account(user, user_id, permission="users:write")
    favorite = find(Favorite.visible_to(user).where(Favorite.user_id == owner.id), favorite_id)
    session.delete(favorite)


def admin_delete_user_favorites(user: Viewer, user_id: int) -> None:
    service.remove_all(account(user, user_id, permission="users:write"))
