"""Reads the ends of logs."""

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

POLL_S = 0.3


def tail(path: Path, lines: int) -> list[str]:
    """Return the last lines of a log."""
    with path.open(errors="replace") as file:
        return [line.rstrip("\n") for line in deque(file, maxlen=lines)]


def follow(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """Give each line that is added to any of the logs from now on, without end."""
    position = {path: path.stat().st_size for path in paths}
    while True:
        for path in paths:
            if path.exists():
                yield from ((path, line) for line in added(path, position))
        time.sleep(POLL_S)


def added(path: Path, position: dict[Path, int]) -> list[str]:
    """Return the whole lines since a position, and move it."""
    if path.stat().st_size < position[path]:
        position[path] = 0
    with path.open("rb") as file:
        file.seek(position[path])
        block = file.read()
    whole = block[: block.rfind(b"\n") + 1]
    position[path] += len(whole)
    return whole.decode("utf-8", "replace").splitlines()
