"""Sums over windows of the past of one symbol's squared returns, falls, neighbours' products and fourth powers.

The returns of the last bars are kept one by one, and older ones as sums over blocks: a week of returns would make a
state of megabytes, and what a bar costs is mostly reading and writing its state.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from features.compiled import compiled, compiled_and_kept
from features.frame import FeatureFrame, Floats, Ints
from models.ewma_volatility import Walk
from models.json_type import JSON
from models.volatility import realised_variance
from models.volatility.realised_variance import Squares
from topics.units import interval_ms

Flags = npt.NDArray[np.bool_]

SINGLE, WEEK = 240, 10_080
WINDOWS = (5, 30, SINGLE, 1_440, WEEK)
"""In bars, ascending. Those above `SINGLE` begin with a block, and so are up to a block shorter."""
BLOCK = 60
"""Bars in a block."""
BLOCKS = WEEK // BLOCK
SQUARE, FALL, PRODUCT, FOURTH = 0, 1, 2, 3
MEASURES = 4


class Measures(NamedTuple):
    """Of the last n bars for each window n, for m rows: each [m, W], NaN at the symbol's first bar.

    `bars` is how many returns there can be in the window: fewer than n where it reaches before the first bar. The
    others are sums: of squared log returns r^2, of those of falls, of |r(i) r(i-1)|, and of r^4.
    """

    bars: Floats
    squares: Floats
    falls: Floats
    products: Floats
    fourths: Floats


def initial() -> JSON:
    """Return the initial state of a symbol."""
    return {
        **realised_variance.initial(),
        "falls": [],
        "last": 0.0,
        "block": [-1] * BLOCKS,
        "sums": [[0.0] * MEASURES for _ in range(BLOCKS)],
    }


def step(state: JSON, frame: FeatureFrame, reach: int, walk: Walk) -> tuple[JSON, Squares, Measures]:
    """Return the squares as `realised_variance.step` does, and the sums over `WINDOWS` for the frame's rows.

    `reach` is at least `SINGLE`. A wild return counts in the sums as it does in the squares.
    """
    variance, seen = realised_variance.step(state, frame, reach, walk)
    falls = np.concatenate([np.array(state["falls"], dtype=np.bool_), walk.returns < 0.0])
    block, sums = np.array(state["block"], dtype=np.int64), np.array(state["sums"], dtype=np.float64)
    old, bar = len(seen.times) - len(frame), interval_ms(frame.interval)
    windows = np.array(WINDOWS, dtype=np.int64)
    values, last = _measure(
        seen.times,
        seen.squares.copy(),
        seen.until,
        seen.after.copy(),
        falls,
        block,
        sums,
        old,
        variance["begin"],
        windows,
        bar,
        reach,
        state["last"],
    )
    kept = len(variance["times"])
    new = {"falls": falls[len(falls) - kept :].tolist(), "last": last, "block": block.tolist(), "sums": sums.tolist()}
    return variance | new, seen, Measures(*np.moveaxis(values, 1, 0))


@compiled_and_kept
def _measure(  # noqa: PLR0913 - numba takes arrays and numbers, not records
    times: Ints,
    squares: Floats,
    until: Ints,
    after: Floats,
    falls: Flags,
    block: Ints,
    sums: Floats,
    old: int,
    begin: int,
    windows: Ints,
    bar: int,
    reach: int,
    last: float,
) -> tuple[Floats, float]:
    """Return the number of bars and the sums [n, 1 + MEASURES, W], and the square of the last return that went.

    `block` [B] and `sums` [B, MEASURES] are changed in place: the number of each block, and its sums.
    """
    values = np.full((len(times) - old, 1 + MEASURES, len(windows)), np.nan)
    gone, span, before, older = 0, BLOCK * bar, last, np.zeros(MEASURES)
    for row in range(old, len(times)):
        now = times[row]
        while times[gone] <= now - reach * bar:
            # What comes back or stays only later than this is not taken into the block.
            squares[gone] = squares[gone] if now < until[gone] else after[gone]
            after[gone] = squares[gone]
            which = times[gone] // span
            if block[which % BLOCKS] != which:
                block[which % BLOCKS] = which
                sums[which % BLOCKS] = 0.0
            _add(sums[which % BLOCKS], squares[gone], last, falls[gone])
            last = squares[gone]
            gone += 1
        if now == begin:
            continue
        total, place = np.zeros(MEASURES), row
        square = squares[row] if now < until[row] else after[row]
        for column in range(len(windows)):  # ascending
            first = now - windows[column] * bar
            older[:] = 0.0
            if windows[column] > SINGLE:
                first = (first // span + 1) * span - bar
                for which in range(BLOCKS):
                    if block[which] * span > first:
                        older += sums[which]
            while place >= gone and times[place] > first:
                neighbour = before
                if place > 0:
                    neighbour = squares[place - 1] if now < until[place - 1] else after[place - 1]
                _add(total, square, neighbour, falls[place])
                square = neighbour
                place -= 1
            values[row - old, 0, column] = min((now - first) / bar, (now - begin) / bar)
            values[row - old, 1:, column] = total + older
    return values, last


@compiled
def _add(total: Floats, square: float, neighbour: float, fall: bool) -> None:
    total[SQUARE] += square
    if fall:
        total[FALL] += square
    total[PRODUCT] += sqrt(square * neighbour)
    total[FOURTH] += square * square
