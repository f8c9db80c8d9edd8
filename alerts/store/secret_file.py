"""The subscribers' addresses and keys, in a file that only its owner can read: ``<home>/alerts.secrets``.

Not in the database: users who may read alerts there, or have a copy of it, should not be able to write to a team's
chat. Both the command and the worker need the file, so both run on the machine, or share the folder.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from settings.home import private

FILE = "alerts.secrets"


class Secret(Struct, frozen=True, omit_defaults=True):
    """Where a subscriber's messages go; `key` signs them."""

    url: str
    key: str | None = None

    def __repr__(self) -> str:
        """Show no content, since a traceback may print this."""
        return "Secret(…)"


def read(home: Path) -> dict[str, Secret]:
    """Return the secrets by subscriber. Raises ValueError, which quotes nothing, if the file cannot be read."""
    path = home / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Secret])
    except FileNotFoundError:
        return {}
    except msgspec.MsgspecError:
        raise ValueError(f"{path} is damaged: subscribe again, or replace it with a copy") from None


def put(home: Path, name: str, secret: Secret | None) -> None:
    """Store a subscriber's secret, or with None remove it."""
    private(home)
    with _alone(home):
        known = read(home)
        known.pop(name, None)
        if secret is not None:
            known[name] = secret
        new = (home / FILE).with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(known), indent=1))
            file.flush()
            os.fsync(file.fileno())
        new.replace(home / FILE)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    with (home / f"{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
