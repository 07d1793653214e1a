"""A client of an OpenID provider that lies when told to, as the tests of the adapter use it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from marquee.services.oidc import RelyingParty

HERE = "https://api.example.org/callback"
NONCE, VERIFIER, STATE = "n" * 43, "v" * 43, "s" * 43


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
