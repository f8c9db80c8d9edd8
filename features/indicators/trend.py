"""Trend: where the price is heading, and how steadily."""

import numpy as np

from features.averages import ema, wilder
from features.compiled import compiled
from features.frame import Floats
from features.indicators.momentum import percent_change
from features.series import CLOSE, HIGH, LOW, TRUE_RANGE
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
    rows_since_extreme,
)


@compiled
def sma(x: Floats, start: int, out: Floats, period: int) -> None:
    """Simple moving average of the close."""
    put(out, 0, moving_mean(x[CLOSE], start, period))


@compiled
def ema_of_close(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """Exponential moving average of the close, with weight 2 / (period + 1)."""
    put(out, 0, ema(state, 0, x[CLOSE, start:], period))


@compiled
def macd(x: Floats, start: int, out: Floats, state: Floats, fast: int, slow: int, signal: int) -> None:
    """MACD line (fast less slow EMA of the close), its EMA (the signal), and their difference (the histogram)."""
    close = x[CLOSE, start:]
    # The averages begin at the same bar, as in TA-Lib: the fast one leaves out the first slow - fast closes.
    late = close.copy()
    for r in range(min(len(late), int(max(slow - fast - state[6], 0)))):
        late[r] = np.nan
    state[6] += len(late)
    line = ema(state, 0, late, fast) - ema(state, 2, close, slow)
    put_difference(out, line, ema(state, 4, line, signal))


@compiled
def directional_movement(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """ADX, +DI and -DI, in percent: Wilder's sums of the directional movements over those of the true range."""
    seen, plus_sum, minus_sum, range_sum = state[0], state[1], state[2], state[3]
    index = np.full(out.shape[1], np.nan)
    for i in range(start, x.shape[1]):
        out[1, i - start] = out[2, i - start] = np.nan
        true_range = x[TRUE_RANGE, i]
        if np.isnan(true_range):
            continue
        up, down = x[HIGH, i] - x[HIGH, i - 1], x[LOW, i - 1] - x[LOW, i]
        plus = up if up > down and up > 0.0 else 0.0
        minus = down if down > up and down > 0.0 else 0.0
        # Wilder's sums begin as plain sums of the first period - 1 movements.
        seen += 1.0
        if seen < period:
            plus_sum, minus_sum, range_sum = plus_sum + plus, minus_sum + minus, range_sum + true_range
            continue
        plus_sum += plus - plus_sum / period
        minus_sum += minus - minus_sum / period
        range_sum += true_range - range_sum / period
        plus_di, minus_di = 100.0 * ratio(plus_sum, range_sum), 100.0 * ratio(minus_sum, range_sum)
        index[i - start] = 100.0 * ratio(abs(plus_di - minus_di), plus_di + minus_di)
        out[1, i - start] = plus_di
        out[2, i - start] = minus_di
    state[0], state[1], state[2], state[3] = seen, plus_sum, minus_sum, range_sum
    adx = wilder(state, 4, index, period)
    for r in range(len(adx)):
        # No movement at all has no direction: the average keeps its value, as in TA-Lib.
        out[0, r] = state[6] if np.isnan(adx[r]) and state[7] >= period else adx[r]
        if not np.isnan(index[r]):
            state[7] += 1.0
        if not np.isnan(adx[r]):
            state[6] = adx[r]


@compiled
def zscore(x: Floats, start: int, out: Floats, period: int) -> None:
    """Distance of the close from its simple average, in the window's population standard deviations."""
    mean, deviation = moving_deviation(x[CLOSE], start, period)
    for r in range(len(mean)):
        out[0, r] = ratio(x[CLOSE, start + r] - mean[r], deviation[r])


@compiled
def vortex(x: Floats, start: int, out: Floats, period: int) -> None:
    """Vortex VI+ and VI-, and their difference: sums of the ways from low to next high, or high to next low, over those
    of the true range."""
    first = start - period + 1
    high, low = x[HIGH, first:], x[LOW, first:]
    high_before, low_before = x[HIGH, first - 1 : -1], x[LOW, first - 1 : -1]
    plus, minus = np.empty(len(high)), np.empty(len(high))
    for k in range(len(high)):
        plus[k] = abs(high[k] - low_before[k])
        minus[k] = abs(low[k] - high_before[k])
    up, down = moving_sum(plus, period - 1, period), moving_sum(minus, period - 1, period)
    ranges = moving_sum(x[TRUE_RANGE], start, period)
    for r in range(len(up)):
        up[r] = ratio(up[r], ranges[r])
        down[r] = ratio(down[r], ranges[r])
    put_difference(out, up, down)


@compiled
def trix(x: Floats, start: int, out: Floats, state: Floats, period: int) -> None:
    """TRIX: change from bar to bar of the close's EMA of EMA of EMA, in percent."""
    once = ema(state, 0, x[CLOSE, start:], period)
    triple = ema(state, 4, ema(state, 2, once, period), period)
    put(out, 0, percent_change(joined(state[6:], triple), 1, 1))


@compiled
def mass_index(x: Floats, start: int, out: Floats, state: Floats, smoothing: int, period: int) -> None:
    """Mass index: the window's sum of the EMA of high - low over the EMA of that EMA; `period` where ranges stay."""
    high, low = x[HIGH, start:], x[LOW, start:]
    spans = np.empty(len(high))
    for r in range(len(spans)):
        spans[r] = high[r] - low[r]
    once = ema(state, 0, spans, smoothing)
    twice = ema(state, 2, once, smoothing)
    for r in range(len(once)):
        once[r] = ratio(once[r], twice[r])
    put(out, 0, moving_sum(joined(state[4:], once), period - 1, period))


@compiled
def detrended_price(x: Floats, start: int, out: Floats, period: int) -> None:
    """Detrended price oscillator: the close of period / 2 + 1 bars before, less the simple average of the closes."""
    mean = moving_mean(x[CLOSE], start, period)
    earlier = x[CLOSE, start - (period // 2 + 1) :]
    for r in range(len(mean)):
        out[0, r] = earlier[r] - mean[r]


@compiled
def smoothed_change(x: Floats, start: int, period: int, smoothing: int) -> Floats:
    """Return the simple average over `smoothing` bars of the close's change over `period` bars, in percent."""
    earlier = smoothing - 1
    return moving_mean(percent_change(x[CLOSE], start - earlier, period), earlier, smoothing)


@compiled
def know_sure_thing(
    x: Floats,
    start: int,
    out: Floats,
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
    earlier = signal - 1
    line = smoothed_change(x, start - earlier, roc1, smoothing1)
    second = smoothed_change(x, start - earlier, roc2, smoothing2)
    third = smoothed_change(x, start - earlier, roc3, smoothing3)
    fourth = smoothed_change(x, start - earlier, roc4, smoothing4)
    for r in range(len(line)):
        line[r] += 2.0 * second[r] + 3.0 * third[r] + 4.0 * fourth[r]
    put_difference(out, line[earlier:], moving_mean(line, earlier, signal))


@compiled
def middle_of_range(x: Floats, start: int, period: int) -> Floats:
    """Return the middle between each window's highest high and lowest low."""
    high, low = moving_max(x[HIGH], start, period), moving_min(x[LOW], start, period)
    for r in range(len(high)):
        high[r] = 0.5 * (high[r] + low[r])
    return high


@compiled
def ichimoku(x: Floats, start: int, out: Floats, short: int, middle: int, long: int) -> None:
    """Ichimoku: conversion and base line, the leading spans A and B as of this bar, and the cloud drawn at this bar,
    which is the spans of `middle` bars before. Each line is the middle of a range, span A that of the first two."""
    conversion = middle_of_range(x, start - middle, short)
    base = middle_of_range(x, start - middle, middle)
    span_b = middle_of_range(x, start - middle, long)
    put(out, 0, conversion[middle:])
    put(out, 1, base[middle:])
    for r in range(len(base)):
        base[r] = 0.5 * (conversion[r] + base[r])
    put(out, 2, base[middle:])
    put(out, 3, span_b[middle:])
    put(out, 4, base[: len(base) - middle])
    put(out, 5, span_b[: len(base) - middle])


@compiled
def smoothed_place(values: Floats, state: Floats, cycle: int, smoothing: int) -> Floats:
    """Return the EMA of the values' place in their range over `cycle` bars (0 to 100).

    Where there is no range the place stays, as Schaff has it. `state` [cycle + 3]: values, the last place, the EMA.
    """
    place = moving_place(joined(state[:cycle], values), cycle - 1, cycle, 0.0)
    last, known = state[cycle], state[cycle + 1] > 0.0
    for r in range(len(place)):
        if not np.isnan(place[r]):
            last, known = place[r], True
        elif known:
            place[r] = last
    state[cycle] = last
    return ema(state, cycle + 1, place, smoothing)


@compiled
def schaff_trend_cycle(
    x: Floats, start: int, out: Floats, state: Floats, fast: int, slow: int, cycle: int, smoothing: int
) -> None:
    """Schaff trend cycle, 0 to 100: the smoothed place of the MACD line in its range, and of that in its own."""
    line, average = ema(state, 0, x[CLOSE, start:], fast), ema(state, 2, x[CLOSE, start:], slow)
    for r in range(len(line)):
        line[r] -= average[r]
    second = 4 + cycle + 3
    place = smoothed_place(line, state[4:second], cycle, smoothing)
    put(out, 0, smoothed_place(place, state[second:], cycle, smoothing))


@compiled
def aroon(x: Floats, start: int, out: Floats, period: int) -> None:
    """Aroon up, down and oscillator (their difference), in percent: how recent the highest high and the lowest low of
    the last `period` + 1 bars are, 100 if now, 0 if `period` bars ago; of equal ones the latest counts."""
    up = rows_since_extreme(x[HIGH], start, period + 1, 1.0)
    down = rows_since_extreme(x[LOW], start, period + 1, -1.0)
    scale = 100.0 / period
    for r in range(len(up)):
        up[r] = scale * (period - up[r])
        down[r] = scale * (period - down[r])
    put_difference(out, up, down)


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
