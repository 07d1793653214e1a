"""What tests of accounts share: an account with a password, the letters to it, OpenID providers."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from marquee import sealing
from marquee.identity.auth import passwords
from marquee.identity.oidc.models import OidcProvider
from marquee.identity.oidc.service import CLAIMS, SCOPES
from marquee.identity.users.models import User
from tests.fakes.oidc import CLIENT_ID, CLIENT_SECRET, FakeOidc
from tests.letters import Letters
from tests.oidc_provider import Provider, oidc_provider

PASSWORD = "correct horse battery staple"


@pytest.fixture
def letters(database: None, tmp_path: Path, set_variables: Callable[..., None]) -> Letters:
    """The letters that requests ask for, in a folder."""
    set_variables(MARQUEE_DATA=str(tmp_path), SMTP_HOST=None)
    return Letters(tmp_path)


@pytest.fixture
def casey(make_user: Callable[..., Any]) -> User:
    """Somebody with a password."""
    user: User = make_user(
        "user",
        username="Casey",
        email="Casey@Example.org",
        display_name="Casey",
        password_hash=passwords.hashed(PASSWORD),
    )
    return user


@pytest.fixture(scope="session")
def real_provider() -> Iterator[Provider]:
    """An OpenID provider that nobody here wrote."""
    with oidc_provider() as provider:
        yield provider


@pytest.fixture
def make_provider(
    make: Callable[..., Any], base_url: str, set_variables: Callable[..., None]
) -> Callable[..., OidcProvider]:
    """An OpenID provider that this server knows, at an issuer; the server knows its own address."""
    set_variables(PUBLIC_URL=base_url)

    def make_provider(name: str, issuer: str, client: tuple[str, str], **values: Any) -> Any:
        client_id, secret = client
        known = {
            "name": name,
            "display_name": name.title(),
            "provider_type": "generic",
            "issuer_url": issuer,
            "client_id": client_id,
            "sealed_client_secret": sealing.seal(secret),
            "scopes": SCOPES,
            "role_mappings": {},
        }
        claims = {"claim_mappings": CLAIMS | values.pop("claim_mappings", {})}
        return make(OidcProvider, **{**known, **claims, **values})

    return make_provider


@pytest.fixture
def mock(
    real_provider: Provider, base_url: str, make_provider: Callable[..., OidcProvider]
) -> OidcProvider:
    """This server's entry for the real provider, by the name `mock`."""
    client = real_provider.register(f"{base_url}/api/v1/oidc/callback/mock")
    return make_provider("mock", real_provider.issuer, client)


@pytest.fixture
def fake_oidc() -> Iterator[FakeOidc]:
    """An OpenID provider that lies when told to."""
    with FakeOidc() as fake:
        yield fake


@pytest.fixture
def fake(fake_oidc: FakeOidc, make_provider: Callable[..., OidcProvider]) -> OidcProvider:
    """This server's entry for it, by the name `fake`."""
    return make_provider("fake", fake_oidc.url, (CLIENT_ID, CLIENT_SECRET))


@pytest.fixture
def account(client_of: Callable[..., httpx.Client], casey: User) -> httpx.Client:
    """A client in which Casey has just signed in."""
    client = client_of(None)
    answer = client.post("/auth/login", json={"username": "Casey", "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client
