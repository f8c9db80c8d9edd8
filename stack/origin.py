"""Whether a request comes from a page of our own: what any site can make a browser on this machine ask is not."""

from collections.abc import Iterable
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def is_ours(host: str, hosts: Iterable[str]) -> bool:
    """Return whether a `Host` header names this machine, at any port, or one of `hosts` (``name`` or ``name:port``).

    A name that somebody else's name server lets lead here (DNS rebinding) does not.
    """
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return name.lower() in LOOPBACK or not {host.lower(), name.lower()}.isdisjoint(map(str.lower, hosts))


def is_same(origin: str | None, host: str) -> bool:
    """Return whether an `Origin` header, where there is one, is that of the very host (and port) that is asked."""
    return origin is None or urlsplit(origin).netloc.lower() == host.lower()
