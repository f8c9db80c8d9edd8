"""The password in a request's Authorization header, for our servers that ask for one."""

import base64
import binascii

USER = "foretick"
"""The user of each of them: one password opens a server."""
DASHBOARD_PASSWORD = "dashboard.password"  # noqa: S105 - the file's name


def given(header: str) -> bytes:
    """Return the password in an Authorization header, Basic (of our user) or Bearer; b"" if there is none.

    >>> given("Bearer abc"), given("Basic Zm9yZXRpY2s6YWJj"), given("Basic bWU6YWJj"), given("Basic ?"), given("")
    (b'abc', b'abc', b'', b'', b'')
    """
    scheme, _, text = header.partition(" ")
    if scheme.lower() == "bearer":
        return text.strip().encode()
    if scheme.lower() != "basic":
        return b""
    try:
        user, _, password = base64.b64decode(text, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return b""
    return password if user == USER.encode() else b""
