"""src/marquee/services/oidc.py against a provider in trouble."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from marquee.errors import TimedOut, Unavailable
from marquee.services.oidc import RelyingParty
from marquee.services.oidc_answers import Client
from tests.fakes.oidc import CLIENT_ID, CLIENT_SECRET, FakeOidc
from tests.services.conftest import Lines
from tests.services.oidc_party import HERE, NONCE, VERIFIER, begun


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
        self, party: RelyingParty, oidc: FakeOidc, fault: dict[str, Any]
    ) -> None:
        code = begun(party)
        oidc.breaks(**fault)
        with pytest.raises(Unavailable):
            party.prove(
                code,
                redirect_uri=HERE,
                verifier=VERIFIER,
                nonce=NONCE,
                issuer=party.describe().issuer,
            )
        assert "/elsewhere" not in oidc.paths

    @pytest.mark.parametrize("kind", ["slow", "drip"])
    def test_slowness(self, party: RelyingParty, oidc: FakeOidc, kind: str) -> None:
        code, issuer = begun(party), party.describe().issuer
        oidc.breaks(kind, seconds=1.0)
        given = {"redirect_uri": HERE, "verifier": VERIFIER, "nonce": NONCE, "issuer": issuer}
        started = time.monotonic()
        with pytest.raises(TimedOut):
            party.prove(code, **given)
        assert time.monotonic() - started < 2

    def test_a_code_is_never_sent_twice(self, party: RelyingParty, oidc: FakeOidc) -> None:
        code, issuer = begun(party), party.describe().issuer
        oidc.breaks("status", status=503)
        given = {"redirect_uri": HERE, "verifier": VERIFIER, "nonce": NONCE, "issuer": issuer}
        with pytest.raises(Unavailable):
            party.prove(code, **given)
        assert oidc.paths.count("/token") == 1

    def test_that_goes_on_is_left_alone(
        self, make_party: Callable[..., RelyingParty], oidc: FakeOidc
    ) -> None:
        party = make_party()
        oidc.breaks("status", status=500)
        for _ in range(8):
            with pytest.raises(Unavailable):
                party.describe()
        asked = len(oidc.seen)
        assert asked < 8
        with pytest.raises(Unavailable):
            party.describe()
        assert len(oidc.seen) == asked

    def test_shows_no_secret(self, party: RelyingParty, oidc: FakeOidc, lines: Lines) -> None:
        code = begun(party)
        oidc.breaks("status", status=500)
        with pytest.raises(Unavailable):
            party.prove(
                code,
                redirect_uri=HERE,
                verifier=VERIFIER,
                nonce=NONCE,
                issuer=party.describe().issuer,
            )
        assert oidc.url in lines.text
        for secret in (CLIENT_SECRET, code, VERIFIER):
            assert secret not in lines.text
        assert CLIENT_SECRET not in repr(Client(oidc.url, CLIENT_ID, CLIENT_SECRET))
