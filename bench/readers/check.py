"""Reads a file as a replay does, and looks whether what comes of it can be."""

import re
import tempfile
from pathlib import Path

from sources.errors import SourceError
from sources.reading.counts import Counts
from sources.reading.reader import open_files
from sources.reading.request import ReadRequest
from sources.replay.frames import cut, records
from topics.limits import EARLIEST
from topics.records import Bar, Tick
from topics.units import interval_ms

_VALUES = re.compile(r"[0-9]+|'.*'")


class ImpossibleError(AssertionError):
    """Something was accepted, or said, that cannot be."""


def read(path: Path, request: ReadRequest | None = None) -> str:
    """Return in words what came of a file, read as is wished.

    Raises ImpossibleError, or whatever a reader raises but SourceError.
    """
    with tempfile.TemporaryDirectory(prefix="foretick-readers-") as folder:
        scratch = Path(folder)
        try:
            reader = open_files([path], request or ReadRequest(), scratch)
            sent = 0
            for part in reader.parts(scratch):
                for frame in cut(part.rows, dict.fromkeys(part.rows, 0), 500):
                    for record in records(reader.registry.series[frame.series], frame.rows):
                        _check(record)
                        sent += 1
        except SourceError as error:
            if "\n" in str(error) or not str(error):
                raise ImpossibleError(f"the message is not one line: {error!r}") from error
            return f"refused: {_VALUES.sub('#', str(error).partition(': ')[2])[:60]}"
    _account(reader.counts, sent)
    return f"{','.join(sorted({file.source.name for file in reader.files}))}: {','.join(sorted(reader.counts.refused))}"


def _check(record: Bar | Tick) -> None:
    """Raise where a record has what its own type let through and nobody can mean."""
    if not EARLIEST <= record.time < 4_102_444_800_000:
        raise ImpossibleError(f"a time that cannot be: {record}")
    if isinstance(record, Bar):
        volume = record.volume
        if record.time % interval_ms(record.interval):
            raise ImpossibleError(f"beside its interval: {record}")
        if volume is not None and record.buy_volume is not None and record.buy_volume > volume * 1.0001:
            raise ImpossibleError(f"more bought than traded: {record}")


def _account(counts: Counts, sent: int) -> None:
    """Raise where a row is not accounted for."""
    done = counts.bars + counts.ticks + counts.duplicates + counts.impossible + counts.empty
    done += counts.unfinished + counts.outside
    if counts.rows != done or sent != counts.bars + counts.ticks:
        raise ImpossibleError(f"{counts.rows} rows, {done} accounted for, {sent} sent")
    if sum(refused.rows for refused in counts.refused.values()) != counts.impossible:
        raise ImpossibleError("the reasons do not add up to the impossible rows")
