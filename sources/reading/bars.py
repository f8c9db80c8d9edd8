"""Files to bars of each symbol: whole, as training and evaluation read them, or block by block."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from features.frame import BarFrame
from sources.errors import SourceError
from sources.reading.input_files import check_files
from sources.reading.reader import open_files
from sources.reading.request import ReadRequest
from sources.tables.columns import Columns, concat, size, take
from sources.tables.layout import BAR_FIELDS

BLOCK_ROWS = 16_384
"""The most rows of a block: small enough that its memory is reused and not mapped again."""


def read_bars(
    files: Sequence[Path],
    interval: str,
    until: int | None = None,
    share: float | None = None,
    start: int | None = None,
) -> list[BarFrame]:
    """Return the bars of that interval in files, cleaned as for a replay: one frame a symbol.

    `start` is inclusive and `until` exclusive (epoch ms); `share` keeps the first part of the rows, all symbols cut at
    one time. Raises SourceError if a file cannot serve or nothing is left.
    """
    values: dict[str, list[Columns]] = defaultdict(list)
    others: set[str] = set()
    for symbol, rows in _parts(files, interval, ReadRequest(start=start, end=until), others):
        values[symbol].append(rows)
    frames = [_frame(symbol, interval, concat(parts)) for symbol, parts in values.items()]
    if share is not None and frames:
        end = int(np.quantile(np.concatenate([frame.time for frame in frames]), share))
        frames = [frame[: int(np.searchsorted(frame.time, end))] for frame in frames]
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        raise SourceError(_nothing(interval, others))
    return frames


def bar_blocks(
    files: Sequence[Path],
    interval: str,
    request: ReadRequest,
    on_rows: Callable[[int, int | None], None] = lambda *_: None,
) -> Iterator[BarFrame]:
    """Yield the same bars in frames of one symbol and at most `BLOCK_ROWS`, each symbol's in time order.

    `on_rows` gets the number of rows read so far, and the total once that is known. Raises SourceError as
    `read_bars` does.
    """
    waiting: dict[str, list[Columns]] = defaultdict(list)
    others: set[str] = set()
    any_bars = False
    for symbol, rows in _parts(files, interval, request, others, on_rows):
        any_bars = True
        waiting[symbol].append(rows)
        held = sum(map(size, waiting[symbol]))
        if held >= BLOCK_ROWS:
            columns = concat(waiting[symbol])
            end = held - held % BLOCK_ROWS
            waiting[symbol] = [take(columns, slice(end, None))]
            for first in range(0, end, BLOCK_ROWS):
                yield _frame(symbol, interval, take(columns, slice(first, first + BLOCK_ROWS)))
    if not any_bars:
        raise SourceError(_nothing(interval, others))
    for symbol, parts in waiting.items():
        if any(map(size, parts)):
            yield _frame(symbol, interval, concat(parts))


def _parts(
    files: Sequence[Path],
    interval: str,
    request: ReadRequest,
    others: set[str],
    on_rows: Callable[[int, int | None], None] = lambda *_: None,
) -> Iterator[tuple[str, Columns]]:
    """Yield cleaned rows of bars of that interval with their symbol; `others` collects what else the files hold."""
    check_files(files)
    with tempfile.TemporaryDirectory(prefix="foretick-read-") as scratch:
        reader = open_files(files, request, Path(scratch), lambda rows: on_rows(rows, None))
        for part in reader.parts(Path(scratch)):
            on_rows(reader.counts.rows, reader.rows)
            for number, rows in part.rows.items():
                series = reader.registry.series[number]
                if not size(rows):
                    continue
                if series.kind == "bar" and series.interval == interval:
                    yield series.symbol, rows
                else:
                    others.add(f"{series.interval} bars" if series.kind == "bar" else "trades")


def _nothing(interval: str, others: set[str]) -> str:
    also = f"; the files hold {', '.join(sorted(others))}" if others else ""
    return f"no {interval} bars there{also}: give other files, --interval or other times"


def _frame(symbol: str, interval: str, rows: Columns) -> BarFrame:
    columns = {name: rows[name].astype(np.float64) for name in BAR_FIELDS}
    return BarFrame.build(symbol, interval, rows["time"].astype(np.int64), rows["gap"].astype(np.int64), **columns)
