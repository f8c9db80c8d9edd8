"""What goes in: the sample's real minutes again, moved behind its last one, as files for `foretick replay`."""

import csv
from pathlib import Path

import numpy as np

from features.frame import BarFrame
from sources.reading.bars import read_bars
from stack.sample import FILES

MINUTE_MS = 60_000
PRICES = ("open", "high", "low", "close")


def written(minutes: int, folder: Path) -> list[Path]:
    """Write so many minutes of each symbol of the sample, a file a symbol. Raises ValueError if it has fewer."""
    return [_file(_moved(frame, minutes), folder) for frame in read_bars(FILES, "1m")]


def _moved(frame: BarFrame, minutes: int) -> BarFrame:
    """Return the frame's first bars as what follows its last: later, and at that level."""
    if minutes > len(frame.time):
        raise ValueError(f"the sample has {len(frame.time):,} minutes of {frame.symbol}, and {minutes:,} are asked for")
    part = frame[:minutes]
    level = float(frame.close[-1] / part.open[0])
    prices = {name: getattr(part, name) * level for name in PRICES}
    time = frame.time[-1] + MINUTE_MS * np.arange(1, minutes + 1)
    return BarFrame.build(frame.symbol, frame.interval, time, **prices, volume=part.volume)


def _file(frame: BarFrame, folder: Path) -> Path:
    path = folder / f"{frame.symbol}-{frame.interval}.csv"
    columns = ("time", *PRICES, "volume")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(getattr(frame, name).tolist() for name in columns), strict=True))
    return path
