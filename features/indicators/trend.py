"""Trend: the direction of the price and its strength."""

import numpy as np

from features.averages import average_at, averaged, ema_weight, keep, smoothed
from features.compiled import compiled, scratch
from features.extremes import moving_max, moving_min, moving_place, rows_since_extreme
from features.frame import Floats
from features.indicators.momentum import percent_change
from features.series import CLOSE, HIGH, LOW, TRUE_RANGE
from features.windows import difference, joined, moving_deviation, moving_mean, moving_sum, put, ratio


@compiled
def sma(x: Floats, start: int, out: Floats, period: int) -> None:
    """Simple moving average of the close."""
    moving_mean(x[CLOSE], start, period, out[0])


@compiled
def ema_of_close(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """Exponential moving average of the close, with weight 2 / (period + 1)."""
    smoothed(state, 0, x[CLOSE, start:], period, ema_weight(period), out[0])


@compiled
def macd(x: Floats, start: int, out: Floats, state: Floats, fast: int, slow: int, signal: int) -> None:
    """MACD line (fast less slow EMA of the close), its EMA (the signal), and their difference (the histogram)."""
    quick, lazy, signals, seen = average_at(state, 0), average_at(state, 2), average_at(state, 4), state[6]
    fast_weight, slow_weight, signal_weight = ema_weight(fast), ema_weight(slow), ema_weight(signal)
    close = x[CLOSE, start:]
    for r in range(len(close)):
        # The averages begin at the same bar, as in TA-Lib: the fast one leaves out the first slow - fast closes.
        quick, near = averaged(quick, close[r] if seen + r >= slow - fast else np.nan, fast, fast_weight)
        lazy, far = averaged(lazy, close[r], slow, slow_weight)
        line = near - far
        signals, smooth = averaged(signals, line, signal, signal_weight)
        out[0, r], out[1, r], out[2, r] = line, smooth, line - smooth
    keep(state, 0, quick)
    keep(state, 2, lazy)
    keep(state, 4, signals)
    state[6] = seen + len(close)


@compiled
def directional_movement(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """ADX, +DI and -DI, in percent: Wilder's sums of the directional movements over those of the true range."""
    seen, plus_sum, minus_sum, range_sum = state[0], state[1], state[2], state[3]
    average, latest, weight = average_at(state, 4), state[6], 1.0 / period
    for i in range(start, x.shape[1]):
        r, plus_di, minus_di, index = i - start, np.nan, np.nan, np.nan
        true_range = x[TRUE_RANGE, i]
        up, down = x[HIGH, i] - x[HIGH, i - 1], x[LOW, i - 1] - x[LOW, i]
        plus = up if up > down and up > 0.0 else 0.0
        minus = down if down > up and down > 0.0 else 0.0
        # Wilder's sums begin as plain sums of the first period - 1 movements.
        if not np.isnan(true_range):
            seen += 1.0
            if seen < period:
                plus_sum, minus_sum, range_sum = plus_sum + plus, minus_sum + minus, range_sum + true_range
            else:
                plus_sum += plus - plus_sum / period
                minus_sum += minus - minus_sum / period
                range_sum += true_range - range_sum / period
                plus_di, minus_di = 100.0 * ratio(plus_sum, range_sum), 100.0 * ratio(minus_sum, range_sum)
                index = 100.0 * ratio(abs(plus_di - minus_di), plus_di + minus_di)
        # No movement at all has no direction: the average keeps its value, as in TA-Lib.
        known = average[0] >= period
        average, smooth = averaged(average, index, period, weight)
        if not np.isnan(smooth):
            latest = smooth
        out[0, r] = latest if known else smooth
        out[1, r], out[2, r] = plus_di, minus_di
    state[0], state[1], state[2], state[3], state[6] = seen, plus_sum, minus_sum, range_sum, latest
    keep(state, 4, average)


@compiled
def zscore(x: Floats, start: int, out: Floats, period: int) -> None:
    """Distance of the close from its simple average, in the window's population standard deviations."""
    close, score, mean, deviation = x[CLOSE, start:], out[0], scratch(out.shape[1]), scratch(out.shape[1])
    moving_deviation(x[CLOSE], start, period, mean, deviation)
    for r in range(len(score)):
        score[r] = ratio(close[r] - mean[r], deviation[r])


@compiled
def vortex(x: Floats, start: int, out: Floats, period: int) -> None:
    """Vortex VI+ and VI-, and their difference: sums of the ways from low to next high, or high to next low, over those
    of the true range."""
    first, rows, up, down = start - period + 1, out.shape[1], out[0], out[1]
    high, low, high_before, low_before = x[HIGH, first:], x[LOW, first:], x[HIGH, first - 1 :], x[LOW, first - 1 :]
    plus, minus, ranges = scratch(period - 1 + rows), scratch(period - 1 + rows), scratch(rows)
    for k in range(len(plus)):
        plus[k] = abs(high[k] - low_before[k])
    for k in range(len(minus)):
        minus[k] = abs(low[k] - high_before[k])
    moving_sum(plus, period - 1, period, up)
    moving_sum(minus, period - 1, period, down)
    moving_sum(x[TRUE_RANGE], start, period, ranges)
    for r in range(rows):
        up[r] = ratio(up[r], ranges[r])
        down[r] = ratio(down[r], ranges[r])
    difference(up, down, out[2])


@compiled
def trix(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """TRIX: change from bar to bar of the close's EMA of EMA of EMA, in percent."""
    once, twice, thrice, weight = average_at(state, 0), average_at(state, 2), average_at(state, 4), ema_weight(period)
    before = state[7] if state[6] > 0.0 else np.nan
    close, change = x[CLOSE, start:], out[0]
    for r in range(len(close)):
        once, value = averaged(once, close[r], period, weight)
        twice, value = averaged(twice, value, period, weight)
        thrice, value = averaged(thrice, value, period, weight)
        change[r] = 100.0 * (value / before - 1.0)
        before = value
    keep(state, 0, once)
    keep(state, 2, twice)
    keep(state, 4, thrice)
    state[6], state[7] = 1.0, before


@compiled
def mass_index(x: Floats, start: int, out: Floats, state: Floats, smoothing: int, period: int) -> None:
    """Mass index: the window's sum of the EMA of high - low over the EMA of that EMA; `period` where ranges stay."""
    once, twice, weight = average_at(state, 0), average_at(state, 2), ema_weight(smoothing)
    high, low, ratios, series = x[HIGH, start:], x[LOW, start:], out[0], scratch(period - 1 + out.shape[1])
    for r in range(len(ratios)):
        once, width = averaged(once, high[r] - low[r], smoothing, weight)
        twice, usual = averaged(twice, width, smoothing, weight)
        ratios[r] = ratio(width, usual)
    keep(state, 0, once)
    keep(state, 2, twice)
    joined(state[4:], ratios, series)
    moving_sum(series, period - 1, period, out[0])


@compiled
def detrended_price(x: Floats, start: int, out: Floats, period: int) -> None:
    """Detrended price oscillator: the close of period / 2 + 1 bars before, less the simple average of the closes."""
    moving_mean(x[CLOSE], start, period, out[0])
    difference(x[CLOSE, start - (period // 2 + 1) :], out[0], out[0])


@compiled
def smoothed_change(x: Floats, start: int, period: int, smoothing: int, result: Floats) -> None:
    """Fill the simple average over `smoothing` bars of the close's change over `period` bars, in percent."""
    changes = scratch(smoothing - 1 + len(result))
    percent_change(x[CLOSE], start - smoothing + 1, period, changes)
    moving_mean(changes, smoothing - 1, smoothing, result)


@compiled
def know_sure_thing(  # noqa: PLR0913 - numba takes arrays and numbers, not records
    x: Floats,
    start: int,
    out: Floats,
    state: Floats,
    roc1: int,
    roc2: int,
    roc3: int,
    roc4: int,
    smoothing1: int,
    smoothing2: int,
    smoothing3: int,
    smoothing4: int,
    signal: int,
) -> None:
    """Pring's Know Sure Thing, its simple average (the signal), and their difference: four smoothed changes of the
    close, the longer the weightier (1 to 4)."""
    rows, line = out.shape[1], out[0]
    second, third, fourth, lines = scratch(rows), scratch(rows), scratch(rows), scratch(signal - 1 + rows)
    smoothed_change(x, start, roc1, smoothing1, line)
    smoothed_change(x, start, roc2, smoothing2, second)
    smoothed_change(x, start, roc3, smoothing3, third)
    smoothed_change(x, start, roc4, smoothing4, fourth)
    for r in range(rows):
        line[r] += 2.0 * second[r] + 3.0 * third[r] + 4.0 * fourth[r]
    joined(state, line, lines)
    moving_mean(lines, signal - 1, signal, out[1])
    difference(line, out[1], out[2])


@compiled
def middle_of_range(x: Floats, start: int, period: int, middle: Floats) -> None:
    """Fill the middle between each window's highest high and lowest low."""
    low = scratch(len(middle))
    moving_max(x[HIGH], start, period, middle)
    moving_min(x[LOW], start, period, low)
    for r in range(len(middle)):
        middle[r] = 0.5 * (middle[r] + low[r])


@compiled
def ichimoku(x: Floats, start: int, out: Floats, state: Floats, short: int, middle: int, long: int) -> None:
    """Ichimoku: conversion and base line, the leading spans A and B as of this bar, and the cloud drawn at this bar,
    which is the spans of `middle` bars before. Each line is the middle of a range, span A that of the first two."""
    conversion, base, span_a, cloud = out[0], out[1], out[2], scratch(middle + out.shape[1])
    middle_of_range(x, start, short, conversion)
    middle_of_range(x, start, middle, base)
    for r in range(len(span_a)):
        span_a[r] = 0.5 * (conversion[r] + base[r])
    middle_of_range(x, start, long, out[3])
    joined(state[: 1 + middle], span_a, cloud)
    put(cloud, out[4])
    joined(state[1 + middle :], out[3], cloud)
    put(cloud, out[5])


@compiled
def smoothed_place(values: Floats, state: Floats, cycle: int, smoothing: int) -> None:
    """Turn values into the EMA of their place in their range over `cycle` bars (0 to 100).

    Where there is no range the place stays, as Schaff has it. `state` [cycle + 4]: values, the last place, the EMA.
    """
    series = scratch(cycle - 1 + len(values))
    joined(state[:cycle], values, series)
    moving_place(series, cycle - 1, cycle, 0.0, values)
    last, known, average = state[cycle], state[cycle + 1] > 0.0, average_at(state, cycle + 2)
    weight = ema_weight(smoothing)
    for r in range(len(values)):
        if not np.isnan(values[r]):
            last, known = values[r], True
        average, values[r] = averaged(average, last if known else np.nan, smoothing, weight)
    state[cycle], state[cycle + 1] = last, 1.0 if known else 0.0
    keep(state, cycle + 2, average)


@compiled
def schaff_trend_cycle(
    x: Floats, start: int, out: Floats, state: Floats, fast: int, slow: int, cycle: int, smoothing: int
) -> None:
    """Schaff trend cycle, 0 to 100: the smoothed place of the MACD line in its range, and of that in its own."""
    quick, lazy, close, line = average_at(state, 0), average_at(state, 2), x[CLOSE, start:], out[0]
    fast_weight, slow_weight = ema_weight(fast), ema_weight(slow)
    for r in range(len(close)):
        quick, near = averaged(quick, close[r], fast, fast_weight)
        lazy, far = averaged(lazy, close[r], slow, slow_weight)
        line[r] = near - far
    keep(state, 0, quick)
    keep(state, 2, lazy)
    second = 4 + cycle + 4
    smoothed_place(line, state[4:second], cycle, smoothing)
    smoothed_place(line, state[second:], cycle, smoothing)


@compiled
def aroon(x: Floats, start: int, out: Floats, period: int) -> None:
    """Aroon up, down and oscillator (their difference), in percent: how recent the highest high and the lowest low of
    the last `period` + 1 bars are, 100 if now, 0 if `period` bars ago; of equal ones the latest counts."""
    up, down, scale = out[0], out[1], 100.0 / period
    rows_since_extreme(x[HIGH], start, period + 1, 1.0, up)
    rows_since_extreme(x[LOW], start, period + 1, -1.0, down)
    for r in range(len(up)):
        up[r] = scale * (period - up[r])
        down[r] = scale * (period - down[r])
    difference(up, down, out[2])


@compiled
def parabolic_sar(x: Floats, start: int, out: Floats, state: Floats, step: float, limit: float) -> None:
    """Wilder's parabolic stop and reverse; whether its trend is up, so that it lies below the price (else above); and
    whether the trend turned up, or down, at this bar."""
    begun, rising = state[0] > 0.0, state[1] > 0.0
    sar, extreme, acceleration = state[2], state[3], state[4]
    high, low = x[HIGH, start - 1 :], x[LOW, start - 1 :]
    for r in range(out.shape[1]):
        high_before, low_before = high[r], low[r]
        if np.isnan(low_before):
            out[0, r] = out[1, r] = out[2, r] = out[3, r] = np.nan
            continue
        if not begun:
            fell, rose = low[r] - low[r + 1], high[r + 1] - high[r]
            rising = not (fell > 0.0 and fell > rose)
            sar, extreme = (low[r], high[r + 1]) if rising else (-high[r], -low[r + 1])
            acceleration, begun = step, True
            high_before, low_before = high[r + 1], low[r + 1]
        # Prices of a falling trend are turned upside down, so that the stop is always below them.
        bottom, top = (low[r + 1], high[r + 1]) if rising else (-high[r + 1], -low[r + 1])
        bottom_before = low_before if rising else -high_before
        turned = bottom <= sar
        if turned:
            rising = not rising
            bottom, top = -top, -bottom
            bottom_before = low_before if rising else -high_before
            sar, extreme, acceleration = min(-extreme, bottom_before, bottom), top, step
        out[0, r] = sar if rising else -sar
        out[1, r] = 1.0 if rising else 0.0
        out[2, r] = 1.0 if turned and rising else 0.0
        out[3, r] = 1.0 if turned and not rising else 0.0
        if top > extreme:
            extreme, acceleration = top, min(acceleration + step, limit)
        sar = min(sar + acceleration * (extreme - sar), bottom_before, bottom)
    state[0], state[1] = 1.0 if begun else 0.0, 1.0 if rising else 0.0
    state[2], state[3], state[4] = sar, extreme, acceleration
