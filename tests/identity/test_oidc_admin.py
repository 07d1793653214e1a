"""openapi/identity/oidc.yaml: what administrators do with providers."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from marquee import db, sealing
from marquee.audit import Activity
from marquee.identity.oidc.models import OidcLink, OidcProvider
from marquee.identity.users.models import Role, User, UserRole
from tests.answers import refused
from tests.fakes.oidc import CLIENT_ID, CLIENT_SECRET, FakeOidc
from tests.identity.oidc_trips import auth_url, back_from, come_back, signed_in_at
from tests.oidc_provider import Provider

Make = Callable[..., Any]
NOWHERE = 9_007_199_254_740_991
PROVIDERS = "/admin/oidc/providers"
NEW = {
    "name": "keycloak",
    "display_name": "Company account",
    "issuer_url": "https://id.example.org/realms/main",
    "client_id": "marquee",
    "client_secret": "a secret of the client",
}


@pytest.fixture
def keycloak(make_provider: Make) -> OidcProvider:
    """A provider that nobody calls."""
    provider: OidcProvider = make_provider(
        "keycloak", "https://id.example.org/realms/main", ("marquee", "a secret of the client")
    )
    return provider


def path(provider: OidcProvider) -> str:
    return f"{PROVIDERS}/{provider.id}"


def stored(name: str = "keycloak") -> OidcProvider:
    db.session.expire_all()
    return db.session.scalars(select(OidcProvider).where(OidcProvider.name == name)).one()


def actions() -> list[tuple[str, str | None, str | None]]:
    rows = db.session.scalars(select(Activity).order_by(Activity.id))
    return [(row.action, row.resource_id, row.error_code) for row in rows]


class TestAdminCreateOidcProvider:
    def test_fills_in_what_is_not_said(
        self, admin: httpx.Client, base_url: str, set_variables: Make
    ) -> None:
        set_variables(PUBLIC_URL=base_url)
        answer = admin.post(PROVIDERS, json=NEW)
        assert answer.status_code == 201
        made = answer.json()
        assert made == {
            **{name: value for name, value in NEW.items() if name != "client_secret"},
            "id": made["id"],
            "provider_type": "generic",
            "has_client_secret": True,
            "callback_url": f"{base_url}/api/v1/oidc/callback/keycloak",
            "authorization_endpoint": None,
            "token_endpoint": None,
            "user_info_endpoint": None,
            "jwks_uri": None,
            "end_session_endpoint": None,
            "scopes": ["openid", "profile", "email"],
            "claim_mappings": {
                "username": "preferred_username",
                "email": "email",
                "name": "name",
                "picture": "picture",
                "roles": None,
            },
            "role_mappings": {},
            "auto_create_users": True,
            "update_user_info": True,
            "allow_linking": True,
            "is_enabled": True,
            "is_default": False,
            "created_at": made["created_at"],
            "updated_at": made["updated_at"],
        }
        assert admin.get(f"{PROVIDERS}/{made['id']}").json() == made
        assert actions() == [("oidc.provider.add", str(made["id"]), None)]

    def test_is_good_for_signing_in(
        self,
        admin: httpx.Client,
        anonymous: httpx.Client,
        base_url: str,
        real_provider: Provider,
        set_variables: Make,
    ) -> None:
        set_variables(PUBLIC_URL=base_url)
        client_id, secret = real_provider.register(f"{base_url}/api/v1/oidc/callback/company")
        body = {**NEW, "name": "company", "issuer_url": real_provider.issuer}
        body |= {"client_id": client_id, "client_secret": secret}
        assert admin.post(PROVIDERS, json=body).status_code == 201
        assert signed_in_at(anonymous, "company", "sam")["provider"] == "oidc"

    def test_keeps_the_secret(self, admin: httpx.Client) -> None:
        answer = admin.post(PROVIDERS, json=NEW, headers={"Idempotency-Key": "one"})
        again = admin.post(PROVIDERS, json=NEW, headers={"Idempotency-Key": "one"})
        assert (answer.status_code, again.content) == (201, answer.content)
        seen = answer.text + admin.get(PROVIDERS).text
        dump = db.session.execute(text("select p::text from oidc_providers p")).scalar_one()
        answers = db.session.execute(text("select a::text from idempotency_keys a")).scalars()
        assert NEW["client_secret"] not in "".join([seen, dump, *answers])
        sealed = stored().sealed_client_secret
        assert sealed is not None
        assert sealing.unseal(sealed) == NEW["client_secret"]

    def test_a_public_client(self, admin: httpx.Client) -> None:
        without = {name: value for name, value in NEW.items() if name != "client_secret"}
        for body in (NEW | {"client_secret": None}, without | {"name": "other"}):
            made = admin.post(PROVIDERS, json=body)
            assert (made.status_code, made.json()["has_client_secret"]) == (201, False)

    def test_a_name_that_is_taken(self, admin: httpx.Client, keycloak: OidcProvider) -> None:
        answer = admin.post(PROVIDERS, json=NEW)
        assert refused(answer) == (409, "OIDC_PROVIDER_EXISTS")

    def test_more_than_a_hundred(self, admin: httpx.Client, make_provider: Make) -> None:
        for number in range(100):
            make_provider(f"p{number}", "https://id.example.org", ("id", "secret"))
        assert refused(admin.post(PROVIDERS, json=NEW)) == (409, "OIDC_PROVIDER_LIMIT")
        listed = admin.get(PROVIDERS).json()
        assert (listed["total"], len(listed["providers"])) == (100, 100)

    @pytest.mark.parametrize(
        "change",
        [
            {"name": "Key Cloak"},
            {"name": "../admin"},
            {"name": ""},
            {"issuer_url": "id.example.org"},
            {"issuer_url": "ftp://id.example.org"},
            {"issuer_url": "https://user:password@id.example.org"},
            {"issuer_url": "https://id.example.org?a=b"},
            {"issuer_url": "https://id.example.org#a"},
            {"issuer_url": "http://id.example.org"},
            {"issuer_url": "http://10.0.0.1"},
            {"issuer_url": "http://localhost.example.org"},
            {"token_endpoint": "http://id.example.org/token"},
            {"jwks_uri": "file:///etc/passwd"},
            {"provider_type": "google"},
            {"scopes": []},
            {"scopes": ["open id"]},
            {"claim_mappings": {"password": "password"}},
            {"role_mappings": {"a": "no such role"}},
            {"role_mappings": {"a": 1}},
            {"is_default": True},
            {"client_secret": ""},
        ],
        ids=str,
    )
    def test_what_cannot_be(self, admin: httpx.Client, change: dict[str, Any]) -> None:
        answer = admin.post(PROVIDERS, json=NEW | change)
        assert refused(answer) == (400, "VALIDATION_ERROR")
        assert db.session.scalar(select(OidcProvider.id)) is None

    @pytest.mark.parametrize(
        "issuer", ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:8000/a"]
    )
    def test_plain_http_is_for_this_machine_and_not_for_production(
        self, admin: httpx.Client, set_variables: Make, issuer: str
    ) -> None:
        body = NEW | {"issuer_url": issuer}
        assert admin.post(PROVIDERS, json=body).status_code == 201
        set_variables(MARQUEE_ENV="production")
        answer = admin.post(PROVIDERS, json=body | {"name": "other"})
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_who_may_assign_no_roles_maps_none(
        self, client_of: Make, make: Make, make_user: Make, keycloak: OidcProvider
    ) -> None:
        role = make(Role, name="integrator", permissions=["integrations:*"])
        user = make_user("user")
        make(UserRole, user_id=user.id, role_id=role.id)
        integrator = client_of(user)
        roles = {"role_mappings": {"staff": "admin"}}
        for answer in (
            integrator.post(PROVIDERS, json=NEW | roles | {"name": "mine"}),
            integrator.patch(path(keycloak), json=roles),
        ):
            assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")
        assert integrator.post(PROVIDERS, json=NEW | {"name": "mine"}).status_code == 201


class TestAdminListOidcProviders:
    def test_lists_all_by_name(
        self, admin: httpx.Client, keycloak: OidcProvider, make_provider: Make
    ) -> None:
        make_provider("acme", "https://acme.example.org", ("id", "secret"), is_enabled=False)
        answer = admin.get(PROVIDERS).json()
        assert [each["name"] for each in answer["providers"]] == ["acme", "keycloak"]
        assert answer["total"] == 2

    def test_is_for_administrators(
        self, client: httpx.Client, anonymous: httpx.Client, keycloak: OidcProvider
    ) -> None:
        assert refused(client.get(PROVIDERS)) == (403, "INSUFFICIENT_PERMISSIONS")
        assert refused(anonymous.get(PROVIDERS)) == (401, "INVALID_TOKEN")


class TestAdminGetOidcProvider:
    def test_shows_one(self, admin: httpx.Client, keycloak: OidcProvider) -> None:
        answer = admin.get(path(keycloak))
        assert (answer.json()["id"], answer.json()["has_client_secret"]) == (keycloak.id, True)
        assert "etag" in answer.headers

    def test_one_that_is_not_there(self, admin: httpx.Client) -> None:
        answer = admin.get(f"{PROVIDERS}/{NOWHERE}")
        assert refused(answer) == (404, "OIDC_PROVIDER_NOT_FOUND")


class TestAdminUpdateOidcProvider:
    def test_changes_what_is_named(self, admin: httpx.Client, keycloak: OidcProvider) -> None:
        before = admin.get(path(keycloak)).json()
        change = {"display_name": "New", "claim_mappings": {"roles": "groups", "picture": None}}
        after = admin.patch(path(keycloak), json=change)
        claims = {**before["claim_mappings"], "roles": "groups", "picture": None}
        expected = {**before, "display_name": "New", "claim_mappings": claims}
        assert after.json() == {**expected, "updated_at": after.json()["updated_at"]}
        assert after.json()["updated_at"] > before["updated_at"]
        assert actions() == [("oidc.provider.update", str(keycloak.id), None)]

    def test_the_secret_stays_is_replaced_or_goes(
        self, admin: httpx.Client, keycloak: OidcProvider
    ) -> None:
        sealed = keycloak.sealed_client_secret
        admin.patch(path(keycloak), json={"allow_linking": False})
        assert stored().sealed_client_secret == sealed
        admin.patch(path(keycloak), json={"client_secret": "another"})
        assert sealing.unseal(stored().sealed_client_secret or "") == "another"
        answer = admin.patch(path(keycloak), json={"client_secret": None})
        assert answer.json()["has_client_secret"] is False
        assert stored().sealed_client_secret is None

    def test_takes_effect_at_once(
        self,
        admin: httpx.Client,
        anonymous: httpx.Client,
        fake: OidcProvider,
        fake_oidc: FakeOidc,
    ) -> None:
        admin.patch(path(fake), json={"client_secret": "wrong"})
        assert refused(come_back(anonymous, "fake")) == (503, "EXTERNAL_API_ERROR")
        admin.patch(path(fake), json={"client_secret": CLIENT_SECRET})
        assert signed_in_at(anonymous, "fake")["username"] == "robin"

    def test_of_the_version_that_is_meant(
        self, admin: httpx.Client, keycloak: OidcProvider
    ) -> None:
        old = {"If-Match": admin.get(path(keycloak)).headers["etag"]}
        first = admin.patch(path(keycloak), json={"display_name": "One"}, headers=old)
        assert first.status_code == 200
        late = admin.patch(path(keycloak), json={"display_name": "Two"}, headers=old)
        assert refused(late) == (412, "PRECONDITION_FAILED")
        new = {"If-Match": first.headers["etag"]}
        assert admin.patch(path(keycloak), json={"display_name": "Two"}, headers=new).is_success

    def test_no_other_issuer_while_accounts_are_linked(
        self, admin: httpx.Client, make: Make, make_user: Make, keycloak: OidcProvider
    ) -> None:
        other = {"issuer_url": "https://other.example.org"}
        same = {"issuer_url": keycloak.issuer_url, "display_name": "Same"}
        make(OidcLink, user_id=make_user().id, provider_id=keycloak.id, subject="x")
        answer = admin.patch(path(keycloak), json=other)
        assert refused(answer) == (409, "OIDC_PROVIDER_IN_USE")
        assert admin.patch(path(keycloak), json=same).status_code == 200
        db.session.delete(db.session.scalars(select(OidcLink)).one())
        db.session.commit()
        assert admin.patch(path(keycloak), json=other).status_code == 200

    @pytest.mark.parametrize(
        "change",
        [
            {},
            {"name": "other"},
            {"is_enabled": False},
            {"is_default": True},
            {"issuer_url": None},
            {"issuer_url": "http://id.example.org"},
            {"user_info_endpoint": "http://id.example.org/me"},
            {"role_mappings": {"a": "no such role"}},
            {"client_id": ""},
        ],
        ids=str,
    )
    def test_what_cannot_be(
        self, admin: httpx.Client, keycloak: OidcProvider, change: dict[str, Any]
    ) -> None:
        assert refused(admin.patch(path(keycloak), json=change)) == (400, "VALIDATION_ERROR")

    def test_one_that_is_not_there(self, admin: httpx.Client) -> None:
        answer = admin.patch(f"{PROVIDERS}/{NOWHERE}", json={"display_name": "New"})
        assert refused(answer) == (404, "OIDC_PROVIDER_NOT_FOUND")


class TestAdminDeleteOidcProvider:
    def test_removes_it_with_its_links(
        self, admin: httpx.Client, make: Make, make_user: Make, keycloak: OidcProvider
    ) -> None:
        user = make_user()
        make(OidcLink, user_id=user.id, provider_id=keycloak.id, subject="x")
        id_ = keycloak.id
        assert admin.delete(path(keycloak)).status_code == 204
        db.session.expire_all()
        assert db.session.scalar(select(OidcLink.id)) is None
        assert db.session.get(User, user.id) is not None
        assert refused(admin.delete(f"{PROVIDERS}/{id_}")) == (404, "OIDC_PROVIDER_NOT_FOUND")
        assert actions()[0] == ("oidc.provider.delete", str(id_), None)

    def test_ends_what_was_begun(
        self, admin: httpx.Client, anonymous: httpx.Client, fake: OidcProvider, make_provider: Make
    ) -> None:
        """Also where another provider takes its name."""
        back = back_from(auth_url(anonymous, "fake"))
        issuer = fake.issuer_url
        admin.delete(path(fake))
        assert refused(anonymous.get(back)) == (404, "OIDC_PROVIDER_NOT_FOUND")
        make_provider("fake", issuer, (CLIENT_ID, CLIENT_SECRET))
        assert refused(anonymous.get(back)) == (400, "INVALID_OR_EXPIRED_TOKEN")


class TestAdminEnableOidcProvider:
    def test_lets_people_in(
        self, admin: httpx.Client, anonymous: httpx.Client, fake: OidcProvider
    ) -> None:
        for switch, total in (("disable", 0), ("disable", 0), ("enable", 1), ("enable", 1)):
            assert admin.post(f"{path(fake)}/{switch}").status_code == 204
            assert anonymous.get("/oidc/providers").json()["total"] == total
            assert anonymous.get("/oidc/auth/fake").is_success == bool(total)
        assert {action for action, _, _ in actions()} == {"oidc.provider.update"}

    def test_one_that_is_not_there(self, admin: httpx.Client) -> None:
        answer = admin.post(f"{PROVIDERS}/{NOWHERE}/enable")
        assert refused(answer) == (404, "OIDC_PROVIDER_NOT_FOUND")


class TestAdminDisableOidcProvider:
    def test_lets_nobody_in_who_has_begun(
        self, admin: httpx.Client, anonymous: httpx.Client, fake: OidcProvider
    ) -> None:
        back = back_from(auth_url(anonymous, "fake"))
        admin.post(f"{path(fake)}/disable")
        assert refused(anonymous.get(back)) == (404, "OIDC_PROVIDER_NOT_FOUND")

    def test_one_that_is_not_there(self, admin: httpx.Client) -> None:
        answer = admin.post(f"{PROVIDERS}/{NOWHERE}/disable")
        assert refused(answer) == (404, "OIDC_PROVIDER_NOT_FOUND")


class TestAdminSetDefaultOidcProvider:
    def test_there_is_one(
        self,
        admin: httpx.Client,
        anonymous: httpx.Client,
        keycloak: OidcProvider,
        make_provider: Make,
    ) -> None:
        other = make_provider("acme", "https://acme.example.org", ("id", "secret"))
        for each in (keycloak, other, other, keycloak):
            assert admin.post(f"{path(each)}/default").status_code == 204
            shown = anonymous.get("/oidc/providers").json()["providers"]
            assert [one["name"] for one in shown if one["is_default"]] == [each.name]
            assert shown[0]["name"] == each.name

    def test_the_database_sees_to_it(self, keycloak: OidcProvider, make_provider: Make) -> None:
        make_provider("acme", "https://acme.example.org", ("id", "secret"), is_default=True)
        keycloak.is_default = True
        with pytest.raises(IntegrityError):
            db.session.flush()
        db.session.rollback()

    def test_one_that_is_not_there(self, admin: httpx.Client) -> None:
        answer = admin.post(f"{PROVIDERS}/{NOWHERE}/default")
        assert refused(answer) == (404, "OIDC_PROVIDER_NOT_FOUND")
