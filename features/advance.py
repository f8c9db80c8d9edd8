"""The compiled fold over any number of rows, in blocks."""

from itertools import pairwise

import numpy as np

from features import fold
from features.frame import BarFrame, Floats, Ints
from features.table import LONGEST_GAP

BLOCK = 2_048
"""The most rows in one compiled call, chosen so that its data fit into the processor's cache."""


def rows_of(frame: BarFrame) -> Floats:
    """Return the rows [ROWS, n] that the compiled fold takes, C-contiguous."""
    return np.ascontiguousarray(frame.numbers[: fold.ROWS])


def advance(buffer: Floats, rows: Floats, interval: float, fitted: Floats, out: Floats) -> Floats:
    """Fill out [F, n] (C-contiguous) with the features of rows [ROWS, n], and return the new buffer.

    After a gap of more than `LONGEST_GAP` intervals (ms; NaN for bars that are not cut by time, of which none is
    missing) the state except the last time is reset, and the indicators warm up again.
    """
    if rows.shape[1] == 1:  # live: the lines below would take as long as the indicators
        return fold.fold(buffer, rows, interval, fitted, out, 0)
    for first, end in spans(rows[-1], buffer[fold.LAST_TIME], interval):
        buffer = fold.fold(buffer, np.ascontiguousarray(rows[:, first:end]), interval, fitted, out, first)
    return buffer


def spans(time: Floats, last_time: float, interval: float) -> list[tuple[int, int]]:
    """Return the rows in blocks (first, end). A new block begins after every long gap, where the fold is reset."""
    anew = long_gaps(time, last_time, interval)
    return list(pairwise(sorted({*range(0, len(time), BLOCK), *anew, len(time)})))


def long_gaps(time: Floats, last_time: float, interval: float) -> list[int]:
    """Return the rows that follow a gap of more than `LONGEST_GAP` intervals."""
    return np.flatnonzero(_steps(time, last_time) > (LONGEST_GAP + 1) * interval).tolist()


def new_rows(frame: BarFrame, last_time: int) -> BarFrame:
    """Return the rows that are later than all before them, and than `last_time`."""
    if len(frame) == 1:
        return frame if frame.time[0] > last_time else frame[:0]
    if len(frame) == 0 or _steps(frame.time, last_time).min() > 0:
        return frame
    newest = np.maximum.accumulate(np.concatenate(([last_time], frame.time)))[:-1]
    return frame[frame.time > newest]


def _steps(time: Floats | Ints, last_time: float) -> Floats | Ints:
    """Return how much later each time is than the one before it, the first than `last_time`."""
    steps = np.empty_like(time)
    steps[0] = time[0] - last_time
    np.subtract(time[1:], time[:-1], out=steps[1:])
    return steps
