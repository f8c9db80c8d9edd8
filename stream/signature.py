"""Decisions on the topic `models` carry a signature: by it a worker tells the ledger's from anybody else's.

An HMAC-SHA256 of the record's bytes, with a key in <home>/decisions.key. Every machine that decides or predicts has the
same file. The database could be asked instead, but a worker goes on without it.
"""

import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

HEADER = "foretick-signature"


def key_of(home: Path) -> bytes:
    """Return the key of this home; make one, for its owner alone, the first time. Of two that make one, both get it."""
    path = home / "decisions.key"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return path.read_bytes().strip()


def signed(key: bytes, value: bytes) -> tuple[str, bytes]:
    """Return the header that signs a record's value."""
    return HEADER, hmac.digest(key, value, "sha256").hex().encode()


def is_signed(key: bytes, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> bool:
    """Tell whether who wrote a record had the key."""
    _, wanted = signed(key, value or b"")
    return any(name == HEADER and hmac.compare_digest(bytes(found or b""), wanted) for name, found in headers)
