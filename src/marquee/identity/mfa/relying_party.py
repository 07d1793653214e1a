"""Who passkeys are for: the domain, and the web pages that may use them there."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from marquee import settings

NAME = "Marquee"
LAPTOP = "localhost"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """A domain and its origins, as browsers name them."""

    id: str
    origins: list[str]


def relying_party() -> RelyingParty:
    """By the settings: the web application's domain, its pages, the server's and `CORS_ORIGINS`.

    No passkey can be for a bare address: a laptop's pages are those of `http://localhost`.
    """
    values = settings.current()
    homes = [values.app_address, values.server_address]
    pages = [*homes, *(each for each in values.cors_origins if each != "*")]
    domain = values.passkey_domain or urlsplit(_by_name(homes[0])).hostname or LAPTOP
    return RelyingParty(domain, [_origin(_by_name(page)) for page in pages])


def _by_name(url: str) -> str:
    host = urlsplit(url).hostname or LAPTOP
    try:
        address = ip_address(host)
    except ValueError:
        return url
    return url.replace(f"[{host}]" if address.version == 6 else host, LAPTOP, 1)  # noqa: PLR2004


def _origin(url: str) -> str:
    scheme, place, *_ = urlsplit(url)
    return f"{scheme}://{place}"
