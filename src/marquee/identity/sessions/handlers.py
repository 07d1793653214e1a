"""Handlers of openapi/identity/sessions.yaml."""

from typing import Any

from sqlalchemy import Row

from marquee.identity.auth import opening
from marquee.identity.auth.answers import Answer, signed_in
from marquee.identity.auth.models import Session
from marquee.identity.sessions import service
from marquee.viewer import Viewer
from marquee.web.cookies import signed_out_cookies
from marquee.web.paging import by_cursor

Ended = tuple[None, int, list[tuple[str, str]]]


def list_sessions(user: Viewer, limit: int, cursor: str | None = None) -> dict[str, Any]:
    page = by_cursor(
        service.listed(),
        service.seen_by(user),
        key=(Session.id.expression,),
        name=f"sessions:{user.id}",
        descending=True,
        limit=limit,
        cursor=cursor,
    )
    return {"items": page.items, "next_cursor": page.next_cursor}


def revoke_all_sessions(user: Viewer, token_info: dict[str, Any], keep_current: bool) -> Ended:  # noqa: FBT001 - the contract's name
    opening.end_all(user.id, but=user.session_id if keep_current else None)
    return _ended(token_info, user, None if keep_current else user.session_id)


def get_current_session(user: Viewer) -> Row[Any]:
    return service.current(user)


def revoke_current_session(user: Viewer, token_info: dict[str, Any]) -> Ended:
    service.revoke(user, service.current(user).id)
    return _ended(token_info, user, user.session_id)


def refresh_session(body: dict[str, Any], token_info: dict[str, Any]) -> Answer:
    return signed_in(opening.refresh(body["refresh_token"]), token_info)


def revoke_session(user: Viewer, token_info: dict[str, Any], session_id: int) -> Ended:
    service.revoke(user, session_id)
    return _ended(token_info, user, session_id)


def _ended(token_info: dict[str, Any], user: Viewer, session_id: int | None) -> Ended:
    # A browser loses the cookies of a session that has ended.
    mine = "csrf" in token_info and session_id == user.session_id
    return None, 204, signed_out_cookies() if mine else []
