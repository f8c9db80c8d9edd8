"""Recursive averages. Their state is zeros at first and kept between calls. They begin as the plain mean of the first
`period` values (as in TA-Lib). An unknown value (NaN) has no average, and is as if it had not come. Several of one row
are taken together: each waits for its own last one, not for the others.
"""

import numpy as np

from features.compiled import compiled
from features.frame import Floats

Average = tuple[float, float]
"""The values seen, and their average (their sum until it begins)."""


@compiled
def average_at(state: Floats, at: int) -> Average:
    """Return the average that `keep` left in `state[at]` and the number after it."""
    return state[at], state[at + 1]


@compiled
def keep(state: Floats, at: int, average: Average) -> None:
    """Put an average into `state[at]` and the number after it."""
    state[at], state[at + 1] = average


@compiled
def averaged(average: Average, value: float, period: int, weight: float) -> tuple[Average, float]:
    """Return the average with one value more, and its number: NaN until `period` values were seen.

    Each value has that `weight`: `ema_weight` for an EMA, 1 / period for Wilder's.
    """
    seen, mean = average
    if value != value:  # noqa: PLR0124 - NaN
        return average, np.nan
    if seen >= period:
        mean += (value - mean) * weight
        return (seen, mean), mean
    seen += 1.0
    mean += value
    if seen == period:
        mean /= period
        return (seen, mean), mean
    return (seen, mean), np.nan


@compiled
def ema_weight(period: int) -> float:
    """Return the weight of a value in an exponential moving average: 2 / (period + 1)."""
    return 2.0 / (period + 1)


@compiled
def smoothed(state: Floats, at: int, values: Floats, period: int, weight: float, result: Floats) -> None:
    """Fill the average after each value; it is in `state[at]` and the number after it."""
    average = average_at(state, at)
    for r in range(len(values)):
        average, result[r] = averaged(average, values[r], period, weight)
    keep(state, at, average)
