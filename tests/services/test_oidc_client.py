"""src/marquee/services/oidc.py against a provider that lies when told to."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt

from marquee.errors import TimedOut, Unavailable
from marquee.services.http import Timing
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
from tests.services.conftest import Clock, Lines

HERE = "https://api.example.org/callback"
NONCE, VERIFIER, STATE = "n" * 43, "v" * 43, "s" * 43
DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def fake() -> Iterator[FakeOidc]:
    with FakeOidc() as fake:
        yield fake


@pytest.fixture
def make_party(fake: FakeOidc, clock: Clock, lines: Lines) -> Callable[..., RelyingParty]:
    """A client of the fake, whose clock passes by sleeping only; the time of day is real."""

    def make_party(**values: Any) -> RelyingParty:
        timing = Timing(clock=lambda: clock.at, sleep=clock.sleep, jitter=lambda wait: wait)
        client = Client(
            **{
                "issuer": fake.url,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                **values,
            }
        )
        return RelyingParty(client, timeout=0.3, timing=timing, log=lines.log)

    return make_party


@pytest.fixture
def party(make_party: Callable[..., RelyingParty]) -> RelyingParty:
    return make_party()


def begun(party: RelyingParty) -> str:
    """A code for which the provider's user has signed in."""
    url = party.authorization_url(
        redirect_uri=HERE, scopes=["profile"], state=STATE, nonce=NONCE, verifier=VERIFIER
    )
    back = httpx.get(url).headers["location"]
    return parse_qs(urlsplit(back).query)["code"][0]


def proven(party: RelyingParty, **changes: Any) -> dict[str, Any]:
    """The claims after a whole sign-in, in which something may be changed."""
    given = {"redirect_uri": HERE, "verifier": VERIFIER, "nonce": NONCE, "issuer": None, **changes}
    code = given.pop("code", None) or begun(party)
    if given["issuer"] is None:
        given["issuer"] = party.describe().issuer
    return party.prove(code, **given)


class TestAuthorizationUrl:
    def test_has_all_that_the_flow_needs(self, party: RelyingParty, fake: FakeOidc) -> None:
        url = party.authorization_url(
            redirect_uri=HERE,
            scopes=["profile", "openid", "email"],
            state=STATE,
            nonce=NONCE,
            verifier=VERIFIER,
        )
        assert url.startswith(f"{fake.url}/authorize?")
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
        self, fake: FakeOidc, make_party: Callable[..., RelyingParty]
    ) -> None:
        party = make_party(authorization_endpoint=f"{fake.url}/authorize?policy=a")
        url = party.authorization_url(
            redirect_uri=HERE, scopes=[], state=STATE, nonce=NONCE, verifier=VERIFIER
        )
        assert url.startswith(f"{fake.url}/authorize?policy=a&response_type=code&")


class TestDescription:
    def test_is_kept_for_ten_minutes(
        self, party: RelyingParty, fake: FakeOidc, clock: Clock
    ) -> None:
        party.describe()
        clock.at = KEPT - 1
        party.describe()
        assert fake.paths == [DISCOVERY]
        clock.at = KEPT
        party.describe()
        assert fake.paths == [DISCOVERY] * 2

    def test_may_spell_the_issuer_with_a_last_slash(
        self, party: RelyingParty, fake: FakeOidc
    ) -> None:
        fake.discovery = {"issuer": f"{fake.url}/"}
        assert party.describe().issuer == f"{fake.url}/"

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
        self, party: RelyingParty, fake: FakeOidc, discovery: dict[str, Any]
    ) -> None:
        fake.discovery = discovery
        with pytest.raises(Unavailable):
            party.describe()

    def test_need_not_be_asked_for_where_the_client_has_the_endpoints(
        self, fake: FakeOidc, make_party: Callable[..., RelyingParty]
    ) -> None:
        party = make_party(
            authorization_endpoint=f"{fake.url}/authorize",
            token_endpoint=f"{fake.url}/token",
            jwks_uri=f"{fake.url}/jwks",
        )
        assert proven(party)["sub"] == "user-1"
        assert fake.paths == ["/authorize", "/token", "/jwks"]


class TestProof:
    def test_gives_the_claims(self, party: RelyingParty, fake: FakeOidc) -> None:
        claims = proven(party)
        assert (claims["sub"], claims["email"], claims["name"]) == (
            "user-1",
            "robin@example.org",
            "Robin",
        )
        assert fake.paths == [DISCOVERY, "/authorize", "/token", "/jwks", "/userinfo"]

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
        fake: FakeOidc,
        make_party: Callable[..., RelyingParty],
        methods: list[str] | None,
        secret: str | None,
    ) -> None:
        fake.discovery = {"token_endpoint_auth_methods_supported": methods}
        assert proven(make_party(client_secret=secret))["sub"] == "user-1"
        (asked,) = [asked for asked in fake.seen if asked.path == "/token"]
        basic = methods is None or "client_secret_basic" in methods
        assert ("authorization" in asked.headers) == basic
        assert (b"client_secret" in asked.body) == (bool(secret) and not basic)

    def test_where_it_takes_no_secret(
        self, fake: FakeOidc, make_party: Callable[..., RelyingParty]
    ) -> None:
        fake.discovery = {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}
        with pytest.raises(Unavailable) as refusal:
            proven(make_party())
        assert refusal.value.code == "NOT_CONFIGURED"

    def test_works_without_user_information(self, party: RelyingParty, fake: FakeOidc) -> None:
        fake.discovery, fake.id_claims = {"userinfo_endpoint": None}, {"email": "a@example.org"}
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
            {"exp": int(time.time()) - 61},
            {"exp": None},
            {"exp": "tomorrow"},
            {"iat": int(time.time()) + 120},
            {"iat": None},
            {"nbf": int(time.time()) + 120},
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
        self, party: RelyingParty, fake: FakeOidc, claims: dict[str, Any]
    ) -> None:
        fake.id_claims = claims
        with pytest.raises(NotProven):
            proven(party)

    @pytest.mark.parametrize(
        "claims",
        [
            {"exp": int(time.time()) - 30},
            {"iat": int(time.time()) + 30},
            {"aud": [CLIENT_ID]},
            {"azp": CLIENT_ID},
            {"aud": ["another", CLIENT_ID], "azp": CLIENT_ID},
        ],
        ids=str,
    )
    def test_claims_that_are_good_enough(
        self, party: RelyingParty, fake: FakeOidc, claims: dict[str, Any]
    ) -> None:
        fake.id_claims = claims
        assert proven(party)["sub"] == "user-1"

    def test_signatures_that_are_not_the_providers(
        self, party: RelyingParty, fake: FakeOidc, clock: Clock
    ) -> None:
        foreign, same_id = new_key(), new_key(fake.key.kid)
        signers = [
            unsigned,
            by_secret,
            by_public_key(fake),
            lambda claims: jwt.encode({"alg": "ES256", "kid": foreign.kid}, claims, foreign),
            lambda claims: jwt.encode({"alg": "ES256"}, claims, foreign),
            lambda claims: jwt.encode({"alg": "ES256", "kid": fake.key.kid}, claims, same_id),
            lambda _claims: "a.b.c",
            lambda _claims: "no token",
            lambda claims: unsigned(claims) + "AAAA",
        ]
        for signer in signers:
            fake.sign = signer
            with pytest.raises(NotProven):
                proven(party)
            clock.at += PAUSE

    def test_no_algorithm_with_a_shared_secret_is_ever_taken(self) -> None:
        assert not [name for name in ALGORITHMS if name == "none" or name.startswith("HS")]

    def test_an_algorithm_that_the_provider_does_not_name(
        self, party: RelyingParty, fake: FakeOidc
    ) -> None:
        fake.discovery = {"id_token_signing_alg_values_supported": ["RS256"]}
        with pytest.raises(NotProven):
            proven(party)

    @pytest.mark.parametrize("info", [{"sub": "user-2"}, {"sub": None}])
    def test_information_about_somebody_else(
        self, party: RelyingParty, fake: FakeOidc, info: dict[str, Any]
    ) -> None:
        fake.user_info = info
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
        self, party: RelyingParty, fake: FakeOidc
    ) -> None:
        code = begun(party)
        given = {"redirect_uri": HERE, "verifier": VERIFIER, "nonce": NONCE}
        with pytest.raises(NotProven):
            party.prove(code, **given, issuer=None)
        assert "/token" not in fake.paths


class TestKeys:
    def test_are_asked_for_once(self, party: RelyingParty, fake: FakeOidc) -> None:
        for _ in range(3):
            proven(party)
        assert fake.paths.count("/jwks") == 1

    def test_that_are_new_are_found_at_once(self, party: RelyingParty, fake: FakeOidc) -> None:
        proven(party)
        fake.rotates()
        assert proven(party)["sub"] == "user-1"
        assert fake.paths.count("/jwks") == 2

    def test_that_are_made_up_are_not_looked_for_again_and_again(
        self, party: RelyingParty, fake: FakeOidc, clock: Clock
    ) -> None:
        proven(party)
        forger = new_key()
        fake.sign = lambda claims: jwt.encode({"alg": "ES256", "kid": forger.kid}, claims, forger)
        for _ in range(5):
            with pytest.raises(NotProven):
                proven(party)
        assert fake.paths.count("/jwks") == 2
        clock.at += PAUSE
        with pytest.raises(NotProven):
            proven(party)
        assert fake.paths.count("/jwks") == 3

    def test_that_we_do_not_know_are_passed_over(self, party: RelyingParty, fake: FakeOidc) -> None:
        good = fake.key.as_dict(private=False)
        fake.published = [
            {"kty": "quantum", "kid": fake.key.kid},
            {"kty": "EC", "kid": fake.key.kid},
            {"kty": "EC", "crv": "P-256", "x": 1, "y": []},
            {**good, "use": "enc"},
            {"kty": "oct", "k": "AAAA", "kid": fake.key.kid},
            "no key",
            good,
        ]
        assert proven(party)["sub"] == "user-1"

    def test_without_an_id(self, party: RelyingParty, fake: FakeOidc) -> None:
        fake.sign = lambda claims: jwt.encode({"alg": "ES256"}, claims, fake.key)
        fake.published.insert(0, new_key().as_dict(private=False))
        assert proven(party)["sub"] == "user-1"


class TestTrouble:
    @pytest.mark.parametrize(
        "fault",
        [
            {"kind": "status", "status": 500},
            {"kind": "status", "status": 401},
            {"kind": "reset"},
            {"kind": "huge"},
            {"kind": "endless"},
            {"kind": "bomb"},
            {"kind": "html"},
            {"kind": "empty"},
            {"kind": "wrong_types"},
            {"kind": "redirect", "location": "/elsewhere"},
            {"kind": "redirect", "location": "http://169.254.169.254/latest/meta-data"},
        ],
        ids=lambda fault: "-".join(map(str, fault.values())).replace("/", "."),
    )
    def test_is_told_from_a_lie(
        self, party: RelyingParty, fake: FakeOidc, fault: dict[str, Any]
    ) -> None:
        code = begun(party)
        fake.breaks(**fault)
        with pytest.raises(Unavailable):
            party.prove(
                code,
                redirect_uri=HERE,
                verifier=VERIFIER,
                nonce=NONCE,
                issuer=party.describe().issuer,
            )
        assert "/elsewhere" not in fake.paths

    @pytest.mark.parametrize("kind", ["slow", "drip"])
    def test_slowness(self, party: RelyingParty, fake: FakeOidc, kind: str) -> None:
        code, issuer = begun(party), party.describe().issuer
        fake.breaks(kind, seconds=1.0)
        given = {"redirect_uri": HERE, "verifier": VERIFIER, "nonce": NONCE, "issuer": issuer}
        started = time.monotonic()
        with pytest.raises(TimedOut):
            party.prove(code, **given)
        assert time.monotonic() - started < 2

    def test_a_code_is_never_sent_twice(self, party: RelyingParty, fake: FakeOidc) -> None:
        code, issuer = begun(party), party.describe().issuer
        fake.breaks("status", status=503)
        given = {"redirect_uri": HERE, "verifier": VERIFIER, "nonce": NONCE, "issuer": issuer}
        with pytest.raises(Unavailable):
            party.prove(code, **given)
        assert fake.paths.count("/token") == 1

    def test_that_goes_on_is_left_alone(
        self, make_party: Callable[..., RelyingParty], fake: FakeOidc
    ) -> None:
        party = make_party()
        fake.breaks("status", status=500)
        for _ in range(8):
            with pytest.raises(Unavailable):
                party.describe()
        asked = len(fake.seen)
        assert asked < 8
        with pytest.raises(Unavailable):
            party.describe()
        assert len(fake.seen) == asked

    def test_shows_no_secret(self, party: RelyingParty, fake: FakeOidc, lines: Lines) -> None:
        code = begun(party)
        fake.breaks("status", status=500)
        with pytest.raises(Unavailable):
            party.prove(
                code,
                redirect_uri=HERE,
                verifier=VERIFIER,
                nonce=NONCE,
                issuer=party.describe().issuer,
            )
        assert fake.url in lines.text
        for secret in (CLIENT_SECRET, code, VERIFIER):
            assert secret not in lines.text
        assert CLIENT_SECRET not in repr(Client(fake.url, CLIENT_ID, CLIENT_SECRET))


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
