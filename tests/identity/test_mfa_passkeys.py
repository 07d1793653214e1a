"""openapi/identity/mfa.yaml and auth.yaml: passkeys, with a software authenticator."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from marquee import clock, db
from marquee.identity.auth.models import OneTimeToken
from marquee.identity.mfa.models import Passkey
from marquee.identity.mfa.passkeys import MOST
from marquee.identity.mfa.relying_party import relying_party
from marquee.identity.users.models import User
from tests.answers import refused
from tests.authenticators import Device, decoded, encoded, with_client_data
from tests.identity.browsers import bearer, signed_in
from tests.identity.factors import done, enable, set_up_passkey

Call = Callable[..., Any]
OPTIONS, LOGIN = "/auth/passkeys/options", "/auth/passkeys"
BAD_TOKEN = (400, "INVALID_OR_EXPIRED_TOKEN")


@pytest.fixture
def robin(client_of: Call, casey: User, make_user: Call) -> httpx.Client:
    """A client in which somebody else has just signed in."""
    make_user("user", username="Robin", password_hash=casey.password_hash)
    client: httpx.Client = client_of(None)
    client.headers.update(bearer(signed_in(client, "Robin")["access_token"]))
    return client


def creation(client: httpx.Client) -> Any:
    return done(client.post("/mfa/webauthn/options"))["public_key"]


def register(client: httpx.Client, credential: Any) -> httpx.Response:
    return client.post("/mfa/webauthn", json={"name": "My phone", "credential": credential})


def request(client: httpx.Client) -> Any:
    return done(client.post(OPTIONS))["public_key"]


def login(client: httpx.Client, credential: Any, **more: Any) -> httpx.Response:
    return client.post(LOGIN, json={"credential": credential} | more)


def end_challenges() -> None:
    ended = clock.now() - timedelta(minutes=1)
    db.session.execute(update(OneTimeToken).values(expires_at=ended))
    db.session.commit()


class TestStartPasskeyRegistration:
    def test_gives_options_that_browsers_take(self, account: httpx.Client, casey: User) -> None:
        answer = done(account.post("/mfa/webauthn/options"))
        options = answer["public_key"]
        assert answer["expires_in"] == 300
        assert options["rp"] == {"id": "localhost", "name": "Marquee"}
        assert (options["user"]["name"], options["user"]["displayName"]) == ("Casey", "Casey")
        assert len(decoded(options["challenge"])) == 32
        assert {each["alg"] for each in options["pubKeyCredParams"]} >= {-7, -8, -257}
        assert options["attestation"] == "none"

    def test_excludes_those_that_are_registered(self, account: httpx.Client) -> None:
        device, _ = set_up_passkey(account)
        (excluded,) = creation(account)["excludeCredentials"]
        assert excluded["id"] == encoded(device.soft.credential_id)


class TestRegisterPasskey:
    def test_it_is_listed_then(self, account: httpx.Client) -> None:
        _, made = set_up_passkey(account)
        assert made["name"] == "My phone"
        assert made["transports"] == ["hybrid", "internal"]
        assert made["last_used_at"] is None
        assert done(account.get("/mfa/webauthn")) == {"passkeys": [made]}

    def test_options_are_good_once(self, account: httpx.Client) -> None:
        options = creation(account)
        done(register(account, Device().create(options)))
        assert refused(register(account, Device().create(options))) == BAD_TOKEN

    def test_options_expire(self, account: httpx.Client) -> None:
        credential = Device().create(creation(account))
        end_challenges()
        assert refused(register(account, credential)) == BAD_TOKEN

    def test_options_are_one_users(self, account: httpx.Client, robin: httpx.Client) -> None:
        credential = Device().create(creation(robin))
        assert refused(register(account, credential)) == BAD_TOKEN
        done(register(robin, credential))

    def test_a_challenge_of_a_sign_in_is_none_of_a_registration(
        self, account: httpx.Client
    ) -> None:
        options = creation(account) | {"challenge": request(account)["challenge"]}
        assert refused(register(account, Device().create(options))) == BAD_TOKEN

    @pytest.mark.parametrize(
        "origin", ["http://evil.example", "https://localhost:8080", "http://localhost:8081", "null"]
    )
    def test_not_from_another_page(self, account: httpx.Client, origin: str) -> None:
        credential = Device().create(creation(account), origin)
        assert refused(register(account, credential)) == (400, "INVALID_PASSKEY")

    def test_not_for_another_domain(self, account: httpx.Client) -> None:
        options = creation(account)
        credential = Device().create(options | {"rp": {"id": "evil.example", "name": "Evil"}})
        assert refused(register(account, credential)) == (400, "INVALID_PASSKEY")

    def test_not_of_another_ceremony(self, account: httpx.Client) -> None:
        credential = with_client_data(Device().create(creation(account)), type="webauthn.get")
        assert refused(register(account, credential)) == (400, "INVALID_PASSKEY")

    def test_not_from_a_frame_of_another_page(self, account: httpx.Client) -> None:
        credential = with_client_data(Device().create(creation(account)), crossOrigin=True)
        assert refused(register(account, credential)) == BAD_TOKEN

    @pytest.mark.parametrize("text", ["AAAA", "oA", "_____w", encoded(b"\x9f" * 3000)])
    def test_not_what_is_malformed(self, account: httpx.Client, text: str) -> None:
        credential = Device().create(creation(account))
        response = credential["response"]
        broken = credential | {"response": response | {"attestationObject": text}}
        assert refused(register(account, broken)) == (400, "INVALID_PASSKEY")
        unread = credential | {"response": response | {"clientDataJSON": text}}
        assert refused(register(account, unread)) == BAD_TOKEN

    def test_one_credential_is_one_passkey(
        self, account: httpx.Client, robin: httpx.Client, casey: User
    ) -> None:
        device, _ = set_up_passkey(account)
        made = device.create(creation(robin))
        stored = db.session.scalars(select(Passkey).where(Passkey.user_id == casey.id)).one()
        stored.credential_id = decoded(made["id"])
        db.session.commit()
        assert refused(register(robin, made)) == (409, "PASSKEY_EXISTS")

    def test_so_many_and_no_more(self, account: httpx.Client, casey: User, make: Call) -> None:
        for number in range(MOST):
            credential_id = number.to_bytes(16, "big")
            columns = {"public_key": b"", "backed_up": False, "name": "A key"}
            make(Passkey, user_id=casey.id, credential_id=credential_id, **columns)
        credential = Device().create(creation(account))
        assert refused(register(account, credential)) == (422, "TOO_MANY_PASSKEYS")
        assert len(done(account.get("/mfa/webauthn"))["passkeys"]) == MOST

    def test_refuses_what_the_contract_does_not_have(self, account: httpx.Client) -> None:
        credential = Device().create(creation(account)) | {"user_id": 1}
        assert refused(register(account, credential)) == (400, "VALIDATION_ERROR")


class TestListPasskeys:
    def test_shows_ones_own_and_no_key(self, account: httpx.Client, robin: httpx.Client) -> None:
        set_up_passkey(account)
        assert done(robin.get("/mfa/webauthn")) == {"passkeys": []}
        (shown,) = done(account.get("/mfa/webauthn"))["passkeys"]
        assert not {"public_key", "credential_id", "sign_count"} & set(shown)


class TestUpdatePasskey:
    def test_renames(self, account: httpx.Client) -> None:
        _, made = set_up_passkey(account)
        path, name = f"/mfa/webauthn/{made['id']}", {"name": "My old phone"}
        assert done(account.patch(path, json=name)) == made | name

    def test_another_users_is_not_there(self, account: httpx.Client, robin: httpx.Client) -> None:
        _, made = set_up_passkey(account)
        answer = robin.patch(f"/mfa/webauthn/{made['id']}", json={"name": "Mine"})
        assert refused(answer) == (404, "PASSKEY_NOT_FOUND")


class TestDeletePasskey:
    def test_signs_in_no_more(self, account: httpx.Client, anonymous: httpx.Client) -> None:
        device, made = set_up_passkey(account)
        assert account.delete(f"/mfa/webauthn/{made['id']}").status_code == 204
        answer = login(anonymous, device.get(request(anonymous)))
        assert refused(answer) == (401, "INVALID_CREDENTIALS")

    def test_another_users_is_not_there(self, account: httpx.Client, robin: httpx.Client) -> None:
        _, made = set_up_passkey(account)
        answer = robin.delete(f"/mfa/webauthn/{made['id']}")
        assert refused(answer) == (404, "PASSKEY_NOT_FOUND")

    def test_not_while_it_is_the_last_factor(self, account: httpx.Client) -> None:
        _, one = set_up_passkey(account)
        _, two = set_up_passkey(account)
        enable(account)
        assert account.delete(f"/mfa/webauthn/{one['id']}").status_code == 204
        answer = account.delete(f"/mfa/webauthn/{two['id']}")
        assert refused(answer) == (409, "LAST_FACTOR")
        done(account.delete("/mfa"))
        assert account.delete(f"/mfa/webauthn/{two['id']}").status_code == 204


class TestRelyingParty:
    @pytest.mark.parametrize(
        "variables,domain,origins",
        [
            ({}, "localhost", ["http://localhost:8080"]),
            ({"HOST": "::1", "PORT": "9000"}, "localhost", ["http://localhost:9000"]),
            ({"HOST": "0.0.0.0"}, "localhost", ["http://localhost:8080"]),  # noqa: S104
            (
                {"PUBLIC_URL": "https://api.example.org/marquee"},
                "api.example.org",
                ["https://api.example.org"],
            ),
            (
                {"PUBLIC_URL": "https://api.example.org", "APP_URL": "https://example.org:8443"},
                "example.org",
                ["https://example.org:8443", "https://api.example.org"],
            ),
            (
                {
                    "PUBLIC_URL": "https://api.example.org",
                    "PASSKEY_DOMAIN": "example.org",
                    "CORS_ORIGINS": "*, https://tv.example.org",
                },
                "example.org",
                ["https://api.example.org", "https://tv.example.org"],
            ),
        ],
        ids=str,
    )
    def test_is_what_the_settings_say(
        self, set_variables: Call, variables: dict[str, str], domain: str, origins: list[str]
    ) -> None:
        set_variables(**variables)
        party = relying_party()
        assert (party.id, list(dict.fromkeys(party.origins))) == (domain, origins)

    def test_is_what_passkeys_are_made_for(
        self, account: httpx.Client, anonymous: httpx.Client, set_variables: Call
    ) -> None:
        set_variables(APP_URL="https://www.example.org", PASSKEY_DOMAIN="example.org")
        options = creation(account)
        assert options["rp"]["id"] == "example.org"
        device = Device()
        done(register(account, device.create(options, "https://www.example.org")))
        signed = device.get(request(anonymous), "https://www.example.org")
        done(login(anonymous, signed))
