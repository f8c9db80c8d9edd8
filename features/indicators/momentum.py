"""Momentum: how far and how fast the price has moved."""

from math import log

import numpy as np

from features.compiled import compiled
from features.frame import Floats
from features.series import CLOSE, HIGH, LOW, TYPICAL
from features.windows import highest, lowest, mean_and_deviation, ratio, smoothed


@compiled
def log_return(x: Floats, start: int, out: Floats, period: int) -> None:
    """ln(close / close `period` bars before)."""
    for i in range(start, x.shape[1]):
        out[i - start, 0] = log(x[CLOSE, i] / x[CLOSE, i - period])


@compiled
def rsi(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """Relative strength index, in percent: the gains' share of gains and losses, each in Wilder's average."""
    for i in range(start, x.shape[1]):
        change = x[CLOSE, i] - x[CLOSE, i - 1]
        out[i - start, 0] = np.nan
        if np.isnan(change):
            continue
        gain = smoothed(state, 0, max(change, 0.0), period, 1.0 / period)
        loss = smoothed(state, 2, max(-change, 0.0), period, 1.0 / period)
        out[i - start, 0] = 100.0 * ratio(gain, gain + loss)


@compiled
def place_in_range(x: Floats, i: int, period: int) -> float:
    """Return where the close lies between the window's lowest low (0) and highest high (100)."""
    low = lowest(x, LOW, i, period)
    return 100.0 * ratio(x[CLOSE, i] - low, highest(x, HIGH, i, period) - low)


@compiled
def stochastic(x: Floats, start: int, out: Floats, period: int, smoothing: int) -> None:
    """Stochastic oscillator, in percent: %K, the close's place in the window's range, and %D, its simple average."""
    for i in range(start, x.shape[1]):
        place = place_in_range(x, i, period)
        average = place
        for k in range(1, smoothing):
            average += place_in_range(x, i - k, period)
        out[i - start, 0] = place
        out[i - start, 1] = average / smoothing


@compiled
def williams_r(x: Floats, start: int, out: Floats, period: int) -> None:
    """Williams %R, from -100 (close at the window's low) to 0 (at its high)."""
    for i in range(start, x.shape[1]):
        out[i - start, 0] = place_in_range(x, i, period) - 100.0


@compiled
def cci(x: Floats, start: int, out: Floats, period: int) -> None:
    """Commodity channel index: the typical price's distance from its average, over 0.015 mean absolute deviations."""
    for i in range(start, x.shape[1]):
        mean, deviation = mean_and_deviation(x, TYPICAL, i, period)
        absolute = 0.0
        for k in range(i - period + 1, i + 1):
            absolute += abs(x[TYPICAL, k] - mean)
        # The deviation is exactly 0 in a constant window, where rounding of the mean could leave `absolute` above it.
        out[i - start, 0] = (x[TYPICAL, i] - mean) / (0.015 * absolute / period) if deviation != 0.0 else np.nan


@compiled
def rate_of_change(x: Floats, start: int, out: Floats, period: int) -> None:
    """Change of the close over `period` bars, in percent."""
    for i in range(start, x.shape[1]):
        out[i - start, 0] = 100.0 * (x[CLOSE, i] / x[CLOSE, i - period] - 1.0)
