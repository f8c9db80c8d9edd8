"""Tokens, stored as hashes in a file that only the owner can read. A file and not a table, since streams need no
database, a revocation takes effect at once, and readers of the database learn nothing about tokens. A token is 256
random bits, so that one round of SHA-256 is enough.
"""

import fcntl
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from settings.home import private

Scope = Literal["read", "stream", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
FILE, LOCAL_FILE = "tokens.json", "api.token"
LOCAL: str = "local"
LOCAL_SCOPES: tuple[Scope, ...] = ("read", "stream")
"""The token of programs on this machine, which this user's programs read from a file."""


class Token(Struct, frozen=True, kw_only=True):
    """A token's properties, without its text. `created` is in seconds since 1970."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created: int
    sha256: str


class TokenError(ValueError):
    """A token cannot be created or revoked. The message is one line."""


class TakenError(TokenError):
    """A name that another token has."""


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only the owner reads; atomically for readers."""
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    new.replace(path)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Tokens:
    """The tokens of a home. Several processes may change them at once."""

    def __init__(self, home: Path) -> None:
        self._home, self._path = home, home / FILE
        self._read_at: tuple[int, int] | None = None
        self._by_id: dict[str, Token] = {}

    def all(self) -> list[Token]:
        """Return every token, the oldest first. Raises TokenError if the file cannot be read."""
        try:
            results = self._path.stat()
        except FileNotFoundError:
            self._read_at, self._by_id = None, {}
            return []
        if (results.st_mtime_ns, results.st_ino) != self._read_at:
            try:
                read = msgspec.json.decode(self._path.read_bytes(), type=list[Token])
            except msgspec.MsgspecError as error:
                raise TokenError(f"{self._path} cannot be read ({error}); remove it, and make new tokens") from None
            self._by_id = {token.id: token for token in read}
            self._read_at = results.st_mtime_ns, results.st_ino
        return list(self._by_id.values())

    def find(self, text: str) -> Token | None:
        """Return the properties of a client's token, None if it is unknown."""
        self.all()
        parts = text.split("_")
        token = self._by_id.get(parts[1]) if len(parts) == 3 else None
        return token if token is not None and hmac.compare_digest(token.sha256, _hash(text)) else None

    def create(self, name: str, scopes: tuple[Scope, ...]) -> tuple[str, Token]:
        """Return a new token's text, which is not stored, and its properties.

        Raises TokenError if the name is taken, empty or this machine's own, or no scope is given.
        """
        if name == LOCAL:
            raise TokenError(f"the name {LOCAL!r} is that of this machine's own token; choose another")
        if not name or len(name) > 100 or not name.isprintable():
            raise TokenError("a token needs a name of 1 to 100 printable characters")
        if not scopes:
            raise TokenError(f"a token needs a scope: {', '.join(SCOPES)}")
        return self._make(name, scopes)

    def _make(self, name: str, scopes: tuple[Scope, ...]) -> tuple[str, Token]:
        with self._changing() as tokens:
            if any(token.name == name for token in tokens):
                raise TakenError(f"there is a token {name!r} already; revoke it first, or choose another name")
            identity = secrets.token_hex(4)
            text = f"foretick_{identity}_{secrets.token_hex(32)}"
            unique = tuple(scope for scope in SCOPES if scope in scopes)
            token = Token(id=identity, name=name, scopes=unique, created=int(time.time()), sha256=_hash(text))
            tokens.append(token)
        return text, token

    def revoke(self, name: str) -> Token:
        """Remove the token of that name or id and return it. Raises TokenError if there is none."""
        with self._changing() as tokens:
            for token in tokens:
                if name in (token.name, token.id):
                    tokens.remove(token)
                    return token
            names = ", ".join(token.name for token in tokens) or "none"
            raise TokenError(f"there is no token {name!r}; there are: {names}")

    def local(self) -> Path:
        """Return the file with the token of this machine's programs; create both if there is no valid one."""
        path = self._home / LOCAL_FILE
        if not path.exists() or self.find(path.read_text().strip()) is None:
            if any(token.name == LOCAL for token in self.all()):
                self.revoke(LOCAL)
            text, _ = self._make(LOCAL, LOCAL_SCOPES)
            write_secret(path, f"{text}\n".encode())
        return path

    @contextmanager
    def _changing(self) -> Iterator[list[Token]]:
        """Yield the tokens for changes, and write them, one process at a time."""
        private(self._home)
        with (self._home / "tokens.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._read_at = None
            tokens = self.all()
            yield tokens
            write_secret(self._path, msgspec.json.format(msgspec.json.encode(tokens), indent=1))
