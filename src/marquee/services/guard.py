"""Which addresses are public: so that no name leads a client into a private network."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

TRANSLATED = IPv6Network("64:ff9b::/96")
"""Where networks without IPv4 have all of it (RFC 6052)."""
OUR_OWN = "localhost"


class PrivateAddress(Exception):
    """A name leads to an address that is not of the public internet."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the public internet, also within: `::ffff:10.0.0.1` is not."""
    if isinstance(address, IPv6Address):
        if address.teredo is not None:
            return False
        inner = address.ipv4_mapped or address.sixtofour
        if address in TRANSLATED:
            inner = IPv4Address(address.packed[-4:])
        if inner is not None:
            return is_public(inner)
    return address.is_global and not (address.is_multicast or address.is_reserved)


def names_private(host: str) -> bool:
    """Whether somebody who wrote this host meant a private network: by an address in it, or by
    `localhost`.
    """
    try:
        return not is_public(ip_address(host))
    except ValueError:
        return host.lower() == OUR_OWN


def public_addresses(host: str, port: int) -> list[str]:
    """The addresses of a host, each once.

    Raises PrivateAddress if any of them is not public, OSError where there is none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    for each in addresses:
        if not is_public(ip_address(each.partition("%")[0])):
            raise PrivateAddress(f"{host} is {each}, which is not a public address")
    return addresses
