"""Volatility: how much the price moves, whichever way."""

from math import log, pi, sqrt

import numpy as np

from features.averages import wilder
from features.compiled import compiled
from features.frame import Floats
from features.series import (
    CLOSE,
    HIGH,
    LOG_BODY,
    LOG_OPENING,
    LOG_RANGE,
    LOW,
    RETURN,
    ROGERS_SATCHELL,
    TRUE_RANGE,
    TYPICAL,
)
from features.windows import (
    moving_deviation,
    moving_max,
    moving_mean,
    moving_mean_and_squares,
    moving_min,
    put,
    ratio,
    squares,
)


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
def keltner_bands(x: Floats, start: int, period: int) -> tuple[Floats, Floats]:
    """Return the middle of Keltner's channel, and the distance of its bands from that."""
    begin = start - period + 1
    high, low = x[HIGH, begin:], x[LOW, begin:]
    ranges = np.empty(len(high))
    for k in range(len(ranges)):
        ranges[k] = high[k] - low[k]
    return moving_mean(x[TYPICAL], start, period), moving_mean(ranges, period - 1, period)


@compiled
def keltner(x: Floats, start: int, out: Floats, period: int) -> None:
    """Keltner's original channel: middle (simple average of the typical price), high and low band (the bars' average
    range above and below it), the bands' width in percent of their middle, and the close's place in them (0 to 1).
    """
    middle, band = keltner_bands(x, start, period)
    for r in range(len(middle)):
        out[0, r] = middle[r]
        out[1, r] = middle[r] + band[r]
        out[2, r] = middle[r] - band[r]
        out[3, r] = 100.0 * 2.0 * band[r] / middle[r]
        out[4, r] = ratio(x[CLOSE, start + r] - middle[r] + band[r], 2.0 * band[r])


@compiled
def keltner_breakout(x: Floats, start: int, out: Floats, period: int) -> None:
    """Whether the close is above the high, below the low band of Keltner's original channel, by more than a rounding
    error (1e-12 of the price).
    """
    middle, band = keltner_bands(x, start, period)
    for r in range(len(middle)):
        close = x[CLOSE, start + r]
        out[0, r] = 1.0 if close - middle[r] - band[r] > 1e-12 * close else 0.0
        out[1, r] = 1.0 if middle[r] - band[r] - close > 1e-12 * close else 0.0


@compiled
def root_of_mean(values: Floats, period: int) -> Floats:
    """Return the root of the mean of each window of the values, the first of them included."""
    result = moving_mean(values, period - 1, period)
    for r in range(len(result)):
        result[r] = sqrt(result[r])
    return result


@compiled
def root_mean_square(x: Floats, series: int, start: int, period: int) -> Floats:
    """Return the root of the mean of a series' squares, over each window."""
    return root_of_mean(squares(x[series, start - period + 1 :]), period)


@compiled
def ulcer_index(x: Floats, start: int, out: Floats, period: int) -> None:
    """Ulcer index: root mean square of the close's falls below the window's highest close, in percent of that."""
    begin = start - period + 1
    drawdown, close = moving_max(x[CLOSE], begin, period), x[CLOSE, begin:]
    for k in range(len(drawdown)):
        drawdown[k] = 100.0 * (close[k] / drawdown[k] - 1.0)
    put(out, 0, root_of_mean(squares(drawdown), period))


@compiled
def realised_volatility(x: Floats, start: int, out: Floats, period: int) -> None:
    """Root mean square of the log returns; their mean is taken as 0, as is usual at high frequency."""
    put(out, 0, root_mean_square(x, RETURN, start, period))


@compiled
def semivolatility(x: Floats, start: int, out: Floats, period: int) -> None:
    """Downside and upside semivolatility: the root mean square of the log returns, where those above 0, those below 0
    count as 0.
    """
    returns = x[RETURN, start - period + 1 :]
    fall, rise = np.empty(len(returns)), np.empty(len(returns))
    for k in range(len(returns)):
        squared = returns[k] * returns[k]
        fall[k] = 0.0 if returns[k] > 0.0 else squared  # an unknown return is not above 0: both stay unknown
        rise[k] = 0.0 if returns[k] < 0.0 else squared
    put(out, 0, root_of_mean(fall, period))
    put(out, 1, root_of_mean(rise, period))


@compiled
def bipower(x: Floats, start: int, out: Floats, period: int) -> None:
    """Bipower volatility: root of pi / 2 times the mean of |log return| |previous log return|, which a jump hardly
    moves; and the jumps' share of the realised variance: what is beyond the bipower variation, at least 0.
    """
    returns = x[RETURN, start - period :]
    products = np.empty(len(returns) - 1)
    for k in range(len(products)):
        products[k] = abs(returns[k] * returns[k + 1])
    product, squared = moving_mean(products, period - 1, period), moving_mean(squares(returns), period, period)
    for r in range(len(product)):
        variation = 0.5 * pi * product[r]
        share = 1.0 - ratio(variation, squared[r])
        out[0, r] = sqrt(variation)
        out[1, r] = 0.0 if share < 0.0 else share


@compiled
def volatility_of_volatility(x: Floats, start: int, out: Floats, short: int, period: int) -> None:
    """Standard deviation of the realised volatility over `short` bars, over the window."""
    volatility = root_mean_square(x, RETURN, start - period + 1, short)
    put(out, 0, moving_deviation(volatility, period - 1, period)[1])


@compiled
def parkinson(x: Floats, start: int, out: Floats, period: int) -> None:
    """Parkinson's volatility: root of the mean of ln(high / low)² over 4 ln 2."""
    volatility = root_mean_square(x, LOG_RANGE, start, period)
    for r in range(len(volatility)):
        out[0, r] = volatility[r] / sqrt(4.0 * log(2.0))


@compiled
def garman_klass(x: Floats, start: int, out: Floats, period: int) -> None:
    """Garman's and Klass's volatility: root of the mean of ln(high / low)² / 2 - (2 ln 2 - 1) ln(close / open)²."""
    begin = start - period + 1
    ranges, bodies = x[LOG_RANGE, begin:], x[LOG_BODY, begin:]
    values = np.empty(len(ranges))
    for k in range(len(values)):
        values[k] = 0.5 * ranges[k] * ranges[k] - (2.0 * log(2.0) - 1.0) * bodies[k] * bodies[k]
    put(out, 0, root_of_mean(values, period))


@compiled
def rogers_satchell(x: Floats, start: int, out: Floats, period: int) -> None:
    """Rogers' and Satchell's volatility, whatever the drift: root of the mean of
    ln(high / close) ln(high / open) + ln(low / close) ln(low / open).
    """
    put(out, 0, root_of_mean(x[ROGERS_SATCHELL, start - period + 1 :], period))


@compiled
def yang_zhang(x: Floats, start: int, out: Floats, period: int) -> None:
    """Yang's and Zhang's volatility: root of the variance of ln(open / previous close), and of the variance of
    ln(close / open) and Rogers' and Satchell's, the two weighted for the least error.
    """
    opening = moving_mean_and_squares(x[LOG_OPENING], start, period)[1]
    body = moving_mean_and_squares(x[LOG_BODY], start, period)[1]
    ranges = moving_mean(x[ROGERS_SATCHELL], start, period)
    weight = 0.34 / (1.34 + (period + 1) / (period - 1))
    for r in range(len(ranges)):
        out[0, r] = sqrt((opening[r] + weight * body[r]) / (period - 1) + (1.0 - weight) * ranges[r])
