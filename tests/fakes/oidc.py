"""An OpenID provider that can be told to lie: for what an honest one never does.

It signs with joserfc and keeps the rules otherwise: a code is good once, for the client and the
redirect URI that it was made for, and for who has the verifier of its PKCE challenge.
"""

import base64
import hashlib
import secrets
import time
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OctKey

from tests.fakes.exchange import Asked, Reply
from tests.fakes.server import FakeServer

CLIENT_ID, CLIENT_SECRET = "marquee", "a secret: of the client, with signs/"


def new_key(kid: str | None = None) -> ECKey:
    """A key to sign with."""
    return ECKey.generate_key("P-256", {"kid": kid or secrets.token_hex(4), "use": "sig"})


class FakeOidc(FakeServer):
    """A provider with one user, `user`, who always agrees.

    `discovery`, `id_claims` and `user_info` change what it says of itself, in ID tokens and of the
    user: None takes a member away. It signs with `key`, and publishes `published`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.user: dict[str, Any] = {
            "sub": "user-1",
            "preferred_username": "robin",
            "email": "robin@example.org",
            "email_verified": True,
            "name": "Robin",
        }
        self.discovery: dict[str, Any] = {}
        self.id_claims: dict[str, Any] = {}
        self.user_info: dict[str, Any] = {}
        self.key: Key = new_key()
        self.published: list[Any] = [self.key.as_dict(private=False)]
        self.sign = self._sign
        self.codes: dict[str, dict[str, str]] = {}
        self.access_tokens: set[str] = set()

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [asked.path for asked in self.seen]

    def rotates(self) -> None:
        """Sign with another key from now on, and publish that alone."""
        self.key = new_key()
        self.published = [self.key.as_dict(private=False)]

    def answer(self, asked: Asked) -> Reply:
        match asked.method, asked.path:
            case "GET", "/.well-known/openid-configuration":
                return Reply(200, self._described())
            case "GET", "/jwks":
                return Reply(200, {"keys": self.published})
            case "GET", "/authorize":
                return self._authorized(asked)
            case "POST", "/token":
                return self._exchanged(asked)
            case "GET", "/userinfo":
                return self._informed(asked)
        return self.problem(404)

    def problem(self, status: int) -> Reply:
        return Reply(status, {"error": "server_error" if status >= 500 else "invalid_request"})

    def _described(self) -> dict[str, Any]:
        description = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
            "authorization_response_iss_parameter_supported": True,
        }
        return changed(description, self.discovery)

    def _authorized(self, asked: Asked) -> Reply:
        code, query = secrets.token_urlsafe(16), dict(asked.query)
        self.codes[code] = query
        back = {"code": code, "state": query["state"], "iss": self.url, "session_state": "x.y"}
        return Reply(302, {}, {"Location": f"{query['redirect_uri']}?{urlencode(back)}"})

    def _exchanged(self, asked: Asked) -> Reply:
        form = dict(parse_qsl(asked.body.decode()))
        begun = self.codes.pop(form.get("code", ""), None)
        if not self._authenticated(asked, form):
            return Reply(401, {"error": "invalid_client"})
        verifier = form.get("code_verifier", "").encode()
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).decode().rstrip("=")
        if (
            begun is None
            or form["redirect_uri"] != begun["redirect_uri"]
            or (begun["code_challenge_method"], begun["code_challenge"]) != ("S256", digest)
        ):
            return Reply(400, {"error": "invalid_grant"})
        now, access_token = int(time.time()), secrets.token_urlsafe(16)
        self.access_tokens.add(access_token)
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "sub": self.user["sub"],
            "iat": now,
            "exp": now + 300,
            "nonce": begun.get("nonce"),
        }
        id_token = self.sign(changed(claims, self.id_claims))
        tokens = {"access_token": access_token, "token_type": "Bearer", "id_token": id_token}
        return Reply(200, tokens)

    def _authenticated(self, asked: Asked, form: dict[str, str]) -> bool:
        if form.get("client_id"):
            return (form["client_id"], form.get("client_secret")) in (
                (CLIENT_ID, CLIENT_SECRET),
                (CLIENT_ID, None),
            )
        given = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
        pair = [unquote_plus(part) for part in given.split(":")]
        return pair == [CLIENT_ID, CLIENT_SECRET]

    def _informed(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.access_tokens:
            return Reply(401, {"error": "invalid_token"})
        return Reply(200, changed(self.user, self.user_info))

    def _sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)


def unsigned(claims: dict[str, Any]) -> str:
    """A token of the algorithm `none`."""
    parts = [jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("x" * 32)).split(".")[1]]
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    return ".".join([header, *parts, ""])


def by_secret(claims: dict[str, Any]) -> str:
    """A token that is signed by the client's secret."""
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET))


def by_public_key(fake: FakeOidc) -> Any:
    """A signer that takes the provider's public key for a secret."""
    secret = OctKey.import_key(KeySet([fake.key]).as_dict()["keys"][0]["x"].encode() * 2)
    return lambda claims: jwt.encode({"alg": "HS256", "kid": fake.key.kid}, claims, secret)


def changed(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Values with some replaced, and without those that are None."""
    return {name: value for name, value in {**values, **changes}.items() if value is not None}
