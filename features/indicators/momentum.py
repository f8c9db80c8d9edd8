"""Momentum: how far and how fast the price has moved."""

from math import log

import numpy as np

from features.averages import average_at, averaged, ema_weight, keep
from features.compiled import compiled, scratch
from features.extremes import moving_max, moving_min, moving_place
from features.frame import Floats
from features.series import CLOSE, HIGH, LOW, TRUE_RANGE, TYPICAL, VOLUME
from features.windows import difference, joined, moving_deviation, moving_mean, moving_sum, ratio

STILL = 1e-9
"""The range of the RSI, in percent, below which it counts as constant: at a constant price it varies by rounding
only."""


@compiled
def log_return(x: Floats, start: int, out: Floats, period: int) -> None:
    """ln(close / close `period` bars before)."""
    close, before, change = x[CLOSE, start:], x[CLOSE, start - period :], out[0]
    for r in range(len(change)):
        change[r] = log(close[r] / before[r])


@compiled
def relative_strength(x: Floats, start: int, state: Floats, period: int, result: Floats) -> None:
    """Fill the RSI of each new row: the gains' share of gains and losses, each in Wilder's average, in percent."""
    gains, losses, weight = average_at(state, 0), average_at(state, 2), 1.0 / period
    close, before = x[CLOSE, start:], x[CLOSE, start - 1 :]
    for r in range(len(result)):
        change = close[r] - before[r]
        gains, gain = averaged(gains, change if change > 0.0 else 0.0 * change, period, weight)  # NaN at the first bar
        losses, loss = averaged(losses, -change if change < 0.0 else 0.0 * change, period, weight)
        result[r] = 100.0 * ratio(gain, gain + loss)
    keep(state, 0, gains)
    keep(state, 2, losses)


@compiled
def rsi(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """Relative strength index, in percent: the gains' share of gains and losses, each in Wilder's average."""
    relative_strength(x, start, state, period, out[0])


@compiled
def place_in_range(x: Floats, start: int, period: int, place: Floats) -> None:
    """Fill where each close lies between the window's lowest low (0) and highest high (100)."""
    high = scratch(len(place))
    moving_min(x[LOW], start, period, place)
    moving_max(x[HIGH], start, period, high)
    close = x[CLOSE, start:]
    for r in range(len(place)):
        place[r] = 100.0 * ratio(close[r] - place[r], high[r] - place[r])


@compiled
def stochastic(x: Floats, start: int, out: Floats, state: Floats, period: int, smoothing: int) -> None:
    """Stochastic oscillator, in percent: %K, the close's place in the window's range, and %D, its simple average."""
    places = scratch(smoothing - 1 + out.shape[1])
    place_in_range(x, start, period, out[0])
    joined(state, out[0], places)
    moving_mean(places, smoothing - 1, smoothing, out[1])


@compiled
def williams_r(x: Floats, start: int, out: Floats, period: int) -> None:
    """Williams %R, from -100 (close at the window's low) to 0 (at its high)."""
    place = out[0]
    place_in_range(x, start, period, place)
    for r in range(len(place)):
        place[r] -= 100.0


@compiled
def cci(x: Floats, start: int, out: Floats, period: int) -> None:
    """Commodity channel index: the typical price's distance from its average, over 0.015 mean absolute deviations."""
    typical, rows = x[TYPICAL], out.shape[1]
    mean, deviation, absolute, index = scratch(rows), scratch(rows), scratch(rows), out[0]
    moving_deviation(typical, start, period, mean, deviation)
    for r in range(rows):
        absolute[r] = 0.0
    for k in range(period):
        earlier = typical[start - k :]
        for r in range(rows):
            absolute[r] += abs(earlier[r] - mean[r])
    latest = typical[start:]
    for r in range(rows):
        # The deviation is exactly 0 in a constant window, where rounding of the mean could leave `absolute` above it.
        distance = latest[r] - mean[r]
        index[r] = distance / (0.015 * absolute[r] / period) if deviation[r] != 0.0 else np.nan


@compiled
def percent_change(values: Floats, start: int, period: int, result: Floats) -> None:
    """Fill the change of the values over `period` rows, in percent."""
    now, before = values[start:], values[start - period :]
    for r in range(len(result)):
        result[r] = 100.0 * (now[r] / before[r] - 1.0)


@compiled
def rate_of_change(x: Floats, start: int, out: Floats, period: int) -> None:
    """Change of the close over `period` bars, in percent."""
    percent_change(x[CLOSE], start, period, out[0])


@compiled
def stochastic_rsi(
    x: Floats, start: int, out: Floats, state: Floats, period: int, smoothing: int, smoothing_of_k: int
) -> None:
    """Stochastic RSI, in percent: the RSI's place in its own range over `period` bars; %K, its simple average; and %D,
    that of %K."""
    rows, places_at = out.shape[1], 4 + period
    ks_at = places_at + smoothing
    index, indexes = scratch(rows), scratch(period - 1 + rows)
    places, ks = scratch(smoothing - 1 + rows), scratch(smoothing_of_k - 1 + rows)
    relative_strength(x, start, state, period, index)
    joined(state[4:places_at], index, indexes)
    moving_place(indexes, period - 1, period, STILL, out[0])
    joined(state[places_at:ks_at], out[0], places)
    moving_mean(places, smoothing - 1, smoothing, out[1])
    joined(state[ks_at : ks_at + smoothing_of_k], out[1], ks)
    moving_mean(ks, smoothing_of_k - 1, smoothing_of_k, out[2])


@compiled
def true_strength(x: Floats, start: int, out: Floats, state: Floats, slow: int, fast: int) -> None:
    """True strength index, -100 to 100: the close's changes, in an EMA of an EMA, over their sizes in the same."""
    changes, changes2 = average_at(state, 0), average_at(state, 2)
    sizes, sizes2 = average_at(state, 4), average_at(state, 6)
    close, before, index = x[CLOSE, start:], x[CLOSE, start - 1 :], out[0]
    slow_weight, fast_weight = ema_weight(slow), ema_weight(fast)
    for r in range(len(index)):
        move = close[r] - before[r]
        changes, change = averaged(changes, move, slow, slow_weight)
        changes2, change = averaged(changes2, change, fast, fast_weight)
        sizes, size = averaged(sizes, abs(move), slow, slow_weight)
        sizes2, size = averaged(sizes2, size, fast, fast_weight)
        index[r] = 100.0 * ratio(change, size)
    keep(state, 0, changes)
    keep(state, 2, changes2)
    keep(state, 4, sizes)
    keep(state, 6, sizes2)


@compiled
def ultimate_oscillator(x: Floats, start: int, out: Floats, short: int, middle: int, long: int) -> None:
    """Ultimate oscillator, in percent: the close's height above the true low, over the true range, both summed over
    three windows; the shorter ones weigh more (4, 2, 1)."""
    first, rows, index = start - long + 1, out.shape[1], out[0]
    low, before, close, ranges = x[LOW, first:], x[CLOSE, first - 1 :], x[CLOSE, first:], x[TRUE_RANGE, first:]
    pressure, risen, moved = scratch(long - 1 + rows), scratch(rows), scratch(rows)
    for k in range(len(pressure)):
        # The true low is unknown at the first bar, where the true range is.
        pressure[k] = close[k] - (before[k] if before[k] < low[k] else low[k])
    for weight, period in ((4.0, short), (2.0, middle), (1.0, long)):
        moving_sum(pressure, long - 1, period, risen)
        moving_sum(ranges, long - 1, period, moved)
        for r in range(rows):
            share = weight / 7.0 * 100.0 * ratio(risen[r], moved[r])
            index[r] = share if period == short else index[r] + share


@compiled
def awesome_oscillator(x: Floats, start: int, out: Floats, short: int, long: int) -> None:
    """Awesome oscillator: a short less a long simple average of the middles of the bars, (high + low) / 2."""
    first, rows = start - long + 1, out.shape[1]
    high, low = x[HIGH, first:], x[LOW, first:]
    middle, fast, slow = scratch(long - 1 + rows), scratch(rows), scratch(rows)
    for k in range(len(middle)):
        middle[k] = 0.5 * (high[k] + low[k])
    moving_mean(middle, long - 1, short, fast)
    moving_mean(middle, long - 1, long, slow)
    difference(fast, slow, out[0])


@compiled
def percentage_oscillator(values: Floats, out: Floats, state: Floats, fast: int, slow: int, signal: int) -> None:
    """Fill a line (a fast EMA's distance from a slow one, in percent of that), its EMA (the signal), the difference."""
    quick, lazy, signals = average_at(state, 0), average_at(state, 2), average_at(state, 4)
    fast_weight, slow_weight, signal_weight = ema_weight(fast), ema_weight(slow), ema_weight(signal)
    for r in range(out.shape[1]):
        quick, near = averaged(quick, values[r], fast, fast_weight)
        lazy, far = averaged(lazy, values[r], slow, slow_weight)
        line = 100.0 * ratio(near - far, far)
        signals, smooth = averaged(signals, line, signal, signal_weight)
        out[0, r], out[1, r], out[2, r] = line, smooth, line - smooth
    keep(state, 0, quick)
    keep(state, 2, lazy)
    keep(state, 4, signals)


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
    first, rows = start - period + 1, out.shape[1]
    close, before = x[CLOSE, first:], x[CLOSE, first - 1 :]
    steps, way = scratch(period - 1 + rows), scratch(rows)
    for k in range(len(steps)):
        steps[k] = abs(close[k] - before[k])
    moving_sum(steps, period - 1, period, way)
    quick, lazy = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0)
    latest = x[CLOSE, start:]
    for r in range(rows):
        net = abs(latest[r] - before[r])
        weight = (1.0 if way[r] <= net else net / way[r]) * (quick - lazy) + lazy
        way[r] = weight * weight
    begun, average = state[0] > 0.0, state[1]
    for r in range(rows):
        if np.isnan(way[r]):
            out[0, r] = np.nan
            continue
        if not begun:
            average, begun = x[CLOSE, start - 1 + r], True
        average += way[r] * (latest[r] - average)
        out[0, r] = average
    state[0], state[1] = 1.0 if begun else 0.0, average
