"""The home: nobody else reads what is in it, whatever its files allow."""

import os
import stat
from contextlib import suppress
from pathlib import Path


def private(home: Path) -> None:
    """Make the home where there is none, and close it to everybody else. Raises OSError where it is another user's.

    A group that root gave the home to still passes through it, without seeing what lies in it: PostgreSQL's, which
    refuses to run as root and has its folder there (`stack/postgres.py`).
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = home.stat()
    given = os.geteuid() == 0 and found.st_gid not in (0, os.getegid())
    wanted = 0o710 if given and found.st_mode & 0o010 else 0o700
    if stat.S_IMODE(found.st_mode) != wanted:
        home.chmod(wanted)


def tighten(folder: Path) -> None:
    """Take from everybody else what they may do with the files and folders in a folder: those of ours, by no link."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # of another command, which has just removed it
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISLNK(found.st_mode) or found.st_uid != os.geteuid():
                    continue
                if found.st_mode & 0o077:
                    Path(entry).chmod(stat.S_IMODE(found.st_mode) & ~0o077)
                if stat.S_ISDIR(found.st_mode):
                    tighten(Path(entry))
