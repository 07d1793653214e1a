"""What a sign-in answers, however it was made."""

import secrets
from typing import Any

from marquee import signing
from marquee.identity.auth import opening, tokens
from marquee.identity.auth.opening import Opened
from marquee.identity.auth.schemes import SESSION_PURPOSE
from marquee.identity.users.service import described
from marquee.web.cookies import signed_in_cookies

Answer = tuple[dict[str, Any], int, list[tuple[str, str]]]


def signed_in(opened: Opened, token_info: dict[str, Any], status: int = 200) -> Answer:
    """Tokens and the account; for a browser, which sends the CSRF pair, the cookie too."""
    answer = {
        "access_token": tokens.issue(opened.user.id, opened.session_id),
        "token_type": "Bearer",
        "expires_in": int(tokens.lifetime().total_seconds()),
        "refresh_token": opened.refresh_token,
        "session_id": opened.session_id,
        "user": described(opened.user),
    }
    if "csrf" not in token_info:
        return answer, status, []
    session, csrf = session_cookie(opened.session_id), csrf_token(opened.session_id)
    return answer, status, signed_in_cookies(session, csrf, opening.lifetime())


def session_cookie(session_id: int) -> str:
    """What the browser's session cookie holds."""
    return signing.sign(SESSION_PURPOSE, str(session_id))


def csrf_token(session_id: int | None) -> str:
    """A CSRF token that is good for this session alone; without one, for signing in."""
    return signing.sign(signing.CSRF, f"{session_id or ''}:{secrets.token_urlsafe(12)}")
