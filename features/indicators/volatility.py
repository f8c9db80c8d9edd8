"""Volatility: the size of price moves, regardless of direction."""

from math import log, pi, sqrt

from features.averages import average_at, averaged, keep, smoothed
from features.compiled import compiled, scratch
from features.extremes import moving_max, moving_min
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
from features.windows import joined, moving_deviation, moving_mean, moving_mean_and_squares, ratio, square


@compiled
def atr(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """Average true range: Wilder's average of the true range."""
    smoothed(state, 0, x[TRUE_RANGE, start:], period, 1.0 / period, out[0])


@compiled
def natr(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """Average true range (Wilder's average) in percent of the close."""
    close, ranges, percent = x[CLOSE, start:], x[TRUE_RANGE, start:], out[0]
    average, weight = average_at(state, 0), 1.0 / period
    for r in range(len(percent)):
        average, smooth = averaged(average, ranges[r], period, weight)
        percent[r] = 100.0 * smooth / close[r]
    keep(state, 0, average)


@compiled
def bollinger(x: Floats, start: int, out: Floats, period: int, deviations: float) -> None:
    """Bollinger bands: middle (simple average of the close), high and low band, the bands' width in percent of their
    middle, %b (0 at the lower band, 1 at the upper), and whether the close is above the high, below the low band.
    """
    closes, middle, deviation = x[CLOSE, start:], out[0], scratch(out.shape[1])
    moving_deviation(x[CLOSE], start, period, middle, deviation)
    for r in range(len(middle)):
        close, band = closes[r], deviations * deviation[r]
        high, low = middle[r] + band, middle[r] - band
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
    close, low, high, mean = x[CLOSE, start:], out[0], out[1], scratch(out.shape[1])
    moving_min(x[LOW], start, period, low)
    moving_max(x[HIGH], start, period, high)
    moving_mean(x[CLOSE], start, period, mean)
    for r in range(len(low)):
        width = high[r] - low[r]
        out[2, r] = low[r] + width / 2.0
        out[3, r] = 100.0 * width / mean[r]
        out[4, r] = ratio(close[r] - low[r], width)


@compiled
def keltner_bands(x: Floats, start: int, period: int, middle: Floats, band: Floats) -> None:
    """Fill the middle of Keltner's channel, and the distance of its bands from that."""
    begin = start - period + 1
    high, low, ranges = x[HIGH, begin:], x[LOW, begin:], scratch(period - 1 + len(middle))
    for k in range(len(ranges)):
        ranges[k] = high[k] - low[k]
    moving_mean(x[TYPICAL], start, period, middle)
    moving_mean(ranges, period - 1, period, band)


@compiled
def keltner(x: Floats, start: int, out: Floats, period: int) -> None:
    """Keltner's original channel: middle (simple average of the typical price), high and low band (the bars' average
    range above and below it), the bands' width in percent of their middle, and the close's place in them (0 to 1).
    """
    close, middle, band = x[CLOSE, start:], out[0], scratch(out.shape[1])
    keltner_bands(x, start, period, middle, band)
    for r in range(len(middle)):
        out[1, r] = middle[r] + band[r]
        out[2, r] = middle[r] - band[r]
        out[3, r] = 100.0 * 2.0 * band[r] / middle[r]
        out[4, r] = ratio(close[r] - middle[r] + band[r], 2.0 * band[r])


@compiled
def keltner_breakout(x: Floats, start: int, out: Floats, period: int) -> None:
    """Whether the close is above the high, below the low band of Keltner's original channel, by more than a rounding
    error (1e-12 of the price).
    """
    closes, middle, band = x[CLOSE, start:], scratch(out.shape[1]), scratch(out.shape[1])
    keltner_bands(x, start, period, middle, band)
    for r in range(len(middle)):
        close = closes[r]
        out[0, r] = 1.0 if close - middle[r] - band[r] > 1e-12 * close else 0.0
        out[1, r] = 1.0 if middle[r] - band[r] - close > 1e-12 * close else 0.0


@compiled
def root_of_mean(values: Floats, period: int, result: Floats) -> None:
    """Fill the root of the mean of each window of the values, the first of them included."""
    moving_mean(values, period - 1, period, result)
    for r in range(len(result)):
        result[r] = sqrt(result[r])


@compiled
def root_mean_square(x: Floats, series: int, start: int, period: int, result: Floats) -> None:
    """Fill the root of the mean of a series' squares, over each window."""
    squares = scratch(period - 1 + len(result))
    square(x[series, start - period + 1 :], squares)
    root_of_mean(squares, period, result)


@compiled
def ulcer_index(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """Ulcer index: root mean square of the close's falls below the window's highest close, in percent of that."""
    close, drawdown, squares = x[CLOSE, start:], out[0], scratch(period - 1 + out.shape[1])
    moving_max(x[CLOSE], start, period, drawdown)
    for r in range(len(drawdown)):
        fall = 100.0 * (close[r] / drawdown[r] - 1.0)
        drawdown[r] = fall * fall
    joined(state, drawdown, squares)
    root_of_mean(squares, period, out[0])


@compiled
def realised_volatility(x: Floats, start: int, out: Floats, period: int) -> None:
    """Root mean square of the log returns; their mean is taken as 0, as is usual at high frequency."""
    root_mean_square(x, RETURN, start, period, out[0])


@compiled
def semivolatility(x: Floats, start: int, out: Floats, period: int) -> None:
    """Downside and upside semivolatility: the root mean square of the log returns, where those above 0, those below 0
    count as 0.
    """
    returns, rows = x[RETURN, start - period + 1 :], out.shape[1]
    falls, rises = scratch(period - 1 + rows), scratch(period - 1 + rows)
    for k in range(len(falls)):  # an unknown return is not above 0, nor below: it stays unknown
        falls[k] = 0.0 if returns[k] > 0.0 else returns[k] * returns[k]
    for k in range(len(rises)):
        rises[k] = 0.0 if returns[k] < 0.0 else returns[k] * returns[k]
    root_of_mean(falls, period, out[0])
    root_of_mean(rises, period, out[1])


@compiled
def bipower(x: Floats, start: int, out: Floats, period: int) -> None:
    """Bipower volatility: root of pi / 2 times the mean of |log return| |previous log return|, which is robust to
    jumps; and the jumps' share of the realised variance: its excess over the bipower variation, at least 0.
    """
    rows, begin = out.shape[1], start - period + 1
    returns, before = x[RETURN, begin:], x[RETURN, begin - 1 :]
    terms, product, squared = scratch(period - 1 + rows), scratch(rows), scratch(rows)
    for k in range(len(terms)):
        terms[k] = abs(returns[k] * before[k])
    moving_mean(terms, period - 1, period, product)
    square(returns, terms)
    moving_mean(terms, period - 1, period, squared)
    for r in range(rows):
        variation = 0.5 * pi * product[r]
        share = 1.0 - ratio(variation, squared[r])
        out[0, r] = sqrt(variation)
        out[1, r] = 0.0 if share < 0.0 else share


@compiled
def volatility_of_volatility(x: Floats, start: int, out: Floats, state: Floats, short: int, period: int) -> None:
    """Standard deviation of the realised volatility over `short` bars, over the window."""
    volatility, series, mean = out[0], scratch(period - 1 + out.shape[1]), scratch(out.shape[1])
    root_mean_square(x, RETURN, start, short, volatility)
    joined(state, volatility, series)
    moving_deviation(series, period - 1, period, mean, out[0])


@compiled
def parkinson(x: Floats, start: int, out: Floats, period: int) -> None:
    """Parkinson's volatility: root of the mean of ln(high / low)² over 4 ln 2."""
    volatility, scale = out[0], sqrt(4.0 * log(2.0))
    root_mean_square(x, LOG_RANGE, start, period, volatility)
    for r in range(len(volatility)):
        volatility[r] /= scale


@compiled
def garman_klass(x: Floats, start: int, out: Floats, period: int) -> None:
    """Garman's and Klass's volatility: root of the mean of ln(high / low)² / 2 - (2 ln 2 - 1) ln(close / open)²."""
    begin = start - period + 1
    ranges, bodies, values = x[LOG_RANGE, begin:], x[LOG_BODY, begin:], scratch(period - 1 + out.shape[1])
    weight = 2.0 * log(2.0) - 1.0
    for k in range(len(values)):
        values[k] = 0.5 * ranges[k] * ranges[k] - weight * bodies[k] * bodies[k]
    root_of_mean(values, period, out[0])


@compiled
def rogers_satchell(x: Floats, start: int, out: Floats, period: int) -> None:
    """Rogers' and Satchell's volatility, whatever the drift: root of the mean of
    ln(high / close) ln(high / open) + ln(low / close) ln(low / open).
    """
    root_of_mean(x[ROGERS_SATCHELL, start - period + 1 :], period, out[0])


@compiled
def yang_zhang(x: Floats, start: int, out: Floats, period: int) -> None:
    """Yang's and Zhang's volatility: root of the variance of ln(open / previous close), and of the variance of
    ln(close / open) and Rogers' and Satchell's, the two weighted for the least error.
    """
    rows, result = out.shape[1], out[0]
    mean, opening, body, ranges = scratch(rows), scratch(rows), scratch(rows), scratch(rows)
    moving_mean_and_squares(x[LOG_OPENING], start, period, mean, opening)
    moving_mean_and_squares(x[LOG_BODY], start, period, mean, body)
    moving_mean(x[ROGERS_SATCHELL], start, period, ranges)
    weight = 0.34 / (1.34 + (period + 1) / (period - 1))
    for r in range(rows):
        result[r] = sqrt((opening[r] + weight * body[r]) / (period - 1) + (1.0 - weight) * ranges[r])
