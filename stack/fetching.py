"""Prints the progress of the installation of Python packages, without a terminal.

`python -P stack/fetching.py SIZE VENV UV COMMAND…` runs the command and prints on standard error every few seconds how
much of SIZE has arrived: as in requirements/sizes, "?" where it is unknown. It needs no packages.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

EVERY_S = 5.0
LEAST = 0.01
"""The share of the missing bytes that must have arrived before the rate is meaningful."""
_UNITS = {"MB": 1e6, "GB": 1e9}


def size_of(text: str) -> float | None:
    """Parse a size to bytes; None for "?".

    >>> size_of("1.2 GB")
    1200000000.0
    """
    number, _, unit = text.partition(" ")
    return None if text == "?" else float(number) * _UNITS[unit]


def line(done: float, new: float, total: float | None, passed: float) -> str:
    """Return a line of progress: `done`, of it `new`, and `total` in bytes, `passed` in seconds; the rate is that of
    `new`.

    >>> line(4e8, 3e8, 1.2e9, 30.0)
    'packages: 400 MB of 1.2 GB after 30 s, about 80 s left'
    >>> line(3e8, 3e8, None, 20.0)
    'packages: 300 MB after 20 s'
    >>> line(3e6, 3e6, 1.2e9, 5.0)
    'packages: 3 MB of 1.2 GB after 5 s'
    >>> line(0, 0, 1.2e9, 5.0)
    'packages: 0 MB of 1.2 GB after 5 s, nothing has come yet'
    """
    of = "" if total is None else f" of {_shown(total)}"
    text = f"packages: {_shown(done)}{of} after {passed:.0f} s"
    if new <= 0:
        return f"{text}, nothing has come yet"
    if total is None or new < LEAST * (total - done):
        return text
    return text + _left((total - done) * passed / new)


def _left(seconds: float) -> str:
    return f", about {seconds:.0f} s left" if seconds > 0 else ", nearly all"


def _shown(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= _UNITS["GB"] else f"{size / 1e6:.0f} MB"


def run(command: Sequence[str], total: float | None, folders: "Folders", say: Callable[[str], None]) -> int:
    """Run a command, print its progress, and return its exit status."""
    begun = time.monotonic()
    with subprocess.Popen(command) as process:  # noqa: S603 - uv, which ./foretick has found
        while True:
            try:
                return process.wait(EVERY_S)
            except subprocess.TimeoutExpired:
                done = folders.done()
                say(line(done, done - folders.before, total, time.monotonic() - begun))


class Folders:
    """uv's cache, where packages are fetched and unpacked, and the environment, into which they are then linked."""

    def __init__(self, cache: Path, environment: Path) -> None:
        self._cache, self._environment = cache, environment
        self._known = {path.name for path in self._unpacked()}
        self.before = _bytes(environment)

    def done(self) -> int:
        """Return the present bytes: old and new ones in the cache, or the environment if larger."""
        fetched = sum(_bytes(path) for path in self._unpacked() if path.name not in self._known)
        return max(self.before + fetched, _bytes(self._environment))

    def _unpacked(self) -> Iterator[Path]:
        yield from self._cache.glob(".tmp*")
        yield from self._cache.glob("archive-v*/*")


def _bytes(folder: Path) -> int:
    """Return the size of the files in a folder, some of which may be renamed meanwhile."""
    result = 0
    for parent, _, files in os.walk(folder):
        for name in files if not parent.endswith("__pycache__") else ():
            try:
                result += (Path(parent) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return result


def main() -> int:
    """Run the command of the arguments."""
    size, environment, uv, *command = sys.argv[1:]
    cache = subprocess.run([uv, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - uv, which ./foretick has found
    folders = Folders(Path(cache), Path(environment))

    def say(text: str) -> None:
        sys.stderr.write(f"foretick: {text}\n")

    try:
        return run([uv, *command], size_of(size), folders, say)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
