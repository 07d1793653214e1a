"""Cookies of a browser that has signed in."""

from datetime import timedelta
from typing import Any

from werkzeug.http import dump_cookie

from marquee import settings


def signed_in_cookies(session: str, csrf: str, lifetime: timedelta) -> list[tuple[str, str]]:
    """`Set-Cookie` of the session, which no script can read, and of its CSRF token, which ours
    must.

    Under HTTPS both are `Secure` and the session's name has the prefix `__Host-` (RFC 6265bis).
    """
    https = settings.current().https
    name = "__Host-marquee_session" if https else "marquee_session"
    shared: dict[str, Any] = {"max_age": lifetime, "path": "/", "secure": https, "samesite": "Lax"}
    return [
        ("Set-Cookie", dump_cookie(name, session, httponly=True, **shared)),
        ("Set-Cookie", dump_cookie("__csrf", csrf, httponly=False, **shared)),
    ]
