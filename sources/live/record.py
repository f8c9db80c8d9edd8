"""Records a venue's messages line by line, for a replay without the venue.

Each line is a JSON object: the first has the venue; ``{"market": ...}`` is ccxt's description of a market, before its
first message; ``{"time": ..., "url": ..., "message": ...}`` is a message as ccxt had read it, with its arrival (epoch
ms); and ``"unreadable"`` stands in place of ``"message"`` where it could not be read.
"""

import gzip
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from sources.errors import SourceError

FORMAT = "foretick-wire"
FLUSH_S = 1.0


class Recorder:
    """Appends lines to a file; a file that has a head already is gone on with."""

    def __init__(self, path: Path, venue: str, version: str) -> None:
        try:
            self._file = path.open("ab")
        except OSError as error:
            raise SourceError(f"--record {path}: {error.strerror}") from error
        self._flushed = 0.0
        self._write({"format": FORMAT, "venue": venue, "ccxt": version})

    def market(self, market: Mapping[str, Any]) -> None:
        """Keep what is needed to read a symbol's messages."""
        self._write({"market": market})

    def message(self, url: str, message: Any) -> None:
        """Keep a message."""
        self._write({"time": int(time.time() * 1_000), "url": url, "message": message})

    def unreadable(self, url: str, raw: bytes) -> None:
        """Keep what could not be read, as text."""
        self._write({"time": int(time.time() * 1_000), "url": url, "unreadable": raw.decode(errors="replace")})

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(msgspec.json.encode(line, enc_hook=str) + b"\n")
        if time.monotonic() - self._flushed > FLUSH_S:
            self._file.flush()
            self._flushed = time.monotonic()

    def close(self) -> None:
        """Write all down."""
        self._file.close()


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a recording (also gzipped); a last one that was cut off is left out.

    Raises SourceError if the file is no recording.
    """
    opener: Any = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            for number, text in enumerate(file, 1):
                try:
                    line = msgspec.json.decode(text, type=dict[str, Any])
                except msgspec.DecodeError as error:
                    if not text.endswith(b"\n"):
                        return
                    raise SourceError(f"{path}: line {number} is none of a recording: {error}") from error
                if number == 1 and line.get("format") != FORMAT:
                    raise SourceError(f"{path}: no recording: `foretick live VENUE SYMBOL --record FILE` makes one")
                yield line
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}") from error
