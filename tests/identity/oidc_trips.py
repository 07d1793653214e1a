"""To an OpenID provider and back, as a browser goes."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.oidc_provider import sign_in


def auth_url(client: httpx.Client, name: str, headers: Any = None, **query: str) -> str:
    """Where a sign-in that is begun here leads."""
    answer = client.get(f"/oidc/auth/{name}", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    url: str = answer.json()["auth_url"]
    return url


def back_from(url: str, sub: str | None = None) -> str:
    """Where the provider sends the browser: `sub` signs in by the form of the real one."""
    return sign_in(url, sub) if sub else httpx.get(url).headers["location"]


def come_back(client: httpx.Client, name: str, sub: str | None = None) -> httpx.Response:
    """The answer at the end of a whole sign-in."""
    return client.get(back_from(auth_url(client, name), sub))


def signed_in_at(client: httpx.Client, name: str, sub: str | None = None) -> dict[str, Any]:
    """The account at the end of a sign-in that works."""
    answer = come_back(client, name, sub)
    assert answer.status_code == 200, answer.text
    user: dict[str, Any] = answer.json()["user"]
    return user


def query_of(url: str) -> dict[str, str]:
    """The query of a URL."""
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}
