"""Whether a failure is for want of room on the disk, and where."""

import errno
import shutil
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT)
LITTLE = 8 * 2**20
"""Bytes with which nothing of the stack starts."""


def lacking(home: Path, error: BaseException | None = None) -> str:
    """Return which folder of a stack has no room, "" where each has, and the error, if any, is of another kind."""
    for folder in (home, (home / "postgres").resolve()):
        try:
            free = shutil.disk_usage(folder).free
        except OSError:
            continue
        if free < LITTLE or (isinstance(error, OSError) and error.errno in FULL):
            return f"no room in {folder} ({free / 2**20:.1f} MiB free): make some, or set FORETICK_HOME elsewhere"
    return ""
