"""Signing in as programs and as browsers do."""

from http.cookies import SimpleCookie
from typing import Any

import httpx

from marquee import signing
from tests.identity.conftest import PASSWORD


def credentials(name: str = "Casey", password: str = PASSWORD) -> dict[str, str]:
    """The body of a sign-in."""
    return {"username": name, "password": password}


def signed_in(client: httpx.Client, name: str = "Casey", password: str = PASSWORD) -> Any:
    """The answer to a sign-in that works."""
    answer = client.post("/auth/login", json=credentials(name, password))
    assert answer.status_code == 200, answer.text
    return answer.json()


def bearer(token: str) -> dict[str, str]:
    """The header of a bearer token."""
    return {"Authorization": f"Bearer {token}"}


def csrf_pair() -> dict[str, str]:
    """The headers of a browser that has the `__csrf` cookie."""
    token = signing.sign(signing.CSRF, ":before signing in")
    return {"X-CSRF-Token": token, "Cookie": f"__csrf={token}"}


def cookies_of(answer: httpx.Response) -> dict[str, Any]:
    """The cookies that an answer sets, by name."""
    jar: SimpleCookie = SimpleCookie()
    for header in answer.headers.get_list("set-cookie"):
        jar.load(header)
    return dict(jar)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and machine code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]
