"""Secrets at rest: what the server must read again, such as the seed of a one-time password.

Fernet (AES-128-CBC with HMAC-SHA256, from `cryptography`) with keys derived from
`MARQUEE_SECRET_KEY`, and from `MARQUEE_OLD_SECRET_KEYS` for what was sealed before a change.
"""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from marquee import signing

PURPOSE = "sealing"


class Unreadable(Exception):
    """It was sealed with a key that this server does not have."""


def seal(text: str) -> str:
    """The text, encrypted."""
    return _keys().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """The text. Raises Unreadable."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Unreadable("MARQUEE_SECRET_KEY has changed since this was stored.") from error


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in signing.keys_for(PURPOSE)])
