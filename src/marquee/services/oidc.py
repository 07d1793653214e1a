"""OpenID providers: discovery, keys, the exchange of a code, and what an ID token proves.

OpenID Connect Core 1.0 (authorization code flow, §3.1), Discovery 1.0, PKCE (RFC 7636), the issuer
in the answer (RFC 9207), and for ID tokens the advice of RFC 8725.

Which servers are called an administrator decides. Nothing else can: redirects are not followed,
answers are bounded, and what a provider names over HTTPS must be HTTPS as well.
"""

import base64
import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from typing import TypeVar
from urllib.parse import quote_plus, urlencode, urlsplit

import structlog
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry
from structlog.typing import FilteringBoundLogger

from marquee.errors import Unavailable
from marquee.services.http import BAD_REQUEST, Timing, Upstream
from marquee.services.oidc_answers import (
    LONGEST_TOKEN,
    Claims,
    Client,
    Description,
    ProviderKey,
    Tokens,
    read_description,
    read_keys,
    read_tokens,
    read_user_info,
)
from marquee.services.wire import Failed

WELL_KNOWN = "/.well-known/openid-configuration"
KEPT = 600.0
"""Seconds for which a provider's description and keys are believed."""
PAUSE = 10.0
"""Seconds in which keys are asked for before their time once at the most."""
LEEWAY = 60
"""Seconds by which the provider's clock may differ from ours."""
LARGEST = 256 * 1024
"""The largest answer, in bytes."""
LONGEST_SUBJECT = 255

T = TypeVar("T")


class NotProven(Exception):
    """What the provider answered does not prove who signed in. Says why."""


@lru_cache(maxsize=64)
def relying_party(client: Client) -> "RelyingParty":
    """The one of this process for a client, with what it knows of the provider."""
    return RelyingParty(client)


class RelyingParty:
    """A client of one provider. Its methods raise Unavailable or TimedOut where it does not serve.

    Its description and keys are kept for ten minutes. A key that is not among them is looked for
    once more, but not more often than every ten seconds, whoever makes up tokens.
    """

    def __init__(
        self,
        client: Client,
        *,
        timeout: float = 5.0,
        timing: Timing | None = None,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        """`timeout` is the longest that one answer may take, in seconds."""
        self._client, self._timeout = client, timeout
        self._timing = timing or Timing()
        self._log = (log or structlog.get_logger()).bind(issuer=client.issuer)
        self._upstreams: dict[str, Upstream] = {}
        self._lock = threading.Lock()
        self._description: tuple[Description, float] | None = None
        self._keys: tuple[list[ProviderKey], float] | None = None
        self._asked_again: float | None = None

    def describe(self) -> Description:
        """What the provider says of itself, as far as the client does not say it."""
        kept, now = self._description, self._timing.clock()
        if kept is None or kept[1] <= now:
            kept = self._discovered(), now + KEPT
            self._description = kept
        return kept[0]

    def authorization_url(
        self, *, redirect_uri: str, scopes: Iterable[str], state: str, nonce: str, verifier: str
    ) -> str:
        """Where a browser goes to sign in. `verifier` is that of PKCE, whose S256 it carries."""
        endpoint = self.describe().authorization_endpoint
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(dict.fromkeys(("openid", *scopes))),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def prove(
        self, code: str, *, redirect_uri: str, verifier: str, nonce: str, issuer: str | None
    ) -> Claims:
        """Who signed in: the claims of the ID token, and over them those of the user's information.

        `sub` is text of 1 to 255 characters; all other claims are as the provider wrote them.
        `issuer` is the one that the answer named. Raises NotProven.
        """
        description = self.describe()
        if issuer is None and description.names_issuer:
            raise NotProven("The answer does not say whose it is.")
        if issuer not in (None, description.issuer):
            raise NotProven("The answer is of another issuer.")
        tokens = self._exchanged(description, code, redirect_uri, verifier)
        claims = self._verified(description, tokens.id_token)
        self._check(description, claims, nonce)
        if description.user_info_endpoint and tokens.access_token:
            more = self._user_info(description.user_info_endpoint, tokens.access_token)
            if more.get("sub") != claims["sub"]:
                raise NotProven("The user's information is somebody else's.")
            claims |= more
        return claims

    def _discovered(self) -> Description:
        client = self._client
        if client.authorization_endpoint and client.token_endpoint and client.jwks_uri:
            return read_description(client, {"issuer": client.issuer})
        url = client.issuer.rstrip("/") + WELL_KNOWN
        return self._get(url, read=partial(read_description, client))

    def _exchanged(
        self, description: Description, code: str, redirect_uri: str, verifier: str
    ) -> Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        client_id, secret, headers = self._client.client_id, self._client.client_secret, {}
        if secret is None:
            form |= {"client_id": client_id}
        elif "client_secret_basic" in description.authentication:
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
            headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        elif "client_secret_post" in description.authentication:
            form |= {"client_id": client_id, "client_secret": secret}
        else:
            raise Unavailable("The provider takes no client secret.", "NOT_CONFIGURED")
        upstream, path = self._upstream(description.token_endpoint)
        try:
            return upstream.request("POST", path, form=form, headers=headers, read=read_tokens)
        except Unavailable as refusal:
            cause = refusal.__cause__
            if isinstance(cause, Failed) and cause.status == BAD_REQUEST:
                raise NotProven("The provider does not take the code.") from refusal
            raise

    def _user_info(self, url: str, access_token: str) -> Claims:
        headers = {"Authorization": f"Bearer {access_token}"}
        return self._get(url, headers=headers, read=read_user_info)

    def _verified(self, description: Description, id_token: str) -> Claims:
        """The claims of a token that one of the provider's keys has signed."""
        registry = jws.JWSRegistry(
            algorithms=sorted(description.algorithms),
            # Providers add members of their own; what `crit` names must be known all the same.
            strict_check_header=False,
        )
        registry.max_payload_length = LONGEST_TOKEN
        try:
            header = jws.extract_compact(id_token.encode(), registry=registry).headers()
        except (JoseError, ValueError) as error:
            raise NotProven("The ID token is not a signed token.") from error
        if str(header.get("alg")) not in description.algorithms:
            raise NotProven("The ID token is signed in a way that is not allowed.")
        for keys in (self._known_keys, self._newer_keys):
            for each in keys(description.jwks_uri):
                if each.suits(header):
                    try:
                        return jwt.decode(id_token, each.key, registry=registry).claims
                    except (JoseError, ValueError):
                        continue
        raise NotProven("The ID token is not signed by the provider.")

    def _check(self, description: Description, claims: Claims, nonce: str) -> None:
        """Raise NotProven unless the token is for us, for this sign-in, and for now (§3.1.3.7)."""
        client_id = self._client.client_id
        registry = JWTClaimsRegistry(
            now=int(self._timing.now().timestamp()),
            leeway=LEEWAY,
            iss={"essential": True, "value": description.issuer},
            aud={"essential": True, "value": client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise NotProven(f"The ID token is not good here: {error}.") from error
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else client_id) != client_id:
            raise NotProven("The ID token was made for another client.")
        if not 1 <= len(claims["sub"]) <= LONGEST_SUBJECT or "\0" in claims["sub"]:
            raise NotProven("The ID token's subject is no subject.")

    def _known_keys(self, url: str) -> list[ProviderKey]:
        kept, now = self._keys, self._timing.clock()
        if kept is None or kept[1] <= now:
            kept = self._get(url, read=read_keys), now + KEPT
            self._keys = kept
        return kept[0]

    def _newer_keys(self, url: str) -> list[ProviderKey]:
        """The keys asked for again; none where that was done just now."""
        now = self._timing.clock()
        with self._lock:
            if self._asked_again is not None and now < self._asked_again + PAUSE:
                return []
            self._asked_again = now
        self._keys = None
        return self._known_keys(url)

    def _get(
        self, url: str, *, headers: Mapping[str, str] | None = None, read: Callable[[object], T]
    ) -> T:
        upstream, path = self._upstream(url)
        return upstream.get(path, headers=headers, read=read)

    def _upstream(self, url: str) -> tuple[Upstream, str]:
        """The server of a URL, and the URL's path there."""
        parts = urlsplit(url)
        server = f"{parts.scheme}://{parts.netloc}"
        path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        with self._lock:
            if server not in self._upstreams:
                self._upstreams[server] = Upstream(
                    "oidc",
                    server,
                    read_timeout=self._timeout,
                    total_timeout=self._timeout + 2,
                    max_bytes=LARGEST,
                    attempts=2,
                    redirects=0,
                    # By its path alone, one user's information would be kept for another.
                    keep_bytes=0,
                    secrets=tuple(filter(None, [self._client.client_secret])),
                    timing=self._timing,
                    log=self._log,
                )
            return self._upstreams[server], path


def challenge(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
