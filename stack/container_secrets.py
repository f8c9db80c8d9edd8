"""Passwords of docker-compose.yml's servers, made at its first start: `python -m stack.container_secrets FOLDER`.

Its service `secrets` runs this before the servers, and again at each start. Each file can be read by the one user who
needs it: a server that is broken into does not show the others' passwords.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_letters, digits, punctuation
from urllib.parse import quote

from settings.unknown_variables import PREFIX
from stack.basic_auth import USER
from stack.secret import password, write_private

SERVERS = ("database", "redis", "mlflow", "grafana")
ALLOWED = frozenset(ascii_letters + digits + punctuation)


@dataclass(frozen=True)
class Owners:
    """Users, by number, as other images' names mean nothing here: ours of docker/Dockerfile, and redis of Redis's."""

    foretick: int = 10001
    redis: int = 999


def write(folder: Path, environment: Mapping[str, str], owners: Owners) -> None:
    """Write the files; a password is random, and the same as before, unless FORETICK_<SERVER>_PASSWORD sets it.

    Raises ValueError for one that a server could not take, OSError if the folder cannot be written.
    """
    given = {server: environment.get(f"{PREFIX}{server.upper()}_PASSWORD", "") for server in SERVERS}
    for server, text in given.items():
        if not ALLOWED.issuperset(text):
            raise ValueError(f"{PREFIX}{server.upper()}_PASSWORD: letters, digits and signs of ASCII only, no spaces")
    passwords = {}
    for server, text in given.items():
        path = folder / f"{server}.password"
        if text:
            write_private(path, f"{text}\n")
        passwords[server] = password(path)
    (folder / "grafana.password").chmod(0o440)  # Grafana's image runs it as another user, of the group root
    inner = {server: quote(text, safe="") for server, text in passwords.items()}
    _give(folder / "database.url", f"postgresql://{USER}:{inner['database']}@database:5432/foretick", owners.foretick)
    _give(folder / "redis.url", f"redis://default:{inner['redis']}@redis:6379/0", owners.foretick)
    _give(folder / "mlflow.url", f"http://{USER}:{inner['mlflow']}@mlflow:5000", owners.foretick)
    _give(folder / "redis.conf", f"requirepass {_quoted(passwords['redis'])}", owners.redis)


def _quoted(text: str) -> str:
    """Return a word as Redis reads it from its file.

    >>> print(_quoted('a"b'))
    "a\\"b"
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _give(path: Path, text: str, owner: int) -> None:
    """Write a file that only its owner can read. It is the owner's before it has its name."""
    new = path.with_name(f"{path.name}.given")
    write_private(new, f"{text}\n")
    os.chown(new, owner, -1)
    new.replace(path)


def main() -> None:
    """Write the files with the environment's passwords."""
    parser = argparse.ArgumentParser(prog="python -m stack.container_secrets", description="Write the passwords.")
    parser.add_argument("folder", type=Path, help="where to")
    folder: Path = parser.parse_args().folder
    try:
        write(folder, os.environ, Owners())
    except ValueError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename or folder}: {error.strerror}")


if __name__ == "__main__":
    main()
