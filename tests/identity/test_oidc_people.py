"""openapi/identity/oidc.yaml: who a provider's claims are here."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from marquee import db
from marquee.audit import Activity
from marquee.identity.oidc.models import OidcLink, OidcProvider
from marquee.identity.users.models import Role, User, UserRole
from tests.answers import refused
from tests.authenticators import totp
from tests.fakes.oidc import FakeOidc
from tests.identity.factors import enable, set_up_app
from tests.identity.oidc_trips import auth_url, back_from, come_back, signed_in_at
from tests.letters import Letters
from tests.oidc_provider import Provider

Make = Callable[..., Any]


@pytest.fixture
def is_fake(fake: OidcProvider, fake_oidc: FakeOidc) -> Callable[..., None]:
    """Change this server's entry, and the user there."""

    def is_fake(entry: dict[str, Any] | None = None, **user: Any) -> None:
        for name, value in (entry or {}).items():
            setattr(fake, name, value)
        db.session.commit()
        fake_oidc.user |= user

    return is_fake


def roles_of(user_id: int) -> list[str]:
    query = select(Role.name).join(UserRole, UserRole.role_id == Role.id)
    return list(db.session.scalars(query.where(UserRole.user_id == user_id).order_by(Role.name)))


class TestNewAccounts:
    @pytest.mark.parametrize(
        "claims,username",
        [
            ({"preferred_username": "ada.l@example.org"}, "ada-l"),
            ({"preferred_username": None, "email": "grace@example.org"}, "grace"),
            ({"preferred_username": None, "email": None}, "user"),
            ({"preferred_username": "田中"}, "user"),
            ({"preferred_username": "<b>x</b>" + "y" * 500}, "b-x-b-yyyyyyyyyyyyyyyyyy"[:23]),
            ({"preferred_username": 7, "email": "seven@example.org"}, "seven"),
        ],
        ids=str,
    )
    def test_get_a_name_like_the_one_there(
        self,
        anonymous: httpx.Client,
        is_fake: Make,
        fake_oidc: FakeOidc,
        claims: dict[str, Any],
        username: str,
    ) -> None:
        is_fake(**claims)
        fake_oidc.user = {name: each for name, each in fake_oidc.user.items() if each is not None}
        assert signed_in_at(anonymous, "fake")["username"] == username

    def test_get_a_free_name(self, anonymous: httpx.Client, make: Make, fake: OidcProvider) -> None:
        make(User, username="Robin")
        username = signed_in_at(anonymous, "fake")["username"]
        assert username.startswith("robin-")
        assert username != "Robin"

    @pytest.mark.parametrize(
        "claims",
        [
            {"email": "no address", "picture": "javascript:alert(1)", "name": ["Robin"]},
            {"email": "a" * 65 + "@example.org", "picture": "https://a b", "name": ""},
            {"email": None, "picture": None, "name": None},
            {"email": {"a": 1}, "picture": "https://" + "x" * 2000, "name": "\0"},
        ],
        ids=["bad", "form", "none", "types"],
    )
    def test_take_no_claim_that_has_not_its_form(
        self, anonymous: httpx.Client, is_fake: Make, claims: dict[str, Any]
    ) -> None:
        is_fake(**claims)
        user = signed_in_at(anonymous, "fake")
        shown = (user["email"], user["email_verified"], user["avatar_url"], user["display_name"])
        assert shown == (None, False, None, None)

    @pytest.mark.parametrize(
        "claim,verified",
        [(True, True), ("true", True), (False, False), (None, False), (1, False), ("yes", False)],
    )
    def test_have_a_confirmed_address_where_the_provider_says_so(
        self,
        anonymous: httpx.Client,
        is_fake: Make,
        letters: Letters,
        claim: object,
        verified: bool,  # noqa: FBT001
    ) -> None:
        is_fake(email_verified=claim)
        assert signed_in_at(anonymous, "fake")["email_verified"] is verified
        assert bool(letters.deliver()) is not verified

    def test_must_confirm_it_first_where_the_server_wants_it(
        self, anonymous: httpx.Client, is_fake: Make, set_variables: Make
    ) -> None:
        is_fake(email_verified=False)
        set_variables(REGISTRATION="verified")
        answer = come_back(anonymous, "fake")
        assert refused(answer) == (403, "EMAIL_NOT_VERIFIED")
        user = db.session.scalars(select(User)).one()
        user.email_verified = True
        db.session.commit()
        assert signed_in_at(anonymous, "fake")["id"] == user.id

    @pytest.mark.parametrize("verified", [True, False])
    def test_are_never_those_of_the_same_address(
        self,
        anonymous: httpx.Client,
        make_user: Make,
        is_fake: Make,
        verified: bool,  # noqa: FBT001
    ) -> None:
        make_user("admin", email="Robin@Example.org")
        is_fake(email_verified=verified)
        answer = come_back(anonymous, "fake")
        assert refused(answer) == (409, "EMAIL_TAKEN")
        assert db.session.scalar(select(OidcLink.id)) is None

    def test_are_not_made_where_the_provider_may_not(
        self, anonymous: httpx.Client, is_fake: Make
    ) -> None:
        is_fake({"auto_create_users": False})
        assert refused(come_back(anonymous, "fake")) == (403, "REGISTRATION_CLOSED")
        assert db.session.scalar(select(User.id)) is None

    def test_come_by_other_claims(self, anonymous: httpx.Client, is_fake: Make) -> None:
        mappings = {
            "username": "profile.login",
            "email": "https://example.org/mail",
            "name": None,
            "picture": "nowhere.at.all",
            "roles": None,
        }
        claims = {"profile": {"login": "neo"}, "https://example.org/mail": "neo@example.org"}
        is_fake({"claim_mappings": mappings}, **claims)
        user = signed_in_at(anonymous, "fake")
        shown = (user["username"], user["email"], user["display_name"], user["avatar_url"])
        assert shown == ("neo", "neo@example.org", None, None)


class TestKnownAccounts:
    def test_follow_the_provider(self, anonymous: httpx.Client, is_fake: Make) -> None:
        first = signed_in_at(anonymous, "fake")
        picture = "https://pictures.example.org/1.png"
        is_fake(email="new@example.org", name="Robin H.", picture=picture)
        user = signed_in_at(anonymous, "fake")
        shown = (user["email"], user["display_name"], user["avatar_url"], user["username"])
        assert shown == ("new@example.org", "Robin H.", picture, first["username"])

    def test_do_not_where_the_provider_may_not(
        self, anonymous: httpx.Client, is_fake: Make
    ) -> None:
        is_fake({"update_user_info": False})
        signed_in_at(anonymous, "fake")
        is_fake(email="new@example.org", name="Robin H.")
        user = signed_in_at(anonymous, "fake")
        assert (user["email"], user["display_name"]) == ("robin@example.org", "Robin")

    def test_keep_what_is_theirs(
        self, anonymous: httpx.Client, make_user: Make, is_fake: Make
    ) -> None:
        """An address that is not confirmed or is another's, and a picture that was uploaded."""
        make_user(email="Taken@example.org")
        id_ = signed_in_at(anonymous, "fake")["id"]
        user = db.session.get_one(User, id_)
        user.avatar_url = f"/api/v1/users/{id_}/avatar"
        db.session.commit()
        picture = "https://pictures.example.org/1.png"
        for claims in (
            {"email": "taken@example.org", "email_verified": True},
            {"email": "new@example.org", "email_verified": False},
        ):
            is_fake(picture=picture, **claims)
            shown = signed_in_at(anonymous, "fake")
            assert (shown["email"], shown["avatar_url"]) == ("robin@example.org", user.avatar_url)

    def test_that_were_made_here_are_not_changed(
        self, anonymous: httpx.Client, make: Make, fake: OidcProvider, me: User
    ) -> None:
        make(OidcLink, user_id=me.id, provider_id=fake.id, subject="user-1")
        user = signed_in_at(anonymous, "fake")
        assert (user["id"], user["email"], user["display_name"]) == (me.id, me.email, None)
        assert user["provider"] == "local"

    def test_that_are_disabled_stay_out(self, anonymous: httpx.Client, fake: OidcProvider) -> None:
        user = db.session.get_one(User, signed_in_at(anonymous, "fake")["id"])
        user.is_active = False
        db.session.commit()
        assert refused(come_back(anonymous, "fake")) == (403, "ACCOUNT_DISABLED")

    def test_with_a_second_factor_prove_it(
        self,
        client_of: Make,
        token_of: Make,
        anonymous: httpx.Client,
        make: Make,
        fake: OidcProvider,
        me: User,
    ) -> None:
        make(OidcLink, user_id=me.id, provider_id=fake.id, subject="user-1")
        owner = client_of(None)
        owner.headers.update(token_of(me))
        secret = set_up_app(owner)
        enable(owner)
        answer = come_back(anonymous, "fake")
        assert refused(answer) == (401, "MFA_REQUIRED")
        challenge = answer.json()["error"]["details"]["challenge"]
        body = {"challenge": challenge, "code": totp(secret)}
        assert anonymous.post("/auth/login/mfa", json=body).json()["user"]["id"] == me.id
        back = anonymous.get(back_from(auth_url(anonymous, "fake", redirect_to="/")))
        assert "#error=MFA_REQUIRED&details=%7B%22challenge%22" in back.headers["location"]
        assert "marquee_session" not in back.headers["set-cookie"]


class TestRoles:
    @pytest.fixture
    def mapped(self, is_fake: Make, fake: OidcProvider) -> None:
        roles = {"editors": "moderator", "chiefs": "admin"}
        claims = fake.claim_mappings | {"roles": "groups"}
        is_fake({"role_mappings": roles, "claim_mappings": claims})

    @pytest.mark.parametrize(
        "groups,roles",
        [
            (["editors", "readers"], ["moderator", "user"]),
            ("editors", ["moderator", "user"]),
            (["editors", "chiefs"], ["admin", "moderator", "user"]),
            (["admin", "moderator", "*"], ["user"]),
            ([], ["user"]),
            (None, ["user"]),
            ([["editors"], {"a": 1}, 7], ["user"]),
            ({"editors": True}, ["user"]),
        ],
        ids=str,
    )
    def test_are_those_that_the_claims_map_to(
        self, anonymous: httpx.Client, is_fake: Make, mapped: None, groups: Any, roles: list[str]
    ) -> None:
        is_fake(groups=groups)
        assert signed_in_at(anonymous, "fake")["roles"] == roles

    def test_without_a_mapping_are_none(self, anonymous: httpx.Client, is_fake: Make) -> None:
        is_fake(groups=["admin"], roles=["admin"])
        assert signed_in_at(anonymous, "fake")["roles"] == ["user"]

    def test_follow_the_claims(
        self, anonymous: httpx.Client, admin: httpx.Client, is_fake: Make, mapped: None
    ) -> None:
        for groups, roles in (
            (["editors"], ["moderator", "user"]),
            (["chiefs"], ["admin", "user"]),
            ([], ["user"]),
            (["editors"], ["moderator", "user"]),
        ):
            is_fake(groups=groups)
            assert signed_in_at(anonymous, "fake")["roles"] == roles

    def test_are_told_to_the_audit_log(
        self, anonymous: httpx.Client, admin: httpx.Client, is_fake: Make, mapped: None
    ) -> None:
        for groups in (["editors"], ["editors"], []):
            is_fake(groups=groups)
            user = signed_in_at(anonymous, "fake")
        query = select(Activity).where(Activity.action.startswith("admin.role."))
        lines = db.session.scalars(query.order_by(Activity.id)).all()
        told = [(line.action, line.resource_id, line.details) for line in lines]
        details = {"user_id": str(user["id"]), "provider": "fake"}
        assert told == [
            ("admin.role.assign", "moderator", details),
            ("admin.role.revoke", "moderator", details),
        ]

    def test_the_last_administrator_stays_one(
        self, anonymous: httpx.Client, token_of: Make, is_fake: Make, mapped: None
    ) -> None:
        """Whatever the claims say, and whatever becomes of the provider or the link."""
        is_fake(groups=["chiefs"])
        token = token_of(db.session.get_one(User, signed_in_at(anonymous, "fake")["id"]))
        is_fake(groups=[])
        user = signed_in_at(anonymous, "fake")
        assert user["roles"] == ["admin", "user"]
        change = update(User).where(User.id == user["id"])
        db.session.execute(change.values(password_hash="another way in"))
        entry = db.session.scalars(select(OidcProvider)).one()
        db.session.commit()
        for path in (f"/admin/oidc/providers/{entry.id}", "/users/me/oidc/fake"):
            answer = anonymous.delete(path, headers=token)
            assert refused(answer) == (409, "LAST_ADMIN")
        assert roles_of(user["id"]) == ["admin", "user"]

    def test_that_were_assigned_here_stay(
        self, anonymous: httpx.Client, make: Make, make_user: Make, is_fake: Make, mapped: None
    ) -> None:
        moderator = make_user("moderator")
        entry = db.session.scalars(select(OidcProvider)).one()
        make(OidcLink, user_id=moderator.id, provider_id=entry.id, subject="user-1")
        for groups in (["editors"], []):
            is_fake(groups=groups)
            assert signed_in_at(anonymous, "fake")["roles"] == ["moderator"]

    def test_end_with_the_provider(
        self, anonymous: httpx.Client, admin: httpx.Client, is_fake: Make, mapped: None
    ) -> None:
        is_fake(groups=["editors"])
        user = signed_in_at(anonymous, "fake")
        entry = db.session.scalars(select(OidcProvider)).one()
        assert admin.delete(f"/admin/oidc/providers/{entry.id}").status_code == 204
        assert roles_of(user["id"]) == ["user"]


def test_a_real_provider_maps_roles(
    anonymous: httpx.Client, real_provider: Provider, mock: OidcProvider
) -> None:
    mock.claim_mappings = mock.claim_mappings | {"roles": "realm_access.roles"}
    mock.role_mappings = {"film-editors": "moderator"}
    db.session.commit()
    real_provider.knows("monica", realm_access={"roles": ["film-editors"]})
    assert signed_in_at(anonymous, "mock", "monica")["roles"] == ["moderator", "user"]
