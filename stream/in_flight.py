"""Marks the records that are being folded in a file that outlives the process, so that records which kill it can be
found. Each partition has a page of a memory-mapped file: a mark costs a copy of 32 bytes and no system call, and the
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
    """The offsets that were being folded when the process died, and how often in a row it did."""

    crashes: int
    first: int
    last: int


class Note:
    """The marker of one partition. When opened, it has the content that the previous process left."""

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
        """Mark these offsets as being folded."""
        suspect = self.suspect
        known = suspect is not None and first <= suspect.last and last >= suspect.first
        LAYOUT.pack_into(self._page, 0, suspect.crashes if suspect is not None and known else 0, first, last, 1)

    def end(self, last: int) -> None:
        """Mark all up to that offset as folded."""
        if self.suspect is not None and last >= self.suspect.last:
            self.suspect = None
        if self.suspect is None:
            LAYOUT.pack_into(self._page, 0, 0, 0, 0, 0)
        else:
            LAYOUT.pack_into(self._page, 0, self.suspect.crashes, self.suspect.first, self.suspect.last, 0)


class Notes:
    """The markers of an agent, one per partition, in a folder; none if there is no folder, or it cannot be written."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._notes: dict[int, Note | None] = {}

    def of(self, partition: int) -> Note | None:
        """Return the marker of a partition."""
        if partition not in self._notes:
            self._notes[partition] = self._open(partition)
        return self._notes[partition]

    def _open(self, partition: int) -> Note | None:
        if self._folder is None:
            return None
        try:
            return Note(self._folder / str(partition))
        except OSError as error:
            log.warning("crash markers cannot be written: %s", error)
            return None
