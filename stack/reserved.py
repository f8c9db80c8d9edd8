"""Ports that a supervisor holds before its servers listen there: two that start at once take different ones."""

import fcntl
import os
import tempfile
from pathlib import Path

_held: dict[int, int] = {}
"""The open file behind each port that this process holds; the kernel gives it back when the process ends."""


def reserve(port: int) -> bool:
    """Hold a port until the process ends; tell whether no other process of this user holds it."""
    if port in _held:
        return True
    folder = Path(tempfile.gettempdir()) / f"foretick-ports-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        file = os.open(folder / str(port), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:
        return True  # a folder that cannot be written to must not keep the stack from starting
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    _held[port] = file
    return True
