"""openapi/identity/oidc.yaml: whose accounts at providers belong to whom here."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from marquee import db
from marquee.audit import Activity
from marquee.identity.auth.models import OneTimeToken
from marquee.identity.mfa.models import Passkey
from marquee.identity.oidc.models import OidcLink, OidcProvider
from marquee.identity.users.models import User
from tests.answers import refused
from tests.fakes.oidc import FakeOidc
from tests.identity.browsers import cookies_of
from tests.identity.oidc_trips import back_from, signed_in_at
from tests.oidc_provider import Provider

Make = Callable[..., Any]


@pytest.fixture
def owner(client_of: Make, token_of: Make, me: User) -> httpx.Client:
    """`me`, signed in: a client that keeps cookies."""
    client: httpx.Client = client_of(None)
    client.headers.update(token_of(me))
    return client


@pytest.fixture
def linked(make: Make, me: User, fake: OidcProvider) -> OidcLink:
    """What `me` has linked: the fake's user."""
    link: OidcLink = make(
        OidcLink, user_id=me.id, provider_id=fake.id, subject="user-1", email="robin@example.org"
    )
    return link


def begin(client: httpx.Client, name: str = "fake", **query: str) -> str:
    answer = client.post(f"/users/me/oidc/{name}/link", params=query)
    assert answer.status_code == 200, answer.text
    url: str = answer.json()["auth_url"]
    return url


def links() -> list[tuple[int, str]]:
    found = db.session.execute(select(OidcLink.user_id, OidcLink.subject).order_by(OidcLink.id))
    return [tuple(each) for each in found]


def last_line() -> Activity:
    return db.session.scalars(select(Activity).order_by(Activity.id.desc()).limit(1)).one()


class TestListMyOidcLinks:
    def test_lists_ones_own(
        self, client: httpx.Client, make: Make, linked: OidcLink, make_provider: Make
    ) -> None:
        other = make_provider("other", "https://other.example.org", ("id", "secret"))
        make(OidcLink, user_id=make(User).id, provider_id=other.id, subject="x")
        answer = client.get("/users/me/oidc").json()
        assert answer["total"] == 1
        (shown,) = answer["links"]
        assert shown == {
            "id": linked.id,
            "provider_name": "fake",
            "provider_display_name": "Fake",
            "email": "robin@example.org",
            "last_login_at": None,
            "linked_at": shown["linked_at"],
        }

    def test_says_when_each_was_used(
        self, client: httpx.Client, anonymous: httpx.Client, linked: OidcLink
    ) -> None:
        signed_in_at(anonymous, "fake")
        assert client.get("/users/me/oidc").json()["links"][0]["last_login_at"] is not None

    def test_of_nobody(self, client: httpx.Client) -> None:
        assert client.get("/users/me/oidc").json() == {"links": [], "total": 0}


class TestLinkOidcProvider:
    def test_links_and_then_signs_in(
        self,
        owner: httpx.Client,
        anonymous: httpx.Client,
        real_provider: Provider,
        mock: OidcProvider,
        me: User,
    ) -> None:
        real_provider.knows("linda", email=me.email, email_verified=True)
        answer = owner.get(back_from(begin(owner, "mock"), "linda"))
        assert (answer.status_code, answer.content) == (204, b"")
        assert links() == [(me.id, "linda")]
        assert signed_in_at(anonymous, "mock", "linda")["id"] == me.id

    def test_leads_back_to_a_page(
        self, owner: httpx.Client, base_url: str, fake: OidcProvider, me: User
    ) -> None:
        answer = owner.get(back_from(begin(owner, redirect_to="/settings")))
        assert (answer.status_code, answer.headers["location"]) == (302, f"{base_url}/settings")
        assert cookies_of(answer)["marquee_oidc"]["max-age"] == "0"
        assert "marquee_session" not in cookies_of(answer)
        assert links() == [(me.id, "user-1")]

    def test_is_recorded(self, owner: httpx.Client, fake: OidcProvider, me: User) -> None:
        owner.get(back_from(begin(owner)))
        begun, done = db.session.scalars(select(Activity).order_by(Activity.id))
        assert (begun.action, begun.user_id) == ("oidc.link_start", me.id)
        assert (done.action, done.user_id, done.username) == ("oidc.link", me.id, me.username)
        assert (done.resource_id, done.success) == (str(fake.id), True)

    def test_needs_the_browser_that_has_begun(
        self, owner: httpx.Client, client_of: Make, fake: OidcProvider
    ) -> None:
        """Nobody links the account of somebody who follows a link to their own."""
        back = back_from(begin(owner))
        assert refused(client_of(None).get(back)) == (400, "INVALID_OR_EXPIRED_TOKEN")
        assert links() == []
        assert owner.get(back).status_code == 204

    @pytest.mark.parametrize("subject", ["user-1", "user-2"])
    def test_one_account_each(
        self,
        owner: httpx.Client,
        make: Make,
        me: User,
        fake: OidcProvider,
        fake_oidc: FakeOidc,
        subject: str,
    ) -> None:
        """Also where another is linked between the beginning and the end."""
        back = back_from(begin(owner))
        make(OidcLink, user_id=me.id, provider_id=fake.id, subject=subject)
        assert refused(owner.get(back)) == (409, "OIDC_ALREADY_LINKED")
        assert refused(owner.post("/users/me/oidc/fake/link")) == (409, "OIDC_ALREADY_LINKED")
        assert links() == [(me.id, subject)]
        assert db.session.scalar(select(OneTimeToken.id)) is None

    def test_an_account_of_another_user(
        self, owner: httpx.Client, make: Make, make_user: Make, fake: OidcProvider, me: User
    ) -> None:
        other = make_user()
        make(OidcLink, user_id=other.id, provider_id=fake.id, subject="user-1")
        assert refused(owner.get(back_from(begin(owner)))) == (409, "OIDC_ALREADY_LINKED")
        assert links() == [(other.id, "user-1")]
        line = last_line()
        assert (line.action, line.error_code) == ("oidc.link", "OIDC_ALREADY_LINKED")
        assert line.user_id == me.id

    def test_where_the_provider_allows_none(self, owner: httpx.Client, fake: OidcProvider) -> None:
        back = back_from(begin(owner))
        fake.allow_linking = False
        db.session.commit()
        for answer in (owner.post("/users/me/oidc/fake/link"), owner.get(back)):
            assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
        assert links() == []

    def test_by_somebody_who_was_disabled(
        self, owner: httpx.Client, fake: OidcProvider, me: User
    ) -> None:
        back = back_from(begin(owner))
        me.is_active = False
        db.session.commit()
        assert refused(owner.get(back)) == (403, "ACCOUNT_DISABLED")
        assert links() == []

    def test_a_provider_that_is_not_there(self, owner: httpx.Client) -> None:
        answer = owner.post("/users/me/oidc/nobody/link")
        assert refused(answer) == (404, "OIDC_PROVIDER_NOT_FOUND")

    def test_a_provider_that_is_slow(
        self, owner: httpx.Client, fake: OidcProvider, fake_oidc: FakeOidc
    ) -> None:
        fake_oidc.breaks("slow", seconds=20)
        answer = owner.post("/users/me/oidc/fake/link")
        assert refused(answer) == (504, "EXTERNAL_API_TIMEOUT")

    def test_an_api_key_may_not(self, client: httpx.Client, fake: OidcProvider) -> None:
        assert refused(client.post("/users/me/oidc/fake/link")) == (401, "INVALID_TOKEN")

    def test_gives_roles_by_the_claims(
        self, owner: httpx.Client, fake: OidcProvider, fake_oidc: FakeOidc
    ) -> None:
        fake.claim_mappings = fake.claim_mappings | {"roles": "groups"}
        fake.role_mappings = {"editors": "moderator"}
        db.session.commit()
        fake_oidc.user["groups"] = ["editors"]
        owner.get(back_from(begin(owner)))
        assert owner.get("/users/me").json()["roles"] == ["moderator", "user"]
        assert refused(owner.delete("/users/me/oidc/fake")) == (409, "LAST_SIGN_IN_METHOD")


class TestUnlinkOidcProvider:
    @pytest.mark.parametrize("way", ["password", "passkey", "media server", "other"])
    def test_where_another_way_in_is_left(
        self,
        owner: httpx.Client,
        make: Make,
        me: User,
        linked: OidcLink,
        make_provider: Make,
        way: str,
    ) -> None:
        key = {"credential_id": b"a", "public_key": b"b", "backed_up": False}
        other = make_provider("other", "https://other.example.org", ("id", "secret"))
        if way == "passkey":
            make(Passkey, user_id=me.id, name="Phone", **key)
        elif way == "other":
            make(OidcLink, user_id=me.id, provider_id=other.id, subject="x")
        else:
            me.password_hash = "a hash" if way == "password" else None
            me.provider = "jellyfin" if way == "media server" else "local"
            db.session.commit()
        assert owner.delete("/users/me/oidc/fake").status_code == 204
        assert links() == ([(me.id, "x")] if way == "other" else [])
        line = last_line()
        assert (line.action, line.user_id, line.resource_id) == ("oidc.unlink", me.id, "fake")

    @pytest.mark.parametrize("left", ["nothing", "a disabled provider", "another user's passkey"])
    def test_never_takes_the_last_way_in(
        self,
        owner: httpx.Client,
        make: Make,
        me: User,
        linked: OidcLink,
        make_provider: Make,
        left: str,
    ) -> None:
        if left == "a disabled provider":
            values = ("off", "https://off.example.org", ("id", "secret"))
            off = make_provider(*values, is_enabled=False)
            make(OidcLink, user_id=me.id, provider_id=off.id, subject="x")
        elif left == "another user's passkey":
            key = {"credential_id": b"a", "public_key": b"b", "backed_up": False}
            make(Passkey, user_id=make(User).id, name="Phone", **key)
        answer = owner.delete("/users/me/oidc/fake")
        assert refused(answer) == (409, "LAST_SIGN_IN_METHOD")
        assert (me.id, "user-1") in links()

    def test_takes_the_roles_that_came_with_it(
        self, owner: httpx.Client, me: User, fake: OidcProvider, fake_oidc: FakeOidc
    ) -> None:
        fake.claim_mappings = fake.claim_mappings | {"roles": "groups"}
        fake.role_mappings = {"editors": "moderator"}
        me.password_hash = "a hash"
        db.session.commit()
        fake_oidc.user["groups"] = ["editors"]
        owner.get(back_from(begin(owner)))
        assert owner.delete("/users/me/oidc/fake").status_code == 204
        assert owner.get("/users/me").json()["roles"] == ["user"]

    def test_what_is_not_linked(
        self, owner: httpx.Client, make: Make, make_user: Make, fake: OidcProvider
    ) -> None:
        other = make_user()
        make(OidcLink, user_id=other.id, provider_id=fake.id, subject="x")
        for name in ("fake", "nobody"):
            answer = owner.delete(f"/users/me/oidc/{name}")
            assert refused(answer) == (404, "OIDC_LINK_NOT_FOUND")
        assert links() == [(other.id, "x")]

    def test_an_api_key_may_not(self, client: httpx.Client, linked: OidcLink) -> None:
        assert refused(client.delete("/users/me/oidc/fake")) == (401, "INVALID_TOKEN")
