"""Trend: where the price is heading, and how steadily."""

from math import log

import numpy as np

from features.compiled import compiled
from features.frame import Floats
from features.series import CLOSE, HIGH, LOW, TRUE_RANGE
from features.windows import mean_and_deviation, ratio, smoothed


@compiled
def ema_gap(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """ln(close / EMA of the close)."""
    for i in range(start, x.shape[1]):
        out[i - start, 0] = log(x[CLOSE, i] / smoothed(state, 0, x[CLOSE, i], period, 2.0 / (period + 1)))


@compiled
def macd(x: Floats, start: int, out: Floats, state: Floats, fast: int, slow: int, signal: int) -> None:
    """MACD line (fast less slow EMA of the close), its EMA, and their difference; each as a share of the close."""
    for i in range(start, x.shape[1]):
        close = x[CLOSE, i]
        state[0] += 1.0
        slow_average = smoothed(state, 1, close, slow, 2.0 / (slow + 1))
        line = signal_line = np.nan
        if state[0] > slow - fast:  # the averages begin at the same bar, as in TA-Lib
            line = smoothed(state, 3, close, fast, 2.0 / (fast + 1)) - slow_average
        if state[0] >= slow:
            signal_line = smoothed(state, 5, line, signal, 2.0 / (signal + 1))
        out[i - start, 0] = line / close
        out[i - start, 1] = signal_line / close
        out[i - start, 2] = (line - signal_line) / close


@compiled
def directional_movement(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """ADX, +DI and -DI, in percent: Wilder's sums of the directional movements over those of the true range."""
    for i in range(start, x.shape[1]):
        out[i - start, 0] = out[i - start, 1] = out[i - start, 2] = np.nan
        true_range = x[TRUE_RANGE, i]
        if np.isnan(true_range):
            continue
        up, down = x[HIGH, i] - x[HIGH, i - 1], x[LOW, i - 1] - x[LOW, i]
        plus = up if up > down and up > 0.0 else 0.0
        minus = down if down > up and down > 0.0 else 0.0
        # Wilder's sums begin as plain sums of the first period - 1 movements.
        state[0] += 1.0
        keep = 1.0 if state[0] < period else 1.0 - 1.0 / period
        state[1] = state[1] * keep + plus
        state[2] = state[2] * keep + minus
        state[3] = state[3] * keep + true_range
        if state[0] < period:
            continue
        plus_di, minus_di = 100.0 * ratio(state[1], state[3]), 100.0 * ratio(state[2], state[3])
        index = 100.0 * ratio(abs(plus_di - minus_di), plus_di + minus_di)
        if not np.isnan(index):  # no movement at all has no direction: the average keeps its value, as in TA-Lib
            smoothed(state, 4, index, period, 1.0 / period)
        out[i - start, 0] = state[5] if state[4] >= period else np.nan
        out[i - start, 1] = plus_di
        out[i - start, 2] = minus_di


@compiled
def zscore(x: Floats, start: int, out: Floats, period: int) -> None:
    """Distance of the close from its simple average, in the window's population standard deviations."""
    for i in range(start, x.shape[1]):
        mean, deviation = mean_and_deviation(x, CLOSE, i, period)
        out[i - start, 0] = ratio(x[CLOSE, i] - mean, deviation)
