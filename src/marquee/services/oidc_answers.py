"""What an OpenID provider answers, read into our own kinds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from marquee.services.fields import Fields, Malformed

ALGORITHMS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    "Ed25519": "OKP",
}
"""What an ID token may be signed with, and the type of its keys. Never `none`, and no secret that
we share: who reads it here could sign."""
MOST_KEYS, LONGEST_TOKEN = 100, 64 * 1024
ADDRESS = re.compile(r"https?://[^\s/?#@\\]+(/[^\s#\\]*)?")
TOKEN = re.compile(r"[\x21-\x7e]+")

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Client:
    """What we are to a provider. An endpoint that is given stands in for the one discovered."""

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    """None for a public client."""
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    user_info_endpoint: str | None = None
    jwks_uri: str | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    user_info_endpoint: str | None
    authentication: frozenset[str]
    """The ways in which clients prove themselves at the token endpoint."""
    algorithms: frozenset[str]
    """Those of `ALGORITHMS` that it signs ID tokens with."""
    names_issuer: bool
    """Whether each of its answers says by `iss` whose it is (RFC 9207)."""


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """A key that a provider signs with."""

    key: Key
    kind: str
    id: str | None
    algorithm: str | None

    def suits(self, header: Mapping[str, Any]) -> bool:
        """Whether a token with this header may be signed by it."""
        return (
            self.kind == ALGORITHMS[header["alg"]]
            and self.algorithm in (None, header["alg"])
            and header.get("kid") in (None, self.id)
        )


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a provider gives for a code."""

    id_token: str
    access_token: str | None


def is_loopback(address: str) -> bool:
    """Whether a URL names this machine, so that plain HTTP to it crosses no network."""
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_description(client: Client, value: object) -> Description:
    """What a provider says of itself, where the client does not say it. Raises Malformed."""
    fields = Fields(value, "discovery")
    issuer = fields.some_text("issuer", 1000)
    # People write the last slash or leave it; the provider's own spelling is in its tokens.
    if issuer.rstrip("/") != client.issuer.rstrip("/"):
        raise Malformed("discovery.issuer is another one")

    def address(name: str, given: str | None) -> str | None:
        found = given or fields.matching(name, ADDRESS)
        if found and found.startswith("http://") and not _plain(client.issuer, found):
            raise Malformed(f"discovery.{name} is not HTTPS")
        return found

    authorization = address("authorization_endpoint", client.authorization_endpoint)
    token = address("token_endpoint", client.token_endpoint)
    jwks_uri = address("jwks_uri", client.jwks_uri)
    if not (authorization and token and jwks_uri):
        raise Malformed("discovery lacks an endpoint")
    algorithms = _words(value, "id_token_signing_alg_values_supported") or frozenset(ALGORITHMS)
    return Description(
        issuer=issuer,
        authorization_endpoint=authorization,
        token_endpoint=token,
        jwks_uri=jwks_uri,
        user_info_endpoint=address("userinfo_endpoint", client.user_info_endpoint),
        authentication=_words(value, "token_endpoint_auth_methods_supported")
        or frozenset(("client_secret_basic",)),
        algorithms=algorithms & ALGORITHMS.keys(),
        names_issuer=fields.flag("authorization_response_iss_parameter_supported"),
    )


def _plain(issuer: str, address: str) -> bool:
    """Whether an address may be plain HTTP: the issuer is, and both are this machine."""
    return issuer.startswith("http://") and is_loopback(issuer) and is_loopback(address)


def _words(value: object, name: str) -> frozenset[str]:
    found = value.get(name) if isinstance(value, dict) else None
    words = found if isinstance(found, list) else []
    return frozenset(each for each in words if isinstance(each, str))


def read_tokens(value: object) -> Tokens:
    """The tokens that stand in the answer to a code. Raises Malformed."""
    fields = Fields(value, "tokens")
    access_token = fields.text("access_token", LONGEST_TOKEN)
    return Tokens(
        fields.some_text("id_token", LONGEST_TOKEN),
        access_token if TOKEN.fullmatch(access_token) else None,
    )


def read_keys(value: object) -> list[ProviderKey]:
    """The keys of a set that can sign; those of kinds that we do not know are passed over."""
    found = []
    for each in Fields(value, "jwks").items("keys")[:MOST_KEYS]:
        if not isinstance(each, dict) or each.get("use") not in (None, "sig"):
            continue
        kind = str(each.get("kty"))
        if kind not in ALGORITHMS.values():
            continue
        try:
            key = JWKRegistry.import_key(each)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        found.append(ProviderKey(key, kind, each.get("kid"), each.get("alg")))
    return found


def read_user_info(value: object) -> Claims:
    """The claims about a user, as the provider wrote them. Raises Malformed."""
    if not isinstance(value, dict):
        raise Malformed("userinfo is not an object")
    return value
