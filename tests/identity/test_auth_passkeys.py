"""openapi/identity/auth.yaml: signing in with a passkey, by a software authenticator."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select, update

from marquee import clock, db
from marquee.audit import Activity
from marquee.identity.auth.models import OneTimeToken, Session
from marquee.identity.users.models import User
from tests.answers import refused
from tests.authenticators import ORIGIN, Device, decoded, encoded, with_client_data
from tests.identity.browsers import bearer, cookies_of, csrf_pair
from tests.identity.factors import AT_ONCE, at_once, done, enable, really, set_up_passkey

Call = Callable[..., Any]
OPTIONS, LOGIN = "/auth/passkeys/options", "/auth/passkeys"
BAD_TOKEN = (400, "INVALID_OR_EXPIRED_TOKEN")


def request(client: httpx.Client) -> Any:
    return done(client.post(OPTIONS))["public_key"]


def login(client: httpx.Client, credential: Any, **more: Any) -> httpx.Response:
    return client.post(LOGIN, json={"credential": credential} | more)


def end_challenges() -> None:
    ended = clock.now() - timedelta(minutes=1)
    db.session.execute(update(OneTimeToken).values(expires_at=ended))
    db.session.commit()


class TestStartPasskeyLogin:
    def test_names_no_account(self, account: httpx.Client, anonymous: httpx.Client) -> None:
        set_up_passkey(account)
        options = request(anonymous)
        assert (options["rpId"], options["allowCredentials"]) == ("localhost", [])
        assert options["userVerification"] == "required"
        assert options["challenge"] != request(anonymous)["challenge"]


class TestLoginWithPasskey:
    @pytest.fixture
    def device(self, account: httpx.Client) -> Device:
        """Casey's phone, which knows its owner."""
        device, _ = set_up_passkey(account)
        return device

    @pytest.mark.parametrize("asked", [False, True])
    def test_is_both_factors(
        self,
        account: httpx.Client,
        anonymous: httpx.Client,
        casey: User,
        device: Device,
        asked: bool,  # noqa: FBT001
    ) -> None:
        if asked:
            enable(account)
        signed = device.get(request(anonymous))
        opened = done(login(anonymous, signed, device_name="My phone"))
        assert opened["user"]["id"] == casey.id
        session = db.session.get_one(Session, opened["session_id"])
        assert (session.method, session.device_name) == ("passkey", "My phone")
        me = anonymous.get("/users/me", headers=bearer(opened["access_token"]))
        assert me.json()["id"] == casey.id
        (shown,) = done(account.get("/mfa/webauthn"))["passkeys"]
        assert shown["last_used_at"] is not None

    def test_sets_the_cookies_of_a_browser(self, anonymous: httpx.Client, device: Device) -> None:
        body = {"credential": device.get(request(anonymous))}
        answer = anonymous.post(LOGIN, json=body, headers=csrf_pair())
        assert set(cookies_of(answer)) == {"marquee_session", "__csrf"}
        body = {"credential": device.get(request(anonymous))}
        answer = anonymous.post(LOGIN, json=body, headers={"X-CSRF-Token": "made-up"})
        assert refused(answer) == (403, "CSRF_FAILED")

    def test_a_signature_is_good_once(self, anonymous: httpx.Client, device: Device) -> None:
        signed = device.get(request(anonymous))
        done(login(anonymous, signed))
        assert refused(login(anonymous, signed)) == BAD_TOKEN

    def test_a_challenge_is_used_by_a_refusal_too(
        self, anonymous: httpx.Client, device: Device
    ) -> None:
        options = request(anonymous)
        stranger = Device()
        stranger.soft.cred_init("localhost", b"1")
        answer = login(anonymous, stranger.get(options))
        assert refused(answer) == (401, "INVALID_CREDENTIALS")
        assert refused(login(anonymous, device.get(options))) == BAD_TOKEN

    def test_a_challenge_expires(self, anonymous: httpx.Client, device: Device) -> None:
        signed = device.get(request(anonymous))
        end_challenges()
        assert refused(login(anonymous, signed)) == BAD_TOKEN

    def test_a_challenge_that_we_have_not_given(
        self, anonymous: httpx.Client, device: Device
    ) -> None:
        signed = device.get(request(anonymous) | {"challenge": encoded(b"x" * 32)})
        assert refused(login(anonymous, signed)) == BAD_TOKEN

    def test_needs_the_user_to_be_verified(self, anonymous: httpx.Client, device: Device) -> None:
        device.verifies = False
        answer = login(anonymous, device.get(request(anonymous)))
        assert refused(answer) == (401, "INVALID_CREDENTIALS")

    @pytest.mark.parametrize("origin", ["http://evil.example", "https://localhost:8080", "null"])
    def test_not_from_another_page(
        self, anonymous: httpx.Client, device: Device, origin: str
    ) -> None:
        answer = login(anonymous, device.get(request(anonymous), origin))
        assert refused(answer) == (401, "INVALID_CREDENTIALS")

    def test_not_for_another_domain(self, anonymous: httpx.Client, device: Device) -> None:
        device.soft.rp_id = "evil.example"
        answer = login(anonymous, device.get(request(anonymous) | {"rpId": "evil.example"}))
        assert refused(answer) == (401, "INVALID_CREDENTIALS")

    @pytest.mark.parametrize("part", ["signature", "authenticatorData"])
    def test_not_when_a_bit_has_changed(
        self, anonymous: httpx.Client, device: Device, part: str
    ) -> None:
        signed = device.get(request(anonymous))
        data = bytearray(decoded(signed["response"][part]))
        data[-1] ^= 1
        changed = signed | {"response": signed["response"] | {part: encoded(bytes(data))}}
        answer = login(anonymous, changed)
        assert refused(answer) == (401, "INVALID_CREDENTIALS")

    def test_not_with_words_that_were_not_signed(
        self, anonymous: httpx.Client, device: Device
    ) -> None:
        signed = device.get(request(anonymous), "http://evil.example")
        moved = with_client_data(signed, origin=ORIGIN)
        assert refused(login(anonymous, moved)) == (401, "INVALID_CREDENTIALS")
        old = device.get(request(anonymous) | {"challenge": encoded(b"x" * 32)})
        renewed = with_client_data(old, challenge=request(anonymous)["challenge"])
        assert refused(login(anonymous, renewed)) == (401, "INVALID_CREDENTIALS")

    def test_not_from_a_frame_of_another_page(
        self, anonymous: httpx.Client, device: Device
    ) -> None:
        device.framed = True
        signed = device.get(request(anonymous))
        assert refused(login(anonymous, signed)) == BAD_TOKEN

    def test_not_with_the_handle_of_another(self, anonymous: httpx.Client, device: Device) -> None:
        device.soft.user_handle = b"1"
        answer = login(anonymous, device.get(request(anonymous)))
        assert refused(answer) == (401, "INVALID_CREDENTIALS")

    @pytest.mark.parametrize("text", ["AAAA", "oA", "_____w", encoded(b"\xbf" * 3000)])
    @pytest.mark.parametrize("part", ["signature", "authenticatorData", "userHandle"])
    def test_not_what_is_malformed(
        self, anonymous: httpx.Client, device: Device, part: str, text: str
    ) -> None:
        signed = device.get(request(anonymous))
        broken = signed | {"response": signed["response"] | {part: text[:128]}}
        assert refused(login(anonymous, broken)) == (401, "INVALID_CREDENTIALS")

    @pytest.mark.parametrize(
        "said", [b"", b"[]", b"{}", b'"x"', b"\xff", json.dumps({"challenge": 7}).encode()]
    )
    def test_not_without_a_challenge(
        self, anonymous: httpx.Client, device: Device, said: bytes
    ) -> None:
        signed = device.get(request(anonymous))
        words = {"clientDataJSON": encoded(said or b" ")}
        unread = signed | {"response": signed["response"] | words}
        assert refused(login(anonymous, unread)) == BAD_TOKEN

    def test_a_disabled_account_is_not_let_in(
        self, anonymous: httpx.Client, casey: User, device: Device
    ) -> None:
        casey.is_active = False
        db.session.commit()
        answer = login(anonymous, device.get(request(anonymous)))
        assert refused(answer) == (401, "INVALID_CREDENTIALS")

    def test_a_count_that_goes_back_tells_of_a_copy(
        self, anonymous: httpx.Client, casey: User, device: Device
    ) -> None:
        done(login(anonymous, device.get(request(anonymous))))
        for back in (1, 2):
            device.soft.sign_count -= back
            answer = login(anonymous, device.get(request(anonymous)))
            assert refused(answer) == (401, "INVALID_CREDENTIALS")
        query = select(Activity).where(Activity.error_code == "PASSKEY_COPIED")
        lines = db.session.scalars(query).all()
        assert [(each.action, each.user_id) for each in lines] == [
            ("mfa.refuse_passkey", casey.id)
        ] * 2

    def test_an_authenticator_that_does_not_count_is_taken(
        self, account: httpx.Client, anonymous: httpx.Client
    ) -> None:
        device, _ = set_up_passkey(account, Device(counts=False))
        for _ in range(2):
            done(login(anonymous, device.get(request(anonymous))))

    def test_is_audited(self, anonymous: httpx.Client, casey: User, device: Device) -> None:
        device.verifies = False
        login(anonymous, device.get(request(anonymous)))
        device.verifies = True
        done(login(anonymous, device.get(request(anonymous))))
        query = select(Activity).where(Activity.action == "user.login").order_by(Activity.id)
        refusal, success = db.session.scalars(query).all()[-2:]
        assert (refusal.success, refusal.error_code) == (False, "INVALID_CREDENTIALS")
        assert (success.success, success.user_id) == (True, casey.id)

    def test_at_once_one_signature_signs_in_once(self, engine: Engine, base_url: str) -> None:
        with really(engine, base_url) as (_, client):
            device, _ = set_up_passkey(client)
            body = {"credential": device.get(request(client))}
            answers = at_once(base_url, LOGIN, [body] * AT_ONCE)
            assert sorted(each.status_code for each in answers) == [200, 400, 400, 400]
