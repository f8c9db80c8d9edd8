"""Passwords of our own servers: created once, stored in a file that only the owner can read."""

import os
import secrets
from pathlib import Path


def password(path: Path) -> str:
    """Return the password in a file; create it atomically the first time. URL-safe characters only."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex(24))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    return path.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Write a file atomically that only its owner can read."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
