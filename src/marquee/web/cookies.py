"""Cookies of a browser: the session, and the CSRF token that goes with it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from werkzeug.http import dump_cookie

from marquee import settings

SESSION_COOKIE = "marquee_session"
"""As the contract names it; under HTTPS with `HOST_PREFIX`."""
HOST_PREFIX = "__Host-"
CSRF_COOKIE = "__csrf"


def received(cookies: Mapping[str, str], name: str) -> str | None:
    """A cookie that was set under HTTPS, else under HTTP."""
    return cookies.get(HOST_PREFIX + name) or cookies.get(name)


def signed_in_cookies(session: str, csrf: str, lifetime: timedelta) -> list[tuple[str, str]]:
    """`Set-Cookie` of the session, which no script can read, and of its CSRF token, which ours
    must.

    Under HTTPS both are `Secure` and the session's name has the prefix `__Host-` (RFC 6265bis).
    """
    https = settings.current().https
    name = f"{HOST_PREFIX}{SESSION_COOKIE}" if https else SESSION_COOKIE
    shared: dict[str, Any] = {"max_age": lifetime, "path": "/", "secure": https, "samesite": "Lax"}
    return [
        ("Set-Cookie", dump_cookie(name, session, httponly=True, **shared)),
        ("Set-Cookie", dump_cookie(CSRF_COOKIE, csrf, httponly=False, **shared)),
    ]
