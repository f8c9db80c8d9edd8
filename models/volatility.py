"""The scale that every model shares: an EWMA of squared one-bar log returns, causal, one number a bar."""

from math import log, sqrt

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats, Ints
from models.forecaster import JSON
from topics.units import interval_ms

HALF_LIFE = 240
"""Half-life in bars (facts: a half-life of 240 minutes on 1-minute bars)."""
MIN_RETURNS = 30
"""Returns seen before the scale counts as known."""
FLOOR = 1e-6
"""The least scale, in log return a bar: a market that stands still must not give a scale of zero."""
STATE = ("time", "close", "moment", "weight", "count")


def initial() -> JSON:
    """Return the state of a symbol that was not seen yet."""
    return {"time": -1, "close": 1.0, "moment": 0.0, "weight": 0.0, "count": 0}


def step(state: JSON, frame: FeatureFrame) -> tuple[JSON, Floats]:
    """Return the scale of one bar's log return as known at each row's close [n], NaN before `MIN_RETURNS`."""
    sigma, (time, close, moment, weight, count) = _fold(
        frame.time,
        frame.close,
        interval_ms(frame.interval),
        state["time"],
        state["close"],
        state["moment"],
        state["weight"],
        state["count"],
    )
    return {"time": time, "close": close, "moment": moment, "weight": weight, "count": count}, sigma


@compiled_and_kept
def _fold(
    times: Ints, closes: Floats, bar: int, time: int, close: float, moment: float, weight: float, count: int
) -> tuple[Floats, tuple[int, float, float, float, int]]:
    decay = 0.5 ** (1 / HALF_LIFE)
    sigma = np.full(len(times), np.nan)
    for row in range(len(times)):
        if time >= 0:
            # A return over a gap of k bars has k times the variance of one bar, and still is one observation.
            squared = log(closes[row] / close) ** 2 * bar / (times[row] - time)
            moment = decay * moment + (1 - decay) * squared
            weight = decay * weight + (1 - decay)
            count += 1
        time, close = times[row], closes[row]
        if count >= MIN_RETURNS:
            sigma[row] = max(sqrt(moment / weight), FLOOR)
    return sigma, (time, close, moment, weight, count)
