"""When a label has matured, and what it is: the one definition for learners, calibration and outcomes."""

from math import isfinite, log

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats, Ints
from topics.units import interval_ms


@compiled_and_kept
def mature(time: Ints, price: Floats, span: int, clock: Ints, close: Floats) -> tuple[Ints, Floats]:
    """Return at which row of the clock each forecast matures, and its label.

    `time` (epoch ms) and `price` are the forecasts' [n]; `span` is the horizon in ms; `clock` and `close` [m] are the
    bars that arrive after whatever was judged before, strictly increasing. `at` [n] is the first bar at or after time +
    span, m where none has come yet. `realised` [n] is ln(close / price) where that bar is exactly at time + span and
    NaN otherwise: across a gap the market's answer is unknown.
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

    NaN where the frame holds no bar exactly h intervals later (the purged tail, a gap) or sigma is unknown.
    """
    bar = interval_ms(frame.interval)
    scaled = np.empty((len(frame), len(horizons)))
    for column, horizon in enumerate(horizons):
        _, realised = mature(frame.time, frame.close, horizon * bar, frame.time, frame.close)
        scaled[:, column] = realised / (sigma * np.sqrt(horizon))
    return np.clip(scaled, -clip, clip)


def moves(frame: FeatureFrame, change: Floats, horizons: tuple[int, ...]) -> Floats:
    """Return the sum of a column's changes over the bars in (t, t + h]: [n, H]; an unknown change counts as none.

    NaN where the frame holds no bar exactly h intervals later.
    """
    bar = interval_ms(frame.interval)
    level = np.concatenate([[0.0], np.cumsum(np.nan_to_num(change))])[1:]
    found = np.full((len(frame), len(horizons)), np.nan)
    for column, horizon in enumerate(horizons):
        at, realised = mature(frame.time, frame.close, horizon * bar, frame.time, frame.close)
        known = ~np.isnan(realised)
        found[known, column] = level[at[known]] - level[known]
    return found


def variances(frame: FeatureFrame, horizons: tuple[int, ...]) -> Floats:
    """Return the realised variance: the sum of the squared log returns of the bars in (t, t + h]: [n, H].

    NaN where the frame holds no bar exactly h intervals later.
    """
    squares = np.concatenate([[0.0], np.diff(np.log(frame.close)) ** 2])
    return np.maximum(moves(frame, squares, horizons), 0.0)
