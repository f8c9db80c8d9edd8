"""Checks the addresses of messages: only those of the public internet, unless private ones are allowed.

A subscriber's host is resolved once, every address is checked, and the connection uses only a checked address
(`alerts/delivery/pinned_transport.py`, `alerts/delivery/apprise_process.py`).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

ALLOWED = (
    "an alerts worker that is started with FORETICK_ALERTS_ALLOW_PRIVATE=true (./foretick down, then ./foretick up) "
    "allows it"
)
Lookup = Callable[[str, int], Awaitable[list[str]]]

_NAT64 = IPv6Network("64:ff9b::/96")
"""The prefix of IPv4 addresses in a network with IPv6 only (RFC 6052)."""
_GLOBAL = IPv6Network("2000::/3")
"""All addresses allocated as public (IANA): others, such as the old site-local fec0::/10, are unassigned."""
_SPECIAL = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))
"""Protocol assignments (RFC 6890), relays of 6to4 (RFC 7526) and examples (RFC 9637), which `is_global` passes."""


class RefusedError(ValueError):
    """An address is not allowed, or a name has none. One line, which shows only the host."""


class PrivateError(RefusedError):
    """An address is not public, and only public ones are allowed."""


def stands_for(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address embedded in an IPv6 address, if any."""
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else address.ipv4_mapped


def is_public(text: str) -> bool:
    """Return whether an address (no name) is public, as well as an address embedded in it."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        other = stands_for(address)
        if other is not None:
            return is_public(str(other))
        if address.scope_id is not None or address not in _GLOBAL:
            return False
        if not all(is_public(str(one)) for one in (address.sixtofour, *(address.teredo or ())) if one is not None):
            return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


async def lookup(host: str, port: int) -> list[str]:
    """Return the addresses of a host. Raises OSError if it has none."""
    loop = asyncio.get_running_loop()
    results = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in results))


async def checked(host: str, port: int, allow_private: bool, look_up: Lookup = lookup) -> list[str]:
    """Return a host's addresses, all checked. Raises RefusedError if one is not allowed, or there is none."""
    try:
        results = await look_up(host, port)
    except (OSError, UnicodeError):
        results = []
    if not results:
        raise RefusedError(f"the host {host} has no address")
    for address in results:
        if not allow_private and not is_public(address):
            raise PrivateError(f"{host} is at {address}, which is no public address; {ALLOWED}")
    return results
