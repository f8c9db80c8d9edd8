"""Recursive averages. What they remember is in the state: zeros at first, kept between calls.

They begin as the plain mean of the first `period` values (as in TA-Lib). An unknown value (NaN) has no average, and is
as if it had not come.
"""

import numpy as np

from features.compiled import compiled
from features.frame import Floats

AVERAGE_STATE = 2
"""Numbers that one average keeps: the values seen, and the average (their sum until it begins)."""


@compiled
def smoothed(state: Floats, at: int, values: Floats, period: int, weight: float) -> Floats:
    """Return the exponential average after each value, NaN until `period` values were seen.

    Each value has that `weight`: 2 / (period + 1) for an EMA, 1 / period for Wilder's. The average is in `state[at]`
    and the number after it.
    """
    seen, average = state[at], state[at + 1]
    result = np.empty(len(values))
    for r in range(len(values)):
        value = values[r]
        if np.isnan(value):
            result[r] = np.nan
        elif seen >= period:
            average += (value - average) * weight
            result[r] = average
        else:
            seen += 1.0
            average += value
            result[r] = np.nan
            if seen == period:
                average /= period
                result[r] = average
    state[at], state[at + 1] = seen, average
    return result


@compiled
def ema(state: Floats, at: int, values: Floats, period: int) -> Floats:
    """Return the exponential moving average with weight 2 / (period + 1)."""
    return smoothed(state, at, values, period, 2.0 / (period + 1))


@compiled
def wilder(state: Floats, at: int, values: Floats, period: int) -> Floats:
    """Return Wilder's average, of weight 1 / period."""
    return smoothed(state, at, values, period, 1.0 / period)
