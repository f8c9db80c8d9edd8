"""Reads the ends of logs."""

import json
import re
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

POLL_S = 0.3
LOOK_LINES = 2_000
_BAD = re.compile(r"\b(?:ERROR|CRITICAL|FATAL|PANIC)\b")
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Timeout)(?:: .*)?")


def tail(path: Path, lines: int) -> list[str]:
    """Return the last lines of a log."""
    with path.open(errors="replace") as file:
        return [line.rstrip("\n") for line in deque(file, maxlen=lines)]


def recent(path: Path, lines: int, most: int) -> list[str]:
    """Return the last lines of a log within its last `most` bytes, so that a large log takes no longer than a small."""
    with path.open("rb") as file:
        start = max(0, file.seek(0, 2) - most)
        file.seek(start)
        whole = file.read().decode(errors="replace").splitlines()
    return whole[1 if start else 0 :][-lines:]


def telling(path: Path) -> str | None:
    """Return the last line of a log with an error, None if there is none.

    That is a line of level ERROR or above, with the last line of its exception, or an exception's last line by itself;
    in logs of lines and of JSON objects.
    """
    if not path.exists():
        return None
    last: str | None = None
    headed = False  # the exception below belongs to the line found
    for line in tail(path, LOOK_LINES):
        text = _of_json(line) if line.startswith("{") else None
        if text is not None:
            last, headed = text, False
        elif _BAD.search(line[:80]):
            last, headed = line.strip(), True
        elif _EXCEPTION.fullmatch(line.strip()) and not line.startswith(" "):
            last, headed = f"{last}: {line.strip()}" if headed and last else line.strip(), False
    return last


def _of_json(line: str) -> str | None:
    """Return the error in a JSON line of a log, None if there is none."""
    try:
        reporter = json.loads(line)
    except ValueError:
        return None
    if not isinstance(reporter, dict) or str(reporter.get("level", "")).lower() not in ("error", "critical"):
        return None
    last = str(reporter.get("exception", "")).strip().rpartition("\n")[2]
    return " ".join(filter(None, (str(reporter.get("time", "")), str(reporter.get("event", "")), last)))


def follow(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """Yield each line that is added to any of the logs from now on, for ever."""
    position = {path: path.stat().st_size for path in paths}
    while True:
        for path in paths:
            if path.exists():
                yield from ((path, line) for line in added(path, position))
        time.sleep(POLL_S)


def added(path: Path, position: dict[Path, int]) -> list[str]:
    """Return the complete lines since a position, and advance it."""
    if path.stat().st_size < position[path]:
        position[path] = 0
    with path.open("rb") as file:
        file.seek(position[path])
        block = file.read()
    whole = block[: block.rfind(b"\n") + 1]
    position[path] += len(whole)
    return whole.decode("utf-8", "replace").splitlines()
