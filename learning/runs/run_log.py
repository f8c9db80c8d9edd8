"""The messages of a run while it trains, in a file of its folder."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from settings.text import escaped

FILE = "log.txt"
TAIL_BYTES = 64_000


class LogLine(NamedTuple):
    """A message and its time (epoch ms)."""

    time: int
    words: str


def writing(folder: Path, on_message: Callable[[str], None]) -> Callable[[str], None]:
    """Return what appends a message to the file in `folder`, and passes it on; a full disk ends no training."""
    path = folder / FILE

    def told(words: str) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {escaped(words)}\n")
        except OSError:
            pass
        on_message(words)

    return told


def tail(folder: Path) -> list[LogLine]:
    """Return the last messages in the order in which they were written, none if there is no file."""
    try:
        with (folder / FILE).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    lines = text.splitlines()[1 if size > TAIL_BYTES else 0 :]  # the first may be cut
    return [line for line in map(_line, lines) if line is not None]


def _line(text: str) -> LogLine | None:
    time, _, words = text.partition(" ")
    try:
        return LogLine(int(datetime.fromisoformat(time).timestamp() * 1_000), words)
    except ValueError:
        return None
