"""Momentum: how far and how fast the price has moved."""

from math import log

import numpy as np

from features.averages import ema, wilder
from features.compiled import compiled
from features.frame import Floats
from features.series import CLOSE, HIGH, LOW, TRUE_RANGE, TYPICAL, VOLUME
from features.windows import (
    joined,
    moving_deviation,
    moving_max,
    moving_mean,
    moving_min,
    moving_place,
    moving_sum,
    put,
    put_difference,
    ratio,
)

STILL = 1e-9
"""A range of the RSI, in percent, that is none: in a price that stands still it moves by rounding alone."""


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
def percent_change(values: Floats, start: int, period: int) -> Floats:
    """Return the change of the values over `period` rows, in percent."""
    now, before = values[start:], values[start - period :]
    result = np.empty(len(now))
    for r in range(len(now)):
        result[r] = 100.0 * (now[r] / before[r] - 1.0)
    return result


@compiled
def rate_of_change(x: Floats, start: int, out: Floats, period: int) -> None:
    """Change of the close over `period` bars, in percent."""
    put(out, 0, percent_change(x[CLOSE], start, period))


@compiled
def stochastic_rsi(
    x: Floats, start: int, out: Floats, state: Floats, period: int, smoothing: int, smoothing_of_k: int
) -> None:
    """Stochastic RSI, in percent: the RSI's place in its own range over `period` bars; %K, its simple average; and %D,
    that of %K."""
    before_d = smoothing_of_k - 1
    before = before_d + smoothing - 1
    index = joined(state[4:], relative_strength(x, start, state, period))
    place = moving_place(index, period - 1, period, STILL)
    k = moving_mean(place, smoothing - 1, smoothing)
    put(out, 0, place[before:])
    put(out, 1, k[before_d:])
    put(out, 2, moving_mean(k, before_d, smoothing_of_k))


@compiled
def true_strength(x: Floats, start: int, out: Floats, state: Floats, slow: int, fast: int) -> None:
    """True strength index, -100 to 100: the close's changes, in an EMA of an EMA, over their sizes in the same."""
    close = x[CLOSE, start - 1 :]
    change, size = np.empty(len(close) - 1), np.empty(len(close) - 1)
    for r in range(len(change)):
        change[r] = close[r + 1] - close[r]
        size[r] = abs(change[r])
    change = ema(state, 2, ema(state, 0, change, slow), fast)
    size = ema(state, 6, ema(state, 4, size, slow), fast)
    for r in range(len(change)):
        out[0, r] = 100.0 * ratio(change[r], size[r])


@compiled
def ultimate_oscillator(x: Floats, start: int, out: Floats, short: int, middle: int, long: int) -> None:
    """Ultimate oscillator, in percent: the close's height above the true low, over the true range, both summed over
    three windows; the shorter ones weigh more (4, 2, 1)."""
    first = start - long + 1
    low, before, close = x[LOW, first:], x[CLOSE, first - 1 :], x[CLOSE, first:]
    pressure = np.empty(len(close))
    for k in range(len(close)):
        # The true low is unknown at the first bar, where the true range is.
        pressure[k] = close[k] - (before[k] if before[k] < low[k] else low[k])
    ranges = x[TRUE_RANGE, first:]
    for weight, period in ((4.0, short), (2.0, middle), (1.0, long)):
        risen, moved = moving_sum(pressure, long - 1, period), moving_sum(ranges, long - 1, period)
        for r in range(len(risen)):
            share = weight / 7.0 * 100.0 * ratio(risen[r], moved[r])
            out[0, r] = share if period == short else out[0, r] + share


@compiled
def awesome_oscillator(x: Floats, start: int, out: Floats, short: int, long: int) -> None:
    """Awesome oscillator: a short less a long simple average of the middles of the bars, (high + low) / 2."""
    first = start - long + 1
    high, low = x[HIGH, first:], x[LOW, first:]
    middle = np.empty(len(high))
    for k in range(len(high)):
        middle[k] = 0.5 * (high[k] + low[k])
    fast, slow = moving_mean(middle, long - 1, short), moving_mean(middle, long - 1, long)
    for r in range(len(fast)):
        out[0, r] = fast[r] - slow[r]


@compiled
def percentage_oscillator(values: Floats, out: Floats, state: Floats, fast: int, slow: int, signal: int) -> None:
    """Fill a line (a fast EMA's distance from a slow one, in percent of that), its EMA (the signal), the difference."""
    line, average = ema(state, 0, values, fast), ema(state, 2, values, slow)
    for r in range(len(line)):
        line[r] = 100.0 * ratio(line[r] - average[r], average[r])
    put_difference(out, line, ema(state, 4, line, signal))


@compiled
def percentage_price(x: Floats, start: int, out: Floats, state: Floats, fast: int, slow: int, signal: int) -> None:
    """Percentage price oscillator: the MACD line in percent of the slow EMA; its EMA (the signal); their difference."""
    percentage_oscillator(x[CLOSE, start:], out, state, fast, slow, signal)


@compiled
def percentage_volume(x: Floats, start: int, out: Floats, state: Floats, fast: int, slow: int, signal: int) -> None:
    """Percentage volume oscillator: the fast EMA of the volume, in percent above the slow one; its EMA (the signal);
    their difference. A bar of unknown volume has none and does not enter the averages."""
    percentage_oscillator(x[VOLUME, start:], out, state, fast, slow, signal)


@compiled
def adaptive_average(x: Floats, start: int, out: Floats, state: Floats, period: int, fast: int, slow: int) -> None:
    """Kaufman's adaptive average of the close: between an EMA of `fast` and one of `slow` bars, the nearer the fast one
    the straighter the way of the last `period` bars. A price that stands still goes straight, as in TA-Lib."""
    first = start - period + 1
    close, before = x[CLOSE, first:], x[CLOSE, first - 1 :]
    steps = np.empty(len(close))
    for k in range(len(close)):
        steps[k] = abs(close[k] - before[k])
    way = moving_sum(steps, period - 1, period)
    quick, lazy = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0)
    for r in range(len(way)):
        net = abs(close[period - 1 + r] - before[r])
        weight = (1.0 if way[r] <= net else net / way[r]) * (quick - lazy) + lazy
        way[r] = weight * weight
    begun, average = state[0] > 0.0, state[1]
    for r in range(len(way)):
        if np.isnan(way[r]):
            out[0, r] = np.nan
            continue
        if not begun:
            average, begun = before[period - 1 + r], True
        average += way[r] * (close[period - 1 + r] - average)
        out[0, r] = average
    state[0], state[1] = 1.0 if begun else 0.0, average
