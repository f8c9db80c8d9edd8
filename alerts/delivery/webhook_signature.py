"""Signs webhooks as in Standard Webhooks: a receiver can use any of its libraries, or the function below.

Three headers: ``webhook-id`` (the same when a message is repeated: act on it once), ``webhook-timestamp`` (seconds
since 1970) and ``webhook-signature``: ``v1,`` and the base64 of HMAC-SHA256, with the key after ``whsec_`` (base64),
of ``id.timestamp.body``; several are separated by spaces. A receiver refuses messages older than its replay window.
Source: https://www.standardwebhooks.com, "Signature scheme".
"""

import secrets
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest, digest

PREFIX, VERSION = "whsec_", "v1"
WINDOW_S = 300


def new_key() -> str:
    """Return a new key, ``whsec_`` and 32 random bytes."""
    return PREFIX + b64encode(secrets.token_bytes(32)).decode()


def _signature(key: str, message_id: str, timestamp: int, body: bytes) -> str:
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return f"{VERSION},{b64encode(digest(b64decode(key.removeprefix(PREFIX)), signed, sha256)).decode()}"


def headers(key: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers that sign a body at a time (seconds since 1970)."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": _signature(key, message_id, timestamp, body),
    }


def verify(key: str, values: Mapping[str, str], body: bytes, now: float, window_s: float = WINDOW_S) -> str:
    """Return the id of a message that was signed with the key within the window before now (or a skewed clock's after).

    Raises ValueError if it was not. `values` are the request's headers, names in small letters.
    """
    try:
        message_id, timestamp = values["webhook-id"], int(values["webhook-timestamp"])
        wanted = _signature(key, message_id, timestamp, body)
        given = values["webhook-signature"].split(" ")
    except (KeyError, ValueError, Error):
        raise ValueError("the request is not signed") from None
    if abs(now - timestamp) > window_s:
        raise ValueError(f"the request was signed more than {window_s:.0f} s ago, or ahead")
    if not any(compare_digest(wanted.encode(), one.encode()) for one in given):
        raise ValueError("the signature is not of this key and body")
    return message_id
