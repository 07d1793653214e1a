"""What people prove a second factor with: an app for one-time passwords, and a passkey.

The app is written from RFC 4226 and 6238, the passkey's device is `soft-webauthn`; neither knows
what the server is made of.
"""

import hashlib
import hmac
import json
import struct
import time
from base64 import b32decode, urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from soft_webauthn import SoftWebauthnDevice

USER_PRESENT, USER_VERIFIED = 0x01, 0x04
ORIGIN = "http://localhost:8080"
"""Where the pages of a server with the tests' settings are."""
ENOUGH = 3.0
"""So many seconds are left for a code to arrive in the step that it is of."""


def hotp(secret: str, counter: int) -> str:
    """RFC 4226, with six digits; the secret in Base32."""
    digest = hmac.digest(b32decode(secret), struct.pack(">Q", counter), hashlib.sha1)
    start = digest[-1] & 0xF
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def totp(secret: str, steps: int = 0) -> str:
    """RFC 6238, with steps of 30 seconds: the present code, or one `steps` later.

    At the end of a step it waits for the next, so that the server is in the same one.
    """
    if (left := 30 - time.time() % 30) < ENOUGH:
        time.sleep(left)
    return hotp(secret, int(time.time()) // 30 + steps)


def encoded(data: bytes) -> str:
    """Base64url as browsers write it."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Base64url as browsers write it."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Device:
    """An authenticator, and the browser before it: JSON in and out, as WebAuthn level 3 has it."""

    def __init__(self, *, verifies: bool = True, counts: bool = True) -> None:
        self.soft = SoftWebauthnDevice()
        self.verifies, self.counts = verifies, counts
        self.framed = False

    def create(self, options: dict[str, Any], origin: str = ORIGIN) -> dict[str, Any]:
        """A new passkey, by `PublicKeyCredentialCreationOptionsJSON`."""
        asked = {
            **options,
            "challenge": decoded(options["challenge"]),
            "user": {**options["user"], "id": decoded(options["user"]["id"])},
        }
        made = self.soft.create({"publicKey": asked}, origin)
        return self._told(made, transports=["internal", "hybrid"])

    def get(self, options: dict[str, Any], origin: str = ORIGIN) -> dict[str, Any]:
        """A signature, by `PublicKeyCredentialRequestOptionsJSON`."""
        if not self.counts:
            self.soft.sign_count = -1
        asked = {**options, "challenge": decoded(options["challenge"])}
        made = self.soft.get({"publicKey": asked}, origin)
        self._sign_again(made["response"])
        return self._told(made)

    def _sign_again(self, response: dict[str, bytes]) -> None:
        """With what soft-webauthn does not say: whether the user was verified, and whether the page
        is in a frame.
        """
        before = response["authenticatorData"]
        flags = bytes([USER_PRESENT | (USER_VERIFIED if self.verifies else 0)])
        data = before[:32] + flags + before[33:]
        said = json.loads(response["clientDataJSON"]) | {"crossOrigin": self.framed}
        words = json.dumps(said).encode()
        signed = data + hashlib.sha256(words).digest()
        signature = self.soft.private_key.sign(signed, ec.ECDSA(hashes.SHA256()))
        response |= {"authenticatorData": data, "clientDataJSON": words, "signature": signature}

    @staticmethod
    def _told(made: dict[str, Any], **more: Any) -> dict[str, Any]:
        response = {name: encoded(value) for name, value in made["response"].items()}
        return {
            "id": encoded(made["rawId"]),
            "rawId": encoded(made["rawId"]),
            "type": made["type"],
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response | more,
        }


def with_client_data(credential: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A credential with other words than the device has signed."""
    said = json.loads(decoded(credential["response"]["clientDataJSON"])) | changes
    words = {"clientDataJSON": encoded(json.dumps(said).encode())}
    return credential | {"response": credential["response"] | words}
