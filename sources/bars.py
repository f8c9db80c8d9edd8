"""Files to the bars of each symbol, whole: what training and evaluation read."""

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from features.frame import BarFrame
from sources.columns import Columns, concat, size
from sources.errors import SourceError
from sources.layout import BAR_FIELDS
from sources.reader import Wish, open_files


def read_bars(
    files: Sequence[Path], interval: str, until: int | None = None, share: float | None = None
) -> list[BarFrame]:
    """Return the bars of that interval in files, cleaned as for a replay: one frame a symbol.

    `until` is exclusive (epoch ms); `share` keeps the first part of the rows, all symbols cut at one time. Raises
    SourceError where a file cannot serve or nothing is left.
    """
    found: dict[str, list[Columns]] = defaultdict(list)
    others: set[str] = set()
    missing = next((path for path in files if not path.is_file()), None)
    if missing is not None:
        raise SourceError(f"{missing}: no such file")
    with tempfile.TemporaryDirectory(prefix="foretick-read-") as scratch:
        reader = open_files(files, Wish(end=until), Path(scratch))
        for part in reader.parts(Path(scratch)):
            for number, rows in part.rows.items():
                series = reader.registry.series[number]
                if series.kind == "bar" and series.interval == interval:
                    found[series.symbol].append(rows)
                elif size(rows):
                    others.add(f"{series.interval} bars" if series.kind == "bar" else "trades")
    frames = [_frame(symbol, interval, concat(parts)) for symbol, parts in found.items()]
    if share is not None and frames:
        end = int(np.quantile(np.concatenate([frame.time for frame in frames]), share))
        frames = [frame[: int(np.searchsorted(frame.time, end))] for frame in frames]
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        also = f"; the files hold {', '.join(sorted(others))}" if others else ""
        raise SourceError(f"no {interval} bars to train on{also}: give other files, --interval or a later --until")
    return frames


def _frame(symbol: str, interval: str, rows: Columns) -> BarFrame:
    columns = {name: rows[name].astype(np.float64) for name in BAR_FIELDS}
    return BarFrame.build(symbol, interval, rows["time"].astype(np.int64), rows["gap"].astype(np.int64), **columns)
