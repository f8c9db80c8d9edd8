"""Limits of what is unpacked: a zip bomb, or an archive that holds itself, must fill neither the disk nor the night."""

import io
from typing import Any

from sources.errors import SourceError

MOST_DEPTH = 3
"""Archives within each other: a zip of gzips is two."""
MOST_RATIO = 200
"""Unpacked bytes for each byte of the file: tables of prices have 3 to 20, and deflate can make 1,032."""
ALLOWED_BYTES = 100 << 20
"""Unpacked bytes that any file may have."""


def most_bytes(packed: int) -> int:
    """Return how many bytes a file of that size may become.

    >>> most_bytes(10), most_bytes(1 << 20)
    (104857600, 209715200)
    """
    return max(ALLOWED_BYTES, MOST_RATIO * packed)


def too_large(name: str, most: int) -> SourceError:
    """Return the error of a file that becomes larger."""
    return SourceError(
        f"{name}: unpacks to more than {most >> 20} MiB and {MOST_RATIO} times the file's size: unpack it yourself, if "
        "it is meant to be so large"
    )


class Unpacked(io.RawIOBase):
    """A stream of unpacked bytes, of which there may be so many."""

    def __init__(self, stream: Any, name: str, most: int) -> None:
        self._stream, self._name, self._most, self._read = stream, name, most, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read. Raises SourceError if there are more bytes than there may be."""
        left = self._most - self._read + 1
        block: bytes = self._stream.read(left if size < 0 else min(size, left))
        self._read += len(block)
        if self._read > self._most:
            raise too_large(self._name, self._most)
        return block
