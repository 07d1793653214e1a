"""A real OpenID provider on 127.0.0.1, oidc-provider-mock, and somebody who signs in there."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.live import STARTING, free_port


@dataclass
class Provider:
    """A running provider, which knows the clients that have registered with it alone."""

    issuer: str

    def register(self, redirect_uri: str, method: str = "client_secret_basic") -> tuple[str, str]:
        """A new client: its id and secret."""
        body = {"redirect_uris": [redirect_uri], "token_endpoint_auth_method": method}
        made = httpx.post(f"{self.issuer}/oauth2/clients", json=body).raise_for_status().json()
        return made["client_id"], made["client_secret"]

    def knows(self, sub: str, **claims: Any) -> None:
        """Somebody with an account there."""
        httpx.put(f"{self.issuer}/users/{sub}", json=claims).raise_for_status()


@contextmanager
def oidc_provider() -> Iterator[Provider]:
    """Run it in a process of its own."""
    issuer = f"http://127.0.0.1:{(port := free_port())}"
    options = ["--host", "127.0.0.1", "--port", str(port), "--require-registration", "true"]
    command = [sys.executable, "-m", "oidc_provider_mock", *options]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **quiet) as process:
        try:
            _wait_for(f"{issuer}/.well-known/openid-configuration")
            yield Provider(issuer)
        finally:
            process.terminate()


def sign_in(auth_url: str, sub: str) -> str:
    """Sign in at the provider as a browser does: the address that it is sent back to."""
    with httpx.Client() as browser:
        page = browser.get(auth_url)
        assert page.status_code == 200, page.text
        assert '<form method="post"' in page.text
        return _sent_to(browser.post(auth_url, data={"sub": sub}))


def deny(auth_url: str) -> str:
    """Refuse at the provider: the address that the browser is sent back to."""
    return _sent_to(httpx.post(auth_url, data={"action": "deny"}))


def _sent_to(answer: httpx.Response) -> str:
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def _wait_for(url: str) -> None:
    until = time.monotonic() + STARTING
    while True:
        try:
            httpx.get(url).raise_for_status()
        except httpx.HTTPError:
            assert time.monotonic() < until, "The provider does not start."
            time.sleep(0.1)
        else:
            return
