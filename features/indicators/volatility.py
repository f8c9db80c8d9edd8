"""Volatility: how much the price moves, whichever way."""

from math import log, sqrt

import numpy as np

from features.compiled import compiled
from features.frame import Floats
from features.series import CLOSE, HIGH, LOG_RANGE, LOW, RETURN, TRUE_RANGE
from features.windows import highest, lowest, mean_and_deviation, ratio, root_mean_square, smoothed


@compiled
def natr(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """Average true range (Wilder's average) in percent of the close; the ATR itself is natr / 100 * close."""
    for i in range(start, x.shape[1]):
        out[i - start, 0] = np.nan
        if not np.isnan(x[TRUE_RANGE, i]):
            average = smoothed(state, 0, x[TRUE_RANGE, i], period, 1.0 / period)
            out[i - start, 0] = 100.0 * average / x[CLOSE, i]


@compiled
def bollinger(x: Floats, start: int, out: Floats, period: int, deviations: float) -> None:
    """Bollinger %b (0 at the lower band, 1 at the upper) and the bands' width in percent of their middle."""
    for i in range(start, x.shape[1]):
        mean, deviation = mean_and_deviation(x, CLOSE, i, period)
        band = deviations * deviation
        out[i - start, 0] = ratio(x[CLOSE, i] - (mean - band), 2.0 * band)
        out[i - start, 1] = 100.0 * 2.0 * band / mean


@compiled
def donchian_position(x: Floats, start: int, out: Floats, period: int) -> None:
    """Where the close lies between the lowest low (0) and the highest high (1) of the window."""
    for i in range(start, x.shape[1]):
        low = lowest(x, LOW, i, period)
        out[i - start, 0] = ratio(x[CLOSE, i] - low, highest(x, HIGH, i, period) - low)


@compiled
def realised_volatility(x: Floats, start: int, out: Floats, period: int) -> None:
    """Root mean square of the log returns; their mean is taken as 0, as is usual at high frequency."""
    for i in range(start, x.shape[1]):
        out[i - start, 0] = root_mean_square(x, RETURN, i, period)


@compiled
def parkinson(x: Floats, start: int, out: Floats, period: int) -> None:
    """Parkinson's volatility: root of the mean of ln(high / low)² over 4 ln 2."""
    for i in range(start, x.shape[1]):
        out[i - start, 0] = root_mean_square(x, LOG_RANGE, i, period) / sqrt(4.0 * log(2.0))
