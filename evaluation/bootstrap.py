"""Intervals by resampling days: the stationary bootstrap (Politis and Romano 1994) of daily sums."""

import numpy as np
from scipy.special import ndtri

from evaluation.sum_metrics import Metric, Sums
from models.forecaster import Floats

DRAWS = 1_000
BLOCK = 5
"""Mean length of a block, in days."""
FEWEST_DAYS = 10
"""The least number of days for an interval: with fewer it is unknown."""
TAILS = (0.025, 0.975)
DETECTABLE = float(ndtri(0.975) + ndtri(0.8))
"""The effect, in standard errors, that is detected at 5 % (two-sided) with a power of 80 %."""
UNKNOWN = (np.nan, np.nan, np.nan)


def draws(days: int, seed: int) -> Floats:
    """Return how often each day is in each draw: [DRAWS, days]."""
    from arch.bootstrap import StationaryBootstrap  # noqa: PLC0415 - imports matplotlib, which takes half a second

    resampled = StationaryBootstrap(BLOCK, np.arange(days), seed=seed).bootstrap(DRAWS)
    return np.array([np.bincount(positional[0], minlength=days) for positional, _ in resampled], dtype=np.float64)


def resample(daily: Sums, drawn: Floats) -> Sums:
    """Return the sums [DRAWS] of every part, from its daily sums [days]."""
    names = list(daily)
    summed = drawn @ np.stack([daily[name] for name in names], axis=1)
    return {name: summed[:, place] for place, name in enumerate(names)}


def interval(metric: Metric, resampled: Sums) -> tuple[float, float, float]:
    """Return the bounds of a metric's 95 % interval and its minimum detectable effect; NaN if draws lack it."""
    values = metric(resampled)
    if np.isnan(values).any():
        return UNKNOWN
    low, high = np.quantile(values, TAILS)
    return float(low), float(high), DETECTABLE * float(values.std())
