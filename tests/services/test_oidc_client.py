"""src/marquee/services/oidc.py against a provider that lies when told to."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt

from marquee.errors import Unavailable
from marquee.services.oidc import KEPT, PAUSE, NotProven, RelyingParty, challenge, relying_party
from marquee.services.oidc_answers import ALGORITHMS, Client, is_loopback
from tests.fakes.oidc import (
    CLIENT_ID,
    CLIENT_SECRET,
    FakeOidc,
    by_public_key,
    by_secret,
    new_key,
    unsigned,
)
from tests.services.conftest import Clock
from tests.services.oidc_party import HERE, NONCE, STATE, VERIFIER, begun, proven

DISCOVERY = "/.well-known/openid-configuration"


def by_now(claims: dict[str, Any]) -> dict[str, Any]:
    """Claims whose moments, given as the time from now, are those of this moment."""
    now = int(time.time())
    return {
        name: now + int(value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in claims.items()
    }


class TestAuthorizationUrl:
    def test_has_all_that_the_flow_needs(self, party: RelyingParty, oidc: FakeOidc) -> None:
        url = party.authorization_url(
            redirect_uri=HERE,
            scopes=["profile", "openid", "email"],
            state=STATE,
            nonce=NONCE,
            verifier=VERIFIER,
        )
        assert url.startswith(f"{oidc.url}/authorize?")
        query = {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}
        assert query == {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": HERE,
            "scope": "openid profile email",
            "state": STATE,
            "nonce": NONCE,
            "code_challenge": challenge(VERIFIER),
            "code_challenge_method": "S256",
        }

    def test_the_challenge_is_that_of_the_rfc(self) -> None:
        verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
        assert challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    def test_goes_on_with_a_query_of_the_endpoint(
        self, oidc: FakeOidc, make_party: Callable[..., RelyingParty]
    ) -> None:
        party = make_party(authorization_endpoint=f"{oidc.url}/authorize?policy=a")
        url = party.authorization_url(
            redirect_uri=HERE, scopes=[], state=STATE, nonce=NONCE, verifier=VERIFIER
        )
        assert url.startswith(f"{oidc.url}/authorize?policy=a&response_type=code&")


class TestDescription:
    def test_is_kept_for_ten_minutes(
        self, party: RelyingParty, oidc: FakeOidc, clock: Clock
    ) -> None:
        party.describe()
        clock.at = KEPT - 1
        party.describe()
        assert oidc.paths == [DISCOVERY]
        clock.at = KEPT
        party.describe()
        assert oidc.paths == [DISCOVERY] * 2

    def test_may_spell_the_issuer_with_a_last_slash(
        self, party: RelyingParty, oidc: FakeOidc
    ) -> None:
        oidc.discovery = {"issuer": f"{oidc.url}/"}
        assert party.describe().issuer == f"{oidc.url}/"

    @pytest.mark.parametrize(
        "discovery",
        [
            {"issuer": "https://other.example.org"},
            {"issuer": None},
            {"token_endpoint": None},
            {"jwks_uri": "ftp://127.0.0.1/keys"},
            {"token_endpoint": "http://10.0.0.1/token"},
            {"token_endpoint": "http://metadata.internal/token"},
            {"userinfo_endpoint": "http://192.168.0.1/me"},
        ],
        ids=str,
    )
    def test_that_cannot_be_is_refused(
        self, party: RelyingParty, oidc: FakeOidc, discovery: dict[str, Any]
    ) -> None:
        oidc.discovery = discovery
        with pytest.raises(Unavailable):
            party.describe()

    def test_need_not_be_asked_for_where_the_client_has_the_endpoints(
        self, oidc: FakeOidc, make_party: Callable[..., RelyingParty]
    ) -> None:
        party = make_party(
            authorization_endpoint=f"{oidc.url}/authorize",
            token_endpoint=f"{oidc.url}/token",
            jwks_uri=f"{oidc.url}/jwks",
        )
        assert proven(party)["sub"] == "user-1"
        assert oidc.paths == ["/authorize", "/token", "/jwks"]


class TestProof:
    def test_gives_the_claims(self, party: RelyingParty, oidc: FakeOidc) -> None:
        claims = proven(party)
        assert (claims["sub"], claims["email"], claims["name"]) == (
            "user-1",
            "robin@example.org",
            "Robin",
        )
        assert oidc.paths == [DISCOVERY, "/authorize", "/token", "/jwks", "/userinfo"]

    @pytest.mark.parametrize(
        "methods,secret",
        [
            (None, CLIENT_SECRET),
            (["client_secret_basic", "client_secret_post"], CLIENT_SECRET),
            (["client_secret_post"], CLIENT_SECRET),
            (["none"], None),
        ],
    )
    def test_authenticates_as_the_provider_wants_it(
        self,
        oidc: FakeOidc,
        make_party: Callable[..., RelyingParty],
        methods: list[str] | None,
        secret: str | None,
    ) -> None:
        oidc.discovery = {"token_endpoint_auth_methods_supported": methods}
        assert proven(make_party(client_secret=secret))["sub"] == "user-1"
        (asked,) = [asked for asked in oidc.seen if asked.path == "/token"]
        basic = methods is None or "client_secret_basic" in methods
        assert ("authorization" in asked.headers) == basic
        assert (b"client_secret" in asked.body) == (bool(secret) and not basic)

    def test_where_it_takes_no_secret(
        self, oidc: FakeOidc, make_party: Callable[..., RelyingParty]
    ) -> None:
        oidc.discovery = {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}
        with pytest.raises(Unavailable) as refusal:
            proven(make_party())
        assert refusal.value.code == "NOT_CONFIGURED"

    def test_works_without_user_information(self, party: RelyingParty, oidc: FakeOidc) -> None:
        oidc.discovery, oidc.id_claims = {"userinfo_endpoint": None}, {"email": "a@example.org"}
        assert proven(party)["email"] == "a@example.org"

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "https://other.example.org"},
            {"iss": None},
            {"aud": "another"},
            {"aud": ["another", "third"]},
            {"aud": None},
            {"aud": [CLIENT_ID, "another"]},
            {"azp": "another"},
            {"aud": [CLIENT_ID, "another"], "azp": "another"},
            {"exp": timedelta(seconds=-61)},
            {"exp": None},
            {"exp": "tomorrow"},
            {"iat": timedelta(seconds=120)},
            {"iat": None},
            {"nbf": timedelta(seconds=120)},
            {"nonce": "another"},
            {"nonce": None},
            {"sub": None},
            {"sub": ""},
            {"sub": 7},
            {"sub": "x" * 256},
            {"sub": "a\0b"},
        ],
        ids=str,
    )
    def test_claims_that_are_not_for_us(
        self, party: RelyingParty, oidc: FakeOidc, claims: dict[str, Any]
    ) -> None:
        oidc.id_claims = by_now(claims)
        with pytest.raises(NotProven):
            proven(party)

    @pytest.mark.parametrize(
        "claims",
        [
            {"exp": timedelta(seconds=-30)},
            {"iat": timedelta(seconds=30)},
            {"aud": [CLIENT_ID]},
            {"azp": CLIENT_ID},
            {"aud": ["another", CLIENT_ID], "azp": CLIENT_ID},
        ],
        ids=str,
    )
    def test_claims_that_are_good_enough(
        self, party: RelyingParty, oidc: FakeOidc, claims: dict[str, Any]
    ) -> None:
        oidc.id_claims = by_now(claims)
        assert proven(party)["sub"] == "user-1"

    def test_signatures_that_are_not_the_providers(
        self, party: RelyingParty, oidc: FakeOidc, clock: Clock
    ) -> None:
        foreign, same_id = new_key(), new_key(oidc.key.kid)
        signers = [
            unsigned,
            by_secret,
            by_public_key(oidc),
            lambda claims: jwt.encode({"alg": "ES256", "kid": foreign.kid}, claims, foreign),
            lambda claims: jwt.encode({"alg": "ES256"}, claims, foreign),
            lambda claims: jwt.encode({"alg": "ES256", "kid": oidc.key.kid}, claims, same_id),
            lambda _claims: "a.b.c",
            lambda _claims: "no token",
            lambda claims: unsigned(claims) + "AAAA",
        ]
        for signer in signers:
            oidc.sign = signer
            with pytest.raises(NotProven):
                proven(party)
            clock.at += PAUSE

    def test_no_algorithm_with_a_shared_secret_is_ever_taken(self) -> None:
        assert not [name for name in ALGORITHMS if name == "none" or name.startswith("HS")]

    def test_an_algorithm_that_the_provider_does_not_name(
        self, party: RelyingParty, oidc: FakeOidc
    ) -> None:
        oidc.discovery = {"id_token_signing_alg_values_supported": ["RS256"]}
        with pytest.raises(NotProven):
            proven(party)

    @pytest.mark.parametrize("info", [{"sub": "user-2"}, {"sub": None}])
    def test_information_about_somebody_else(
        self, party: RelyingParty, oidc: FakeOidc, info: dict[str, Any]
    ) -> None:
        oidc.user_info = info
        with pytest.raises(NotProven):
            proven(party)

    @pytest.mark.parametrize(
        "changes",
        [
            {"code": "made up"},
            {"verifier": "w" * 43},
            {"redirect_uri": "https://elsewhere.example.org"},
            {"nonce": "m" * 43},
            {"issuer": "https://other.example.org"},
        ],
        ids=str,
    )
    def test_what_was_not_begun_so(self, party: RelyingParty, changes: dict[str, Any]) -> None:
        with pytest.raises(NotProven):
            proven(party, **changes)

    def test_a_code_that_was_used(self, party: RelyingParty) -> None:
        code = begun(party)
        assert proven(party, code=code)["sub"] == "user-1"
        with pytest.raises(NotProven):
            proven(party, code=code)

    def test_an_answer_that_does_not_say_whose_it_is(
        self, party: RelyingParty, oidc: FakeOidc
    ) -> None:
        code = begun(party)
        given = {"redirect_uri": HERE, "verifier": VERIFIER, "nonce": NONCE}
        with pytest.raises(NotProven):
            party.prove(code, **given, issuer=None)
        assert "/token" not in oidc.paths


class TestKeys:
    def test_are_asked_for_once(self, party: RelyingParty, oidc: FakeOidc) -> None:
        for _ in range(3):
            proven(party)
        assert oidc.paths.count("/jwks") == 1

    def test_that_are_new_are_found_at_once(self, party: RelyingParty, oidc: FakeOidc) -> None:
        proven(party)
        oidc.rotates()
        assert proven(party)["sub"] == "user-1"
        assert oidc.paths.count("/jwks") == 2

    def test_that_are_made_up_are_not_looked_for_again_and_again(
        self, party: RelyingParty, oidc: FakeOidc, clock: Clock
    ) -> None:
        proven(party)
        forger = new_key()
        oidc.sign = lambda claims: jwt.encode({"alg": "ES256", "kid": forger.kid}, claims, forger)
        for _ in range(5):
            with pytest.raises(NotProven):
                proven(party)
        assert oidc.paths.count("/jwks") == 2
        clock.at += PAUSE
        with pytest.raises(NotProven):
            proven(party)
        assert oidc.paths.count("/jwks") == 3

    def test_that_we_do_not_know_are_passed_over(self, party: RelyingParty, oidc: FakeOidc) -> None:
        good = oidc.key.as_dict(private=False)
        oidc.published = [
            {"kty": "quantum", "kid": oidc.key.kid},
            {"kty": "EC", "kid": oidc.key.kid},
            {"kty": "EC", "crv": "P-256", "x": 1, "y": []},
            {**good, "use": "enc"},
            {"kty": "oct", "k": "AAAA", "kid": oidc.key.kid},
            "no key",
            good,
        ]
        assert proven(party)["sub"] == "user-1"

    def test_without_an_id(self, party: RelyingParty, oidc: FakeOidc) -> None:
        oidc.sign = lambda claims: jwt.encode({"alg": "ES256"}, claims, oidc.key)
        oidc.published.insert(0, new_key().as_dict(private=False))
        assert proven(party)["sub"] == "user-1"


def test_one_party_for_one_client() -> None:
    client = Client("https://id.example.org", CLIENT_ID, CLIENT_SECRET)
    assert relying_party(client) is relying_party(
        Client("https://id.example.org", CLIENT_ID, CLIENT_SECRET)
    )
    assert relying_party(client) is not relying_party(Client("https://id.example.org", CLIENT_ID))


@pytest.mark.parametrize(
    "address,loopback",
    [
        ("http://localhost:8080/a", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:80/", True),
        ("http://127.0.0.1.example.org", False),
        ("http://localhost.example.org", False),
        ("http://10.0.0.1", False),
        ("http://0.0.0.0", False),
    ],
)
def test_loopback(address: str, loopback: bool) -> None:  # noqa: FBT001
    assert is_loopback(address) == loopback
