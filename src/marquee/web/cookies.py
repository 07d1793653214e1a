"""Cookies of a browser: the session, and the CSRF token that goes with it."""

from collections.abc import Mapping
from datetime import timedelta

from werkzeug.http import dump_cookie

from marquee import settings

SESSION_COOKIE = "marquee_session"
"""As the contract names it; under HTTPS with `HOST_PREFIX`."""
HOST_PREFIX = "__Host-"
CSRF_COOKIE = "__csrf"
OIDC_COOKIE = "marquee_oidc"
"""As the contract names it; under HTTPS with `HOST_PREFIX`."""


def received(cookies: Mapping[str, str], name: str) -> str | None:
    """A cookie that scripts cannot read. Under HTTPS only with the prefix: without it, another
    server of the domain may have set it.
    """
    return cookies.get(_hidden_name(name))


def signed_in_cookies(session: str, csrf: str, lifetime: timedelta) -> list[tuple[str, str]]:
    """`Set-Cookie` of the session, which no script can read, and of its CSRF token, which ours
    must.
    """
    name = _hidden_name(SESSION_COOKIE)
    return [_cookie(name, session, lifetime, hidden=True), csrf_cookie(csrf, lifetime)]


def csrf_cookie(csrf: str, lifetime: timedelta | None = None) -> tuple[str, str]:
    """`Set-Cookie` of a CSRF token; without a lifetime it ends with the browser."""
    return _cookie(CSRF_COOKIE, csrf, lifetime, hidden=False)


def ended_session_cookie() -> list[tuple[str, str]]:
    """`Set-Cookie` that takes the session's cookie away."""
    return [_cookie(_hidden_name(SESSION_COOKIE), "", timedelta(0), hidden=True)]


def signed_out_cookies() -> list[tuple[str, str]]:
    """`Set-Cookie` that takes away what `signed_in_cookies` set."""
    return [*ended_session_cookie(), csrf_cookie("", timedelta(0))]


def oidc_cookie(value: str, lifetime: timedelta) -> tuple[str, str]:
    """`Set-Cookie` of a browser that has begun to sign in elsewhere; without a lifetime it is taken
    away.
    """
    return _cookie(_hidden_name(OIDC_COOKIE), value, lifetime, hidden=True)


def _hidden_name(name: str) -> str:
    """The name of a cookie that no script can read."""
    return f"{HOST_PREFIX}{name}" if settings.current().https else name


def _cookie(name: str, value: str, lifetime: timedelta | None, *, hidden: bool) -> tuple[str, str]:
    """Under HTTPS `Secure`; the session's name has the prefix `__Host-` there (RFC 6265bis)."""
    return "Set-Cookie", dump_cookie(
        name,
        value,
        max_age=lifetime,
        path="/",
        secure=settings.current().https,
        httponly=hidden,
        samesite="Lax",
    )
