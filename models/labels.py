"""The maturity and value of labels: the one definition for learners, calibration and outcomes."""

from math import isfinite, log

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats, Ints
from topics.units import interval_ms


@compiled_and_kept
def mature(time: Ints, price: Floats, span: int, clock: Ints, close: Floats) -> tuple[Ints, Floats]:
    """Return at which row of the clock each forecast matures, and its label.

    `time` (epoch ms) and `price` are the forecasts' [n]; `span` is the horizon in ms; `clock` and `close` [m] are the
    bars that arrive after those processed before, strictly increasing. `at` [n] is the first bar at or after time +
    span, m if none has come yet. `realised` [n] is ln(close / price) where that bar is exactly at time + span and
    NaN otherwise: across a gap the outcome is unknown.
    """
    at = np.searchsorted(clock, time + span)
    realised = np.full(len(time), np.nan)
    for row in range(len(time)):
        bar = at[row]
        if bar < len(clock) and clock[bar] == time[row] + span:
            answer = log(close[bar] / price[row])
            # A price of zero or less, which only a foreign prediction can carry, has no log return.
            realised[row] = answer if isfinite(answer) else np.nan
    return at, realised


def targets(frame: FeatureFrame, sigma: Floats, horizons: tuple[int, ...], clip: float) -> Floats:
    """Return the volatility-scaled returns ln(P(t+h) / P(t)) / (sigma sqrt(h)), clipped to +-clip: [n, H].

    NaN if the frame holds no bar exactly h intervals later (the purged tail, a gap) or sigma is unknown.
    """
    bar = interval_ms(frame.interval)
    scaled = np.empty((len(frame), len(horizons)))
    for column, horizon in enumerate(horizons):
        _, realised = mature(frame.time, frame.close, horizon * bar, frame.time, frame.close)
        scaled[:, column] = realised / (sigma * np.sqrt(horizon))
    return np.clip(scaled, -clip, clip)


def moves(frame: FeatureFrame, change: Floats, horizons: tuple[int, ...]) -> Floats:
    """Return the sum of a column's changes over the bars in (t, t + h]: [n, H]; an unknown change counts as none.

    NaN if the frame holds no bar exactly h intervals later.
    """
    bar = interval_ms(frame.interval)
    level = np.concatenate([[0.0], np.cumsum(np.nan_to_num(change))])[1:]
    values = np.full((len(frame), len(horizons)), np.nan)
    for column, horizon in enumerate(horizons):
        at, realised = mature(frame.time, frame.close, horizon * bar, frame.time, frame.close)
        known = ~np.isnan(realised)
        values[known, column] = level[at[known]] - level[known]
    return values


def variances(frame: FeatureFrame, horizons: tuple[int, ...], returns: Floats | None = None) -> Floats:
    """Return the realised variance: the sum of the squared log returns of the bars in (t, t + h]: [n, H].

    Of `returns` [n] of one bar where they are given, as `models.ewma_volatility` walks them: those to learn from, not
    those to be judged by. NaN if the frame holds no bar exactly h intervals later.
    """
    if returns is None:
        squares = np.concatenate([[0.0], np.diff(np.log(frame.close)) ** 2])
    else:
        passed = np.diff(frame.time, prepend=frame.time[:1]) / interval_ms(frame.interval)
        squares = returns**2 * passed
    return np.maximum(moves(frame, squares, horizons), 0.0)


def waiting(
    time: Ints, price: Floats, sigma: Floats, horizons: tuple[int, ...], clip: float, clock: FeatureFrame
) -> tuple[Ints, Floats]:
    """Return at which row of the clock labels mature, and the volatility-scaled returns, clipped to +-clip: [n, H].

    `time`, `price` and `sigma` [n] are those of the forecasts, some from before the clock's first bar: what matured
    before it is NaN, as is what no bar exactly h intervals later answers.
    """
    at, y = np.empty((len(time), len(horizons)), dtype=np.int64), np.empty((len(time), len(horizons)))
    for column, horizon in enumerate(horizons):
        span = horizon * interval_ms(clock.interval)
        at[:, column], realised = mature(time, price, span, clock.time, clock.close)
        y[:, column] = np.clip(realised / (sigma * np.sqrt(horizon)), -clip, clip)
    return at, y
