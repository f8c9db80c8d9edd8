"""Momentum: how far and how fast the price has moved."""

from math import log

import numpy as np

from features.averages import wilder
from features.compiled import compiled
from features.frame import Floats
from features.series import CLOSE, HIGH, LOW, TYPICAL
from features.windows import moving_deviation, moving_max, moving_mean, moving_min, put, ratio


@compiled
def log_return(x: Floats, start: int, out: Floats, period: int) -> None:
    """ln(close / close `period` bars before)."""
    for i in range(start, x.shape[1]):
        out[0, i - start] = log(x[CLOSE, i] / x[CLOSE, i - period])


@compiled
def relative_strength(x: Floats, start: int, state: Floats, period: int) -> Floats:
    """Return the RSI of each new row: the gains' share of gains and losses, each in Wilder's average, in percent."""
    rise, fall = np.empty(x.shape[1] - start), np.empty(x.shape[1] - start)
    for r in range(len(rise)):
        change = x[CLOSE, start + r] - x[CLOSE, start + r - 1]
        rise[r] = change if change > 0.0 else 0.0 * change  # NaN before the second bar
        fall[r] = -change if change < 0.0 else 0.0 * change
    gain, loss = wilder(state, 0, rise, period), wilder(state, 2, fall, period)
    for r in range(len(gain)):
        gain[r] = 100.0 * ratio(gain[r], gain[r] + loss[r])
    return gain


@compiled
def rsi(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """Relative strength index, in percent: the gains' share of gains and losses, each in Wilder's average."""
    put(out, 0, relative_strength(x, start, state, period))


@compiled
def place_in_range(x: Floats, start: int, period: int) -> Floats:
    """Return where each close lies between the window's lowest low (0) and highest high (100)."""
    low, high = moving_min(x[LOW], start, period), moving_max(x[HIGH], start, period)
    for r in range(len(low)):
        low[r] = 100.0 * ratio(x[CLOSE, start + r] - low[r], high[r] - low[r])
    return low


@compiled
def stochastic(x: Floats, start: int, out: Floats, period: int, smoothing: int) -> None:
    """Stochastic oscillator, in percent: %K, the close's place in the window's range, and %D, its simple average."""
    earlier = smoothing - 1
    place = place_in_range(x, start - earlier, period)
    put(out, 0, place[earlier:])
    put(out, 1, moving_mean(place, earlier, smoothing))


@compiled
def williams_r(x: Floats, start: int, out: Floats, period: int) -> None:
    """Williams %R, from -100 (close at the window's low) to 0 (at its high)."""
    place = place_in_range(x, start, period)
    for r in range(len(place)):
        out[0, r] = place[r] - 100.0


@compiled
def cci(x: Floats, start: int, out: Floats, period: int) -> None:
    """Commodity channel index: the typical price's distance from its average, over 0.015 mean absolute deviations."""
    typical = x[TYPICAL]
    mean, deviation = moving_deviation(typical, start, period)
    absolute = np.zeros(len(mean))
    for k in range(period):
        earlier = typical[start - k : len(typical) - k]
        for r in range(len(mean)):
            absolute[r] += abs(earlier[r] - mean[r])
    for r in range(len(mean)):
        # The deviation is exactly 0 in a constant window, where rounding of the mean could leave `absolute` above it.
        distance = typical[start + r] - mean[r]
        out[0, r] = distance / (0.015 * absolute[r] / period) if deviation[r] != 0.0 else np.nan


@compiled
def rate_of_change(x: Floats, start: int, out: Floats, period: int) -> None:
    """Change of the close over `period` bars, in percent."""
    for i in range(start, x.shape[1]):
        out[0, i - start] = 100.0 * (x[CLOSE, i] / x[CLOSE, i - period] - 1.0)
