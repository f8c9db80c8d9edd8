"""Windows and averages that indicators are made of.

Windows are summed anew for each row: no running sum, so no drift, and the same bits wherever the input was cut.
A window is the last `period` values of one series of `x` at row i; what is made of it is NaN where one of them is.
"""

from math import sqrt

import numpy as np

from features.compiled import compiled
from features.frame import Floats


@compiled
def total(x: Floats, series: int, i: int, period: int) -> float:
    """Return the sum of the window."""
    result = 0.0
    for k in range(i - period + 1, i + 1):
        result += x[series, k]
    return result


@compiled
def mean_and_deviation(x: Floats, series: int, i: int, period: int) -> tuple[float, float]:
    """Return the window's mean and population standard deviation, exactly 0 where all values are equal."""
    # Offsets from the first value: a constant window must not get a deviation out of rounding.
    origin = x[series, i - period + 1]
    offset = 0.0
    for k in range(i - period + 1, i + 1):
        offset += x[series, k] - origin
    offset /= period
    squares = 0.0
    for k in range(i - period + 1, i + 1):
        squares += (x[series, k] - origin - offset) ** 2
    return origin + offset, sqrt(squares / period)


@compiled
def root_mean_square(x: Floats, series: int, i: int, period: int) -> float:
    """Return the root of the mean of squares."""
    squares = 0.0
    for k in range(i - period + 1, i + 1):
        squares += x[series, k] * x[series, k]
    return sqrt(squares / period)


@compiled
def highest(x: Floats, series: int, i: int, period: int) -> float:
    """Return the window's maximum."""
    result = float(x[series, i])
    for k in range(i - period + 1, i):
        if not x[series, k] <= result:  # so that a NaN wins
            result = float(x[series, k])
    return result


@compiled
def lowest(x: Floats, series: int, i: int, period: int) -> float:
    """Return the window's minimum."""
    result = float(x[series, i])
    for k in range(i - period + 1, i):
        if not x[series, k] >= result:
            result = float(x[series, k])
    return result


@compiled
def ratio(numerator: float, denominator: float) -> float:
    """Return the quotient, NaN where the denominator is 0: what has no answer is unknown."""
    return numerator / denominator if denominator != 0.0 else np.nan


@compiled
def smoothed(state: Floats, at: int, value: float, period: int, weight: float) -> float:
    """Return the exponential average after one more value, NaN until `period` values were seen.

    The average begins as the plain mean of the first `period` values (as in TA-Lib); then each value has that `weight`:
    2 / (period + 1) for an EMA, 1 / period for Wilder's. `state[at]` counts the values seen, and the number after it is
    the average (their sum until it begins).
    """
    state[at] += 1.0
    if state[at] < period:
        state[at + 1] += value
        return np.nan
    if state[at] == period:
        state[at + 1] = (state[at + 1] + value) / period
    else:
        state[at + 1] += (value - state[at + 1]) * weight
    return float(state[at + 1])
