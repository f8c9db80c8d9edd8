"""The home folder, which other users cannot read, whatever the modes of its files."""

import os
import stat
from contextlib import suppress
from pathlib import Path


def private(home: Path) -> None:
    """Create the home if there is none, and remove all other users' rights. Raises OSError if it is another user's.

    A group that root gave the home to may still pass through it without listing it: that of PostgreSQL, which refuses
    to run as root and has its folder there (`stack/postgres.py`).
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    results = home.stat()
    given = os.geteuid() == 0 and results.st_gid not in (0, os.getegid())
    wanted = 0o710 if given and results.st_mode & 0o010 else 0o700
    if stat.S_IMODE(results.st_mode) != wanted:
        home.chmod(wanted)


def tighten(folder: Path) -> None:
    """Remove other users' rights on our own files and folders in a folder, without following links."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # removed meanwhile by another command
                results = entry.stat(follow_symlinks=False)
                if stat.S_ISLNK(results.st_mode) or results.st_uid != os.geteuid():
                    continue
                if results.st_mode & 0o077:
                    Path(entry).chmod(stat.S_IMODE(results.st_mode) & ~0o077)
                if stat.S_ISDIR(results.st_mode):
                    tighten(Path(entry))
