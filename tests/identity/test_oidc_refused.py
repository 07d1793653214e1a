"""openapi/identity/oidc.yaml: what the callback refuses, and what it does once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, delete, func, select

from marquee import db, sealing
from marquee.audit import Activity
from marquee.identity.auth.models import OneTimeToken
from marquee.identity.oidc.models import OidcLink, OidcProvider
from marquee.identity.oidc.service import CLAIMS, SCOPES
from marquee.identity.users.models import User
from tests.answers import refused
from tests.committed import Committed, committed
from tests.contract.checking import check_answer
from tests.fakes.oidc import CLIENT_ID, CLIENT_SECRET, FakeOidc, by_secret, new_key, unsigned
from tests.identity.browsers import cookies_of
from tests.identity.oidc_trips import auth_url, back_from, come_back, query_of, signed_in_at
from tests.oidc_provider import deny

Make = Callable[..., Any]
Settings = Callable[..., None]
AT_ONCE = 4


def last_line() -> Activity:
    return db.session.scalars(select(Activity).order_by(Activity.id.desc()).limit(1)).one()


def users() -> int:
    return db.session.scalar(select(func.count()).select_from(User)) or 0


class TestHandleOidcCallback:
    @pytest.mark.parametrize("query", ["", "code=a", "state=short", "state=a&state=b"])
    def test_queries_that_break_the_contract(
        self, anonymous: httpx.Client, fake: OidcProvider, query: str
    ) -> None:
        answer = anonymous.get(f"/oidc/callback/fake?{query}")
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_a_wrong_state(self, anonymous: httpx.Client, fake: OidcProvider) -> None:
        back = back_from(auth_url(anonymous, "fake"))
        wrong = back.replace(query_of(back)["state"], "x" * 43)
        assert refused(anonymous.get(wrong)) == (400, "INVALID_OR_EXPIRED_TOKEN")
        assert users() == 0

    def test_a_state_that_has_expired(self, anonymous: httpx.Client, fake: OidcProvider) -> None:
        back = back_from(auth_url(anonymous, "fake"))
        token = db.session.scalars(select(OneTimeToken)).one()
        assert (token.expires_at - token.created_at).total_seconds() == pytest.approx(600, abs=2)
        token.expires_at = token.created_at
        db.session.commit()
        assert refused(anonymous.get(back)) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_a_state_that_was_used(self, anonymous: httpx.Client, fake: OidcProvider) -> None:
        back = back_from(auth_url(anonymous, "fake"))
        assert anonymous.get(back).status_code == 200
        assert refused(anonymous.get(back)) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_a_state_that_failed_is_used_too(
        self, anonymous: httpx.Client, fake: OidcProvider, fake_oidc: FakeOidc
    ) -> None:
        back = back_from(auth_url(anonymous, "fake"))
        fake_oidc.id_claims = {"nonce": "another"}
        assert refused(anonymous.get(back)) == (401, "OIDC_FAILED")
        fake_oidc.id_claims = {}
        assert refused(anonymous.get(back)) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_a_state_of_another_provider(
        self, anonymous: httpx.Client, fake: OidcProvider, make_provider: Make
    ) -> None:
        make_provider("evil", "https://evil.example.org", ("id", "secret"))
        back = back_from(auth_url(anonymous, "fake")).replace("/fake?", "/evil?")
        assert refused(anonymous.get(back)) == (400, "INVALID_OR_EXPIRED_TOKEN")

    def test_a_state_of_another_browser(
        self, client_of: Make, anonymous: httpx.Client, fake: OidcProvider
    ) -> None:
        """Nobody is signed in as somebody else by a link (login CSRF)."""
        back = back_from(auth_url(anonymous, "fake", redirect_to="/"))
        victim = client_of(None)
        auth_url(victim, "fake", redirect_to="/")
        for other in (client_of(None), victim):
            answer = other.get(back)
            assert refused(answer) == (400, "INVALID_OR_EXPIRED_TOKEN")
            assert "set-cookie" not in answer.headers
        assert anonymous.get(back).status_code == 302

    def test_a_code_that_was_used(self, anonymous: httpx.Client, mock: OidcProvider) -> None:
        used = back_from(auth_url(anonymous, "mock"), "sam")
        assert anonymous.get(used).status_code == 200
        fresh = back_from(auth_url(anonymous, "mock"), "sam")
        replayed = fresh.replace(query_of(fresh)["code"], query_of(used)["code"])
        assert refused(anonymous.get(replayed)) == (401, "OIDC_FAILED")

    def test_who_refuses_at_the_provider(self, anonymous: httpx.Client, mock: OidcProvider) -> None:
        url = auth_url(anonymous, "mock")
        back = deny(url)
        # The mock leaves the state away, which a provider must send (RFC 6749 §4.1.2.1).
        answer = anonymous.get(f"{back}&state={query_of(url)['state']}")
        assert refused(answer) == (401, "OIDC_FAILED")
        assert "access_denied" in answer.json()["error"]["message"]
        assert "www-authenticate" in answer.headers

    def test_a_browser_is_told_on_its_page(
        self, anonymous: httpx.Client, base_url: str, fake: OidcProvider, fake_oidc: FakeOidc
    ) -> None:
        back = back_from(auth_url(anonymous, "fake", redirect_to="/sign-in"))
        fake_oidc.id_claims = {"nonce": "another"}
        answer = anonymous.get(back)
        assert answer.status_code == 302
        assert answer.headers["location"] == f"{base_url}/sign-in#error=OIDC_FAILED"
        assert cookies_of(answer).keys() == {"marquee_oidc"}
        assert last_line().error_code == "OIDC_FAILED"

    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": "another client"},
            {"exp": 1_000_000_000},
            {"iss": "https://other.example.org"},
            {"nonce": "another"},
        ],
        ids=str,
    )
    def test_an_id_token_that_is_not_for_us(
        self,
        anonymous: httpx.Client,
        fake: OidcProvider,
        fake_oidc: FakeOidc,
        claims: dict[str, Any],
    ) -> None:
        fake_oidc.id_claims = claims
        assert refused(come_back(anonymous, "fake")) == (401, "OIDC_FAILED")
        assert users() == 0

    @pytest.mark.parametrize("signer", ["none", "secret", "another key"])
    def test_an_id_token_that_the_provider_did_not_sign(
        self, anonymous: httpx.Client, fake: OidcProvider, fake_oidc: FakeOidc, signer: str
    ) -> None:
        if signer == "another key":
            fake_oidc.key = new_key(fake_oidc.key.kid)
        else:
            fake_oidc.sign = {"none": unsigned, "secret": by_secret}[signer]
        assert refused(come_back(anonymous, "fake")) == (401, "OIDC_FAILED")
        assert users() == 0

    def test_keys_that_rotate(
        self, anonymous: httpx.Client, fake: OidcProvider, fake_oidc: FakeOidc
    ) -> None:
        first = signed_in_at(anonymous, "fake")
        fake_oidc.rotates()
        assert signed_in_at(anonymous, "fake")["id"] == first["id"]

    @pytest.mark.parametrize(
        "fault,refusal",
        [
            ({"kind": "slow", "seconds": 20}, (504, "EXTERNAL_API_TIMEOUT")),
            ({"kind": "status", "status": 500}, (503, "EXTERNAL_API_ERROR")),
            ({"kind": "huge"}, (503, "EXTERNAL_API_ERROR")),
            ({"kind": "redirect", "location": "/"}, (503, "EXTERNAL_API_ERROR")),
        ],
        ids=["slow", "500", "huge", "redirect"],
    )
    def test_a_provider_in_trouble(
        self,
        anonymous: httpx.Client,
        fake: OidcProvider,
        fake_oidc: FakeOidc,
        fault: dict[str, Any],
        refusal: tuple[int, str],
    ) -> None:
        back = back_from(auth_url(anonymous, "fake"))
        fake_oidc.breaks(**fault)
        assert refused(anonymous.get(back)) == refusal
        assert last_line().error_code == refusal[1]

    def test_a_provider_that_was_disabled_meanwhile(
        self, anonymous: httpx.Client, fake: OidcProvider
    ) -> None:
        back = back_from(auth_url(anonymous, "fake"))
        fake.is_enabled = False
        db.session.commit()
        assert refused(anonymous.get(back)) == (404, "OIDC_PROVIDER_NOT_FOUND")
        assert users() == 0


class TestHandleOidcCallbackForReal:
    """With rows that are committed, for what happens at once."""

    @pytest.fixture
    def real(
        self, engine: Engine, base_url: str, fake_oidc: FakeOidc, set_variables: Settings
    ) -> Iterator[Committed]:
        """The fake under the name `real`; whatever is made is gone in the end."""
        set_variables(PUBLIC_URL=base_url)
        with committed(engine) as real:
            entry = real.make(
                OidcProvider,
                name="real",
                display_name="Real",
                provider_type="generic",
                issuer_url=fake_oidc.url,
                client_id=CLIENT_ID,
                sealed_client_secret=sealing.seal(CLIENT_SECRET),
                scopes=SCOPES,
                claim_mappings=CLAIMS,
            )
            yield real
            real.users += real.session.scalars(select(User.id).where(User.provider == "oidc"))
            real.session.execute(delete(OidcProvider).where(OidcProvider.id == entry.id))
            real.session.commit()

    @pytest.fixture
    def client(self, base_url: str) -> Iterator[httpx.Client]:
        hooks = {"response": [check_answer]}
        with httpx.Client(base_url=f"{base_url}/api/v1", event_hooks=hooks, timeout=30) as client:
            yield client

    def test_several_at_once_make_one_account(
        self, client: httpx.Client, real: Committed, fake_oidc: FakeOidc
    ) -> None:
        fake_oidc.user = {"sub": "twice", "preferred_username": "twice"}
        backs = [back_from(auth_url(client, "real")) for _ in range(AT_ONCE)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(client.get, backs))
        assert {answer.status_code for answer in answers} == {200}
        (user_id,) = {answer.json()["user"]["id"] for answer in answers}
        assert real.session.scalars(select(OidcLink.user_id)).all() == [user_id]
        made = real.session.scalars(select(User.id).where(User.provider == "oidc"))
        assert made.all() == [user_id]

    def test_one_state_at_once_is_good_once(self, client: httpx.Client, real: Committed) -> None:
        back = back_from(auth_url(client, "real"))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(client.get, [back] * AT_ONCE))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200, *[400] * (AT_ONCE - 1)]

    def test_holds_no_connection_while_the_provider_answers(
        self, engine: Engine, client: httpx.Client, real: Committed, fake_oidc: FakeOidc
    ) -> None:
        held: list[int] = []
        sign = fake_oidc.sign

        def counting(claims: dict[str, Any]) -> str:
            held.append(engine.pool.checkedout())  # type: ignore[attr-defined]
            return sign(claims)

        fake_oidc.sign = counting
        real.session.rollback()
        back = back_from(auth_url(client, "real"))
        assert client.get(back).status_code == 200
        assert held == [0]
