"""openapi/identity/oidc.yaml: signing in, against a real provider and one that lies."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from marquee import db
from marquee.audit import Activity
from marquee.identity.auth.models import OneTimeToken, Session
from marquee.identity.oidc.models import OidcProvider
from marquee.identity.users.models import User
from tests.answers import refused
from tests.fakes.oidc import FakeOidc
from tests.identity.browsers import cookies_of, csrf_pair
from tests.identity.oidc_trips import auth_url, back_from, come_back, query_of, signed_in_at
from tests.oidc_provider import Provider

Make = Callable[..., Any]
Settings = Callable[..., None]


def lines() -> list[Activity]:
    return list(db.session.scalars(select(Activity).order_by(Activity.id)))


def users() -> int:
    return db.session.scalar(select(func.count()).select_from(User)) or 0


class TestListOidcProviders:
    def test_lists_what_can_be_used(
        self, anonymous: httpx.Client, make_provider: Make, fake: OidcProvider
    ) -> None:
        client = ("id", "secret")
        make_provider("zeta", "https://zeta.example.org", client, is_default=True)
        make_provider("off", "https://off.example.org", client, is_enabled=False)
        answer = anonymous.get("/oidc/providers")
        assert answer.json() == {
            "providers": [
                {"name": "zeta", "display_name": "Zeta", "is_default": True},
                {"name": "fake", "display_name": "Fake", "is_default": False},
            ],
            "total": 2,
        }


class TestStartOidcAuth:
    def test_leads_to_the_provider(
        self, anonymous: httpx.Client, base_url: str, real_provider: Provider, mock: OidcProvider
    ) -> None:
        answer = anonymous.get("/oidc/auth/mock")
        url = answer.json()["auth_url"]
        assert url.startswith(f"{real_provider.issuer}/oauth2/authorize?")
        query = query_of(url)
        assert query["redirect_uri"] == f"{base_url}/api/v1/oidc/callback/mock"
        assert (query["client_id"], query["scope"]) == (mock.client_id, "openid profile email")
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        assert len({query["state"], query["nonce"], query["code_challenge"]}) == 3
        assert "set-cookie" not in answer.headers

    @pytest.mark.parametrize("by", ["page", "pair"])
    def test_binds_what_a_browser_begins_to_it(
        self, anonymous: httpx.Client, fake: OidcProvider, by: str
    ) -> None:
        headers = csrf_pair() if by == "pair" else {}
        query = {"redirect_to": "/library"} if by == "page" else {}
        cookies = cookies_of(anonymous.get("/oidc/auth/fake", params=query, headers=headers))
        (cookie,) = cookies.values()
        assert (cookie.key, cookie["httponly"], cookie["samesite"]) == ("marquee_oidc", True, "Lax")
        assert (cookie["path"], cookie["max-age"]) == ("/", "600")

    def test_stores_no_state_and_no_cookie_as_it_is(
        self, anonymous: httpx.Client, fake: OidcProvider
    ) -> None:
        state = query_of(auth_url(anonymous, "fake", redirect_to="/"))["state"]
        token = db.session.scalars(select(OneTimeToken)).one()
        stored = f"{token.digest!r} {token.data}"
        assert state not in stored
        assert anonymous.cookies["marquee_oidc"] not in stored

    @pytest.mark.parametrize("name", ["nobody", "off"])
    def test_a_provider_that_is_not_there(
        self, anonymous: httpx.Client, make_provider: Make, name: str
    ) -> None:
        make_provider("off", "https://off.example.org", ("id", "secret"), is_enabled=False)
        answer = anonymous.get(f"/oidc/auth/{name}")
        assert refused(answer) == (404, "OIDC_PROVIDER_NOT_FOUND")

    @pytest.mark.parametrize(
        "page",
        [
            "https://evil.example.org/",
            "//evil.example.org",
            "/\\evil.example.org",
            "/\t/evil.example.org",
            "javascript:alert(1)",
            "library",
            "/#a",
            "/a b",
            "/a\nb",
            "/ä",
            "",
        ],
    )
    def test_pages_elsewhere(self, anonymous: httpx.Client, fake: OidcProvider, page: str) -> None:
        answer = anonymous.get("/oidc/auth/fake", params={"redirect_to": page})
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_half_a_csrf_pair(self, anonymous: httpx.Client, fake: OidcProvider) -> None:
        headers = {"X-CSRF-Token": csrf_pair()["X-CSRF-Token"]}
        answer = anonymous.get("/oidc/auth/fake", headers=headers)
        assert refused(answer) == (403, "CSRF_FAILED")

    def test_a_provider_that_is_down(
        self, anonymous: httpx.Client, fake: OidcProvider, fake_oidc: FakeOidc
    ) -> None:
        fake_oidc.stop()
        answer = anonymous.get("/oidc/auth/fake")
        assert refused(answer) == (503, "EXTERNAL_API_ERROR")
        assert db.session.scalar(select(OneTimeToken.id)) is None

    def test_a_provider_that_is_slow(
        self, anonymous: httpx.Client, fake: OidcProvider, fake_oidc: FakeOidc
    ) -> None:
        fake_oidc.breaks("slow", seconds=20)
        answer = anonymous.get("/oidc/auth/fake")
        assert refused(answer) == (504, "EXTERNAL_API_TIMEOUT")

    def test_a_secret_that_cannot_be_read_any_more(
        self, anonymous: httpx.Client, fake: OidcProvider
    ) -> None:
        fake.sealed_client_secret = "sealed with another key"
        db.session.commit()
        answer = anonymous.get("/oidc/auth/fake")
        assert refused(answer) == (503, "NOT_CONFIGURED")


class TestHandleOidcCallback:
    def test_signs_in_somebody_new(
        self, anonymous: httpx.Client, real_provider: Provider, mock: OidcProvider
    ) -> None:
        claims = {"preferred_username": "Dana", "name": "Dana Scully", "email_verified": True}
        picture = "https://pictures.example.org/dana.png"
        real_provider.knows("dana-1", email="dana@example.org", picture=picture, **claims)
        answer = come_back(anonymous, "mock", "dana-1")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers
        user = answer.json()["user"]
        known = ("username", "display_name", "email", "email_verified", "provider", "avatar_url")
        assert [user[name] for name in known] == (
            ["Dana", "Dana Scully", "dana@example.org", True, "oidc", picture]
        )
        assert (user["roles"], user["is_admin"]) == (["user"], False)
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert anonymous.get("/users/me", headers=headers).json()["id"] == user["id"]
        assert db.session.scalars(select(Session.method)).all() == ["oidc"]
        refreshed = anonymous.post(
            "/auth/refresh", json={"refresh_token": answer.json()["refresh_token"]}
        )
        assert refreshed.status_code == 200

    def test_signs_in_the_same_account_again(
        self, anonymous: httpx.Client, real_provider: Provider, mock: OidcProvider
    ) -> None:
        real_provider.knows("fox", email="fox@example.org", preferred_username="fox")
        first = signed_in_at(anonymous, "mock", "fox")
        real_provider.knows("fox", email="other@example.org", preferred_username="other")
        assert signed_in_at(anonymous, "mock", "fox")["id"] == first["id"]
        another = signed_in_at(anonymous, "mock", "walter")
        assert another["id"] != first["id"]

    def test_is_recorded_with_the_user(
        self, anonymous: httpx.Client, fake: OidcProvider, fake_oidc: FakeOidc
    ) -> None:
        user = signed_in_at(anonymous, "fake")
        fake_oidc.id_claims = {"nonce": "another"}
        come_back(anonymous, "fake")
        good, bad = lines()
        assert (good.action, good.user_id, good.username) == ("oidc.login", user["id"], "robin")
        assert (good.success, good.resource_id) == (True, str(fake.id))
        assert good.details == {"provider": "fake"}
        assert (bad.action, bad.success, bad.error_code) == ("oidc.login", False, "OIDC_FAILED")

    def test_a_browser_gets_its_session_and_goes_on(
        self, anonymous: httpx.Client, base_url: str, real_provider: Provider, mock: OidcProvider
    ) -> None:
        page = "/library?view=new"
        back = back_from(auth_url(anonymous, "mock", redirect_to=page), "sam")
        answer = anonymous.get(back)
        assert (answer.status_code, answer.content) == (302, b"")
        assert answer.headers["location"] == f"{base_url}{page}"
        cookies = cookies_of(answer)
        assert cookies.keys() == {"marquee_oidc", "marquee_session", "__csrf"}
        assert cookies["marquee_oidc"]["max-age"] == "0"
        state = anonymous.get("/auth/session").json()
        assert state["authenticated"] is True
        assert anonymous.get("/users/me").json()["id"] == state["user_id"]

    def test_goes_on_to_the_web_application(
        self, anonymous: httpx.Client, fake: OidcProvider, set_variables: Settings
    ) -> None:
        set_variables(APP_URL="https://www.example.org/app")
        answer = anonymous.get(back_from(auth_url(anonymous, "fake", redirect_to="/a")))
        assert answer.headers["location"] == "https://www.example.org/app/a"

    def test_cookies_under_https(
        self, anonymous: httpx.Client, fake: OidcProvider, base_url: str, set_variables: Settings
    ) -> None:
        address = "https://api.example.org"
        set_variables(PUBLIC_URL=address)
        begun = anonymous.get("/oidc/auth/fake", params={"redirect_to": "/"})
        ((name, cookie),) = cookies_of(begun).items()
        assert (name, cookie["secure"], cookie["domain"]) == ("__Host-marquee_oidc", True, "")
        back = back_from(begun.json()["auth_url"])
        assert back.startswith(f"{address}/api/v1/oidc/callback/fake?")
        here = back.replace(address, base_url)
        answer = anonymous.get(here, headers={"Cookie": f"{name}={cookie.value}"})
        assert answer.headers["location"] == f"{address}/"
        assert cookies_of(answer).keys() == {name, "__Host-marquee_session", "__csrf"}

    def test_a_browser_without_a_page_gets_both(
        self, anonymous: httpx.Client, fake: OidcProvider
    ) -> None:
        pair = csrf_pair()
        begun = anonymous.get("/oidc/auth/fake", headers=pair)
        cookie = cookies_of(begun)["marquee_oidc"].value
        answer = anonymous.get(
            back_from(begun.json()["auth_url"]), headers={"Cookie": f"marquee_oidc={cookie}"}
        )
        assert answer.json()["user"]["username"] == "robin"
        assert "marquee_session" in cookies_of(answer)

    def test_parameters_that_providers_add_are_ignored(
        self, anonymous: httpx.Client, fake: OidcProvider
    ) -> None:
        back = back_from(auth_url(anonymous, "fake"))
        assert "session_state=" in back
        assert anonymous.get(f"{back}&hd=example.org&prompt=none").status_code == 200
