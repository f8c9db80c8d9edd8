"""Detects failures caused by a full disk, and where."""

import errno
import shutil
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT)
LITTLE = 8 * 2**20
"""Free bytes below which no component starts."""


def full_folder(home: Path, error: BaseException | None = None) -> str:
    """Return the message for a folder of a stack without free space, "" if there is none and the error, if any, is of
    another kind."""
    for folder in (home, (home / "postgres").resolve()):
        try:
            free = shutil.disk_usage(folder).free
        except OSError:
            continue
        if free < LITTLE or (isinstance(error, OSError) and error.errno in FULL):
            return (
                f"no space in {folder} ({free / 2**20:.1f} MiB free): free some, or set FORETICK_HOME to another folder"
            )
    return ""
