"""Checks that a request comes from our own page, not from another site's page in a browser on this machine."""

from collections.abc import Iterable
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def is_ours(host: str, hosts: Iterable[str]) -> bool:
    """Return whether a `Host` header names this machine, at any port, or one of `hosts` (``name`` or ``name:port``).

    A foreign name that resolves to this machine (DNS rebinding) does not.
    """
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return name.lower() in LOOPBACK or not {host.lower(), name.lower()}.isdisjoint(map(str.lower, hosts))


def is_same(origin: str | None, host: str) -> bool:
    """Return whether an `Origin` header, if there is one, has the request's own host (and port)."""
    return origin is None or urlsplit(origin).netloc.lower() == host.lower()
