"""The files of a home that are backed up, and those with secrets, which go into a file of their own."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from alerts.store import secret_file
from stack.basic_auth import DASHBOARD_PASSWORD
from stack.mlflow_server import ARTIFACTS

FOLDERS = ("models", ARTIFACTS, "pipeline", "evaluation")
"""The folders whose files are backed up. Those of Kafka, PostgreSQL and Redis are not, nor what tells how far something
has come in Kafka's topics: `replay`, `live`, `faust`."""
SECRETS = (secret_file.FILE, "tokens.json", "api.token", "decisions.key", DASHBOARD_PASSWORD)
"""What other people and programs know or hold. The servers' passwords are made anew by `up`."""
OTHERS = ("uv", "environment.lock")
"""What ./foretick itself keeps in a home, and an empty one may have."""
PREFIX = "files/"


class Sink(Protocol):
    """What a file is copied to."""

    def write(self, data: bytes) -> object:
        """Take a part."""


def to_back_up(home: Path) -> Iterator[tuple[str, Path]]:
    """Yield the member's name and path of each file, in the order of names; links are not followed."""
    for folder in FOLDERS:
        for path in sorted(_below(home / folder)):
            yield f"{PREFIX}{path.relative_to(home).as_posix()}", path


def _below(folder: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(folder.resolve() if folder.is_symlink() else folder):
        folders.sort()
        for name in names:
            path = Path(at, name)
            if path.is_file() and not path.is_symlink() and not name.endswith((".new", ".lock")):
                yield folder / path.relative_to(folder.resolve()) if folder.is_symlink() else path


def secrets_of(home: Path) -> Iterator[tuple[str, Path]]:
    """Yield the same of the files with secrets."""
    for name in SECRETS:
        with suppress(FileNotFoundError):
            if (home / name).stat().st_size:
                yield f"{PREFIX}{name}", home / name


def is_ours(name: str) -> bool:
    """Return whether a member's name is that of a file which is backed up, with or without secrets."""
    first, _, rest = name.removeprefix(PREFIX).partition("/")
    return name.startswith(PREFIX) and (first in SECRETS if not rest else first in FOLDERS)


def taken(home: Path) -> str | None:
    """Return the name of something that keeps a home from being an empty one, None if nothing does."""
    try:
        return next((name for name in sorted(path.name for path in home.iterdir()) if name not in OTHERS), None)
    except FileNotFoundError:
        return None
