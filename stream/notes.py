"""Which records are being folded, noted where it outlives the process: so that what kills it can be found.

A page of a file a partition, mapped into memory: a note costs a copy of 32 bytes, with no call to the system, and the
kernel keeps it when the process is killed.
"""

import logging
import mmap
import os
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

log = logging.getLogger("foretick")

LAYOUT = Struct("<qqqq")  # crashes in a row, first and last offset, 1 while these are folded


@dataclass(frozen=True)
class Suspect:
    """The offsets in which a record lies during whose fold the process died, and how often in a row it did."""

    crashes: int
    first: int
    last: int


class Note:
    """The note of one partition. What it says when it is opened is what the process before left there."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            os.ftruncate(descriptor, mmap.PAGESIZE)
            self._page = mmap.mmap(descriptor, mmap.PAGESIZE)
        finally:
            os.close(descriptor)
        crashes, first, last, folding = LAYOUT.unpack_from(self._page)
        crashes += bool(folding)
        self.suspect = Suspect(crashes, first, last) if crashes else None
        self.end(-1)

    def begin(self, first: int, last: int) -> None:
        """Note that these offsets are folded now."""
        suspect = self.suspect
        known = suspect is not None and first <= suspect.last and last >= suspect.first
        LAYOUT.pack_into(self._page, 0, suspect.crashes if suspect is not None and known else 0, first, last, 1)

    def end(self, last: int) -> None:
        """Note that all up to that offset were folded."""
        if self.suspect is not None and last >= self.suspect.last:
            self.suspect = None
        if self.suspect is None:
            LAYOUT.pack_into(self._page, 0, 0, 0, 0, 0)
        else:
            LAYOUT.pack_into(self._page, 0, self.suspect.crashes, self.suspect.first, self.suspect.last, 0)


class Notes:
    """The notes of an agent, one a partition, in a folder; none where there is no folder, or it cannot be written."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._notes: dict[int, Note | None] = {}

    def of(self, partition: int) -> Note | None:
        """Return the note of a partition."""
        if partition not in self._notes:
            self._notes[partition] = self._open(partition)
        return self._notes[partition]

    def _open(self, partition: int) -> Note | None:
        if self._folder is None:
            return None
        try:
            return Note(self._folder / str(partition))
        except OSError as error:
            log.warning("what kills the process cannot be noted: %s", error)
            return None
