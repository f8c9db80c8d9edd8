"""What comes after the bundled sample: its first minutes again, with a rule planted that no model has seen."""

import csv
from pathlib import Path

import numpy as np

from features.frame import BarFrame, Floats
from settings import ROOT
from sources.reading.bars import read_bars

SAMPLE = sorted((ROOT / "sample").glob("*-1m.csv.gz"))
MINUTE_MS = 60_000
CARRIED = 0.8
"""What each return carries on of the one before; all together they vary as they did. A wilder market is unlike all
that came before within hours, and its training then has hardly seen it."""
COLUMNS = ("open", "high", "low", "close", "volume")


def continued(bars: int) -> list[BarFrame]:
    """Return so many bars that follow the sample's last, one frame a symbol."""
    return [_continued(frame, bars) for frame in read_bars(SAMPLE, "1m")]


def _continued(frame: BarFrame, bars: int) -> BarFrame:
    """Return the frame's first bars, moved behind its last: returns carry on, wicks stay beside bodies.

    A bar's high and low are as far from its body, in logarithms, as those of the bar that it is made of.
    """
    part = frame[:bars]
    real = np.diff(np.log(part.close), prepend=np.log(part.open[0]))
    returns, before = np.empty(bars), 0.0
    for row in range(bars):
        before = returns[row] = CARRIED * before + np.sqrt(1 - CARRIED**2) * real[row]
    close = frame.close[-1] * np.exp(np.cumsum(returns))
    opened = np.concatenate([frame.close[-1:], close[:-1]])
    high = np.maximum(opened, close) * (part.high / np.maximum(part.open, part.close))
    low = np.minimum(opened, close) * (part.low / np.minimum(part.open, part.close))
    time = frame.time[-1] + MINUTE_MS * np.arange(1, bars + 1)
    return BarFrame.build(
        frame.symbol, frame.interval, time, open=opened, high=high, low=low, close=close, volume=part.volume
    )


def written(frames: list[BarFrame], rows: slice, folder: Path) -> list[Path]:
    """Write those rows as the sample is written, a file for each symbol, and return the files."""
    folder.mkdir()
    return [_written(frame[rows], folder / f"{frame.symbol}-1m.csv") for frame in frames]


def _written(frame: BarFrame, path: Path) -> Path:
    columns: list[Floats] = [getattr(frame, name) for name in COLUMNS]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("time", *COLUMNS))
        writer.writerows(zip(frame.time.tolist(), *(column.tolist() for column in columns), strict=True))
    return path
