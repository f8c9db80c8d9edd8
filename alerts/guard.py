"""Which addresses a message may go to: those of the public internet, unless private ones are allowed.

What a subscriber's address names is looked up once, every answer is checked, and the connection goes to a checked
answer and nowhere else (`alerts/pinned.py`, `alerts/apprise_process.py`).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Lookup = Callable[[str, int], Awaitable[list[str]]]

_NAT64 = IPv6Network("64:ff9b::/96")
"""Where a network that has IPv6 only finds the IPv4 addresses (RFC 6052)."""
_GLOBAL = IPv6Network("2000::/3")
"""All that is given out as public (IANA): what lies outside, such as the old site-local fec0::/10, is nobody's."""
_SPECIAL = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")))
"""Protocol assignments (RFC 6890), relays of 6to4 (RFC 7526) and examples (RFC 9637), which `is_global` passes."""


class RefusedError(Exception):
    """An address that no message may go to, or a name without one. One line, which shows no more than the host."""


def stands_for(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address is another way to write, if it is."""
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else address.ipv4_mapped


def is_public(text: str) -> bool:
    """Return whether an address (no name) is one of the public internet, and whatever it stands for too."""
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
    """Return the addresses of a host. Raises OSError where it has none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def checked(host: str, port: int, allow_private: bool, look_up: Lookup = lookup) -> list[str]:
    """Return a host's addresses, all checked. Raises RefusedError where one is not allowed, or there is none."""
    try:
        found = await look_up(host, port)
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise RefusedError(f"the host {host} has no address")
    for address in found:
        if not allow_private and not is_public(address):
            raise RefusedError(
                f"{host} is at {address}, which is no public address; FORETICK_ALERTS_ALLOW_PRIVATE=true allows it"
            )
    return found
