"""What a column of values would have said had the bars ended earlier, or begun later.

A value that is another once later bars are known was computed from the future: a backtest with it is worthless. A value
that is another where the bars begin later depends on the length of the history: live it is not what it was in the
backtest, until it has settled. Both are seen by computing again, without looking at how a column is made.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from features.frame import BarFrame, Floats

Compute = Callable[[BarFrame], Floats]
"""Computes the columns [n, C] of n bars of one symbol."""

ENDS = 8
"""How often the bars are ended early."""
BEGINS = (0.125, 0.25, 0.5)
"""The shares of the bars that are left out at the beginning."""
COMPARED = 2_000
"""How many rows before each early end are compared."""
TOLERANCE = 1e-9
"""Differences up to so many standard deviations of the column are rounding."""
SETTLED = 1e-3
"""A column has settled once it differs by fewer standard deviations than this, for good."""


@dataclass(frozen=True, kw_only=True)
class Future:
    """A column whose values change when the bars end earlier; `rows` of `compared` do.

    `time` (epoch ms) is that of the largest difference, in standard deviations of the column; infinite where the value
    is known only once later bars are.
    """

    column: str
    rows: int
    compared: int
    time: int
    deviations: float


@dataclass(frozen=True, kw_only=True)
class Start:
    """A column whose values change when the bars begin later.

    `bars` after the later begin it has settled, None if not within the bars; `deviations` is its largest difference in
    the last tenth of the bars, in standard deviations of the column.
    """

    column: str
    bars: int | None
    deviations: float


def futures(compute: Compute, names: Sequence[str], bars: BarFrame, ends: int = ENDS) -> list[Future]:
    """Return the columns that use later bars, the largest difference first.

    Raises ValueError if there are too few bars to end them early.
    """
    if len(bars) <= ends:
        raise ValueError(f"{bars.symbol} has {len(bars)} bars: too few to be ended at {ends} places")
    whole = compute(bars)
    spreads = _spreads(whole)
    rows, compared = np.zeros(len(names), dtype=np.int64), 0
    largest, times = np.zeros(len(names)), np.zeros(len(names), dtype=np.int64)
    for end in np.linspace(0, len(bars), ends + 2, dtype=int)[1:-1].tolist():
        first = max(0, end - COMPARED)
        differences = _differences(whole[first:end], compute(bars[:end])[first:], spreads)
        rows += (differences > TOLERANCE).sum(axis=0)
        compared += end - first
        worst = differences.argmax(axis=0)
        here = differences[worst, np.arange(len(names))]
        times[here > largest] = bars.time[first + worst[here > largest]]
        largest = np.maximum(largest, here)
    results = [
        Future(
            column=name,
            rows=int(rows[at]),
            compared=compared,
            time=int(times[at]),
            deviations=float(largest[at]),
        )
        for at, name in enumerate(names)
        if rows[at]
    ]
    return sorted(results, key=lambda one: -one.deviations)


def starts(compute: Compute, names: Sequence[str], bars: BarFrame) -> list[Start]:
    """Return the columns that depend on where the bars begin, those that settle last first."""
    whole = compute(bars)
    spreads = _spreads(whole)
    settled = np.zeros(len(names), dtype=np.int64)
    never, late = np.zeros(len(names), dtype=bool), np.zeros(len(names))
    for begin in _begins(len(bars)):
        differences = _differences(whole[begin:], compute(bars[begin:]), spreads)
        last = len(differences) - max(len(differences) // 10, 1)
        late = np.maximum(late, differences[last:].max(axis=0))
        beyond = differences > SETTLED
        after = np.where(beyond.any(axis=0), len(beyond) - beyond[::-1].argmax(axis=0), 0)
        never |= after > last
        settled = np.maximum(settled, after)
    results = [
        Start(column=name, bars=None if never[at] else int(settled[at]), deviations=float(late[at]))
        for at, name in enumerate(names)
        if settled[at]
    ]
    return sorted(results, key=lambda one: (one.bars is not None, -(one.bars or 0), -one.deviations))


def _begins(rows: int) -> Iterator[int]:
    for share in BEGINS:
        begin = int(rows * share)
        if 0 < begin < rows - 1:
            yield begin


def _spreads(values: Floats) -> Floats:
    """Return each column's standard deviation; 1 for one that is constant or unknown, so that any change is seen."""
    counts = np.isfinite(values).sum(axis=0)
    sums = np.where(np.isfinite(values), values, 0.0)
    means = sums.sum(axis=0) / np.maximum(counts, 1)
    squares = np.where(np.isfinite(values), values - means, 0.0) ** 2
    spreads = np.sqrt(squares.sum(axis=0) / np.maximum(counts, 1))
    return np.where(spreads > 0, spreads, 1.0)


def _differences(one: Floats, other: Floats, spreads: Floats) -> Floats:
    """Return the differences in standard deviations; infinite where only one of two values is known."""
    known, other_known = np.isfinite(one), np.isfinite(other)
    differences = np.abs(np.where(known, one, 0.0) - np.where(other_known, other, 0.0)) / spreads
    return np.where(known == other_known, differences, np.inf)
