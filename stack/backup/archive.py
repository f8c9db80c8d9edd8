"""The file of a backup: a ZIP whose members are written and read as streams, each with a hash in the manifest."""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Self

import msgspec

from stack.backup.manifest import FILE, FORMAT, MOST_BYTES, BackupError, Manifest, Member

LEVEL = 3
"""Of compression: higher ones take long and gain little with binary numbers."""
BLOCK = 1 << 20
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
"""What a damaged file raises while it is read."""


class Hashed:
    """A member that is being written or read: counts and hashes what passes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash, self.size = file, hashlib.sha256(), 0

    def write(self, data: bytes | memoryview) -> None:
        """Write a part."""
        self._file.write(data)
        self._count(data)

    def blocks(self) -> Iterator[bytes]:
        """Yield the parts."""
        while block := self._file.read(BLOCK):
            self._count(block)
            yield block

    def _count(self, data: bytes | memoryview) -> None:
        self._hash.update(data)
        self.size += len(data)

    @property
    def member(self) -> Member:
        """What has passed so far."""
        return Member(self._hash.hexdigest(), self.size)


class ArchiveWriter:
    """Writes a backup beside its place, and puts it there when it is whole; nobody else can read it."""

    def __init__(self, path: Path) -> None:
        if path.exists():
            raise BackupError(f"{path} exists already: name another file, or a folder, in which each backup has a name")
        self._path, self._part = path, path.with_name(f"{path.name}.part")
        self._file = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)
        self.members: dict[str, Member] = {}

    @contextmanager
    def member(self, name: str) -> Iterator[Hashed]:
        """Yield what a member is written to."""
        with self._zip.open(name, "w", force_zip64=True) as file:
            hashed = Hashed(file)
            yield hashed
        self.members[name] = hashed.member

    def finish(self, manifest: Manifest) -> None:
        """Add the manifest, and put the file in its place."""
        self._zip.writestr(FILE, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._part.replace(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError, ValueError):  # of what is not whole there is no use
            self._zip.close()
        self._file.close()
        self._part.unlink(missing_ok=True)


class ArchiveReader:
    """Reads a backup. Each method raises BackupError where the file is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            info = self._zip.getinfo(FILE)
            if info.file_size > MOST_BYTES:
                raise BackupError(f"{path} is no backup: its {FILE} is too large")
            self._text = self._zip.read(info)
        except KeyError:
            raise BackupError(f"{path} is no backup: it has no {FILE}") from None
        except UNREADABLE as error:
            raise self._damaged(str(error)) from None
        self.manifest = self._manifest()

    def _manifest(self) -> Manifest:
        try:
            known = msgspec.json.decode(self._text, type=dict[str, msgspec.Raw]).get("format")
            number = None if known is None else msgspec.json.decode(known, type=int)
            if number == FORMAT:
                return msgspec.json.decode(self._text, type=Manifest)
        except msgspec.MsgspecError as error:
            raise BackupError(f"{self.path} is no backup: its {FILE} cannot be read ({error})") from None
        raise BackupError(f"{self.path} is a backup of format {number}, and this version reads {FORMAT}: use another")

    def check(self) -> None:
        """Read every member, and compare it with the manifest."""
        listed, there = self.manifest.members.keys(), set(self._zip.namelist()) - {FILE}
        for name in sorted(listed ^ there):
            raise self._damaged(f"{name} is {'missing' if name in listed else 'not in its manifest'}")
        for name in listed:
            parts = PurePosixPath(name)
            if parts.is_absolute() or ".." in parts.parts or parts.as_posix() != name:
                raise self._damaged(f"{name!r} is no name of a member")
            for _ in self.blocks(name):
                pass

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield the parts of a member; raise BackupError at its end if it is not the one of the manifest."""
        wanted = self.manifest.members[name]
        try:
            with self._zip.open(name) as file:
                hashed = Hashed(file)
                for block in hashed.blocks():
                    if hashed.size > wanted.size:
                        break
                    yield block
        except UNREADABLE as error:
            raise self._damaged(f"{name}: {error}") from None
        if hashed.member != wanted:
            raise self._damaged(f"{name} is not what was backed up")

    def _damaged(self, why: str) -> BackupError:
        return BackupError(f"{self.path} is damaged ({why}): restore another backup")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._zip.close()
