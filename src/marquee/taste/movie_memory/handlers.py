"""Handlers of openapi/taste/movie_memory.yaml."""

from typing import Any, Unpack

from marquee.catalogue.translations.languages import Asked, wanted
from marquee.identity.users import account_page
from marquee.taste.movie_memory import service
from marquee.viewer import Viewer
from marquee.web.paging import by_cursor

Answer = dict[str, Any]
ON_ACCOUNT_PAGE = 50


def list_movie_memory(
    user: Viewer,
    mode: str,
    limit: int,
    query: str | None = None,
    q: str | None = None,
    cursor: str | None = None,
    **asked: Unpack[Asked],
) -> Answer:
    languages, words = wanted(**asked), service.sought(query, q, cursor)
    if words is None:
        return _page(user, mode, limit, cursor, languages)
    found = service.search(user, words, limit, languages)
    return {"items": found, "next_cursor": None, "total": None}


def save_movie_memory(user: Viewer, body: Answer, **asked: Unpack[Asked]) -> Answer:
    return service.save(user, body, wanted(**asked))


def delete_movie_memory(user: Viewer, movie_key: str) -> None:
    service.delete(user, movie_key)


def _page(
    user: Viewer, mode: str, limit: int, cursor: str | None, languages: tuple[str, ...]
) -> Answer:
    if mode == "candidates" and cursor is None:
        service.provide_candidates(user, limit)
    query, key = service.MODES[mode]
    values, name = {"user_id": user.id}, f"memory:{user.id}:{mode}"
    page = by_cursor(query, values, key=key, name=name, descending=True, limit=limit, cursor=cursor)
    items = service.localized(page.items, languages)
    total = service.total(user) if mode == "list" else None
    return {"items": items, "next_cursor": page.next_cursor, "total": total}


account_page.add("movie_memory", lambda viewer: _page(viewer, "list", ON_ACCOUNT_PAGE, None, ()))
