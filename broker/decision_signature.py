"""Signs and verifies decisions on the topic `models`, so that workers accept only the ledger's. The signature is an
HMAC-SHA256 of the record's bytes, with a key in <home>/decisions.key.

Every machine that decides or predicts has the same file. Workers do not check with the database, since they continue
without it.
"""

import hmac
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

HEADER = "foretick-signature"


def key_of(home: Path) -> bytes:
    """Return the key of this home; create it, readable by its owner alone, the first time. Concurrent calls get the
    same one."""
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
    """Return whether a record was signed with the key."""
    _, wanted = signed(key, value or b"")
    return any(name == HEADER and hmac.compare_digest(bytes(results or b""), wanted) for name, results in headers)
