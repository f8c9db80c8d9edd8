"""Volatility: how much the price moves, whichever way."""

from math import log, sqrt

from features.averages import wilder
from features.compiled import compiled
from features.frame import Floats
from features.series import CLOSE, HIGH, LOG_RANGE, LOW, RETURN, TRUE_RANGE
from features.windows import moving_deviation, moving_max, moving_mean, moving_min, put, ratio, squares


@compiled
def atr(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """Average true range: Wilder's average of the true range."""
    put(out, 0, wilder(state, 0, x[TRUE_RANGE, start:], period))


@compiled
def natr(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """Average true range (Wilder's average) in percent of the close."""
    average = wilder(state, 0, x[TRUE_RANGE, start:], period)
    for r in range(len(average)):
        out[0, r] = 100.0 * average[r] / x[CLOSE, start + r]


@compiled
def bollinger(x: Floats, start: int, out: Floats, period: int, deviations: float) -> None:
    """Bollinger bands: middle (simple average of the close), high and low band, the bands' width in percent of their
    middle, %b (0 at the lower band, 1 at the upper), and whether the close is above the high, below the low band.
    """
    middle, deviation = moving_deviation(x[CLOSE], start, period)
    for r in range(len(middle)):
        close, band = x[CLOSE, start + r], deviations * deviation[r]
        high, low = middle[r] + band, middle[r] - band
        out[0, r] = middle[r]
        out[1, r] = high
        out[2, r] = low
        out[3, r] = 100.0 * 2.0 * band / middle[r]
        out[4, r] = ratio(close - low, 2.0 * band)
        out[5, r] = 1.0 if close > high else 0.0
        out[6, r] = 1.0 if close < low else 0.0


@compiled
def donchian(x: Floats, start: int, out: Floats, period: int) -> None:
    """Donchian channel: lowest low, highest high, their middle, the width in percent of the closes' simple average, and
    where the close lies between them (0 to 1).
    """
    low, high = moving_min(x[LOW], start, period), moving_max(x[HIGH], start, period)
    mean = moving_mean(x[CLOSE], start, period)
    for r in range(len(low)):
        width = high[r] - low[r]
        out[0, r] = low[r]
        out[1, r] = high[r]
        out[2, r] = low[r] + width / 2.0
        out[3, r] = 100.0 * width / mean[r]
        out[4, r] = ratio(x[CLOSE, start + r] - low[r], width)


@compiled
def root_mean_square(x: Floats, series: int, start: int, period: int) -> Floats:
    """Return the root of the mean of a series' squares, over each window."""
    result = moving_mean(squares(x[series, start - period + 1 :]), period - 1, period)
    for r in range(len(result)):
        result[r] = sqrt(result[r])
    return result


@compiled
def realised_volatility(x: Floats, start: int, out: Floats, period: int) -> None:
    """Root mean square of the log returns; their mean is taken as 0, as is usual at high frequency."""
    put(out, 0, root_mean_square(x, RETURN, start, period))


@compiled
def parkinson(x: Floats, start: int, out: Floats, period: int) -> None:
    """Parkinson's volatility: root of the mean of ln(high / low)² over 4 ln 2."""
    put(out, 0, root_mean_square(x, LOG_RANGE, start, period) / sqrt(4.0 * log(2.0)))
