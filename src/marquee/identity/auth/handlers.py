"""Handlers of openapi/identity/auth.yaml."""

from typing import Any

from marquee.identity.auth import service, tokens
from marquee.identity.users.service import described
from marquee.web.cookies import signed_in_cookies


def login(
    body: dict[str, Any], token_info: dict[str, Any]
) -> tuple[dict[str, Any], int, list[tuple[str, str]]]:
    user, session_id = service.sign_in(body["username"], body["password"], body.get("device_name"))
    answer = {
        "access_token": tokens.issue(user.id, session_id),
        "token_type": "Bearer",
        "expires_in": int(tokens.LIFETIME.total_seconds()),
        "user": described(user),
    }
    if "csrf" not in token_info:
        return answer, 200, []
    session, csrf = service.session_cookie(session_id), service.csrf_token(session_id)
    return answer, 200, signed_in_cookies(session, csrf, service.LIFETIME)
