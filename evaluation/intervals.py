"""Scores of quantiles: proper scores, in units of the shared scale sigma sqrt(h), and coverage."""

import numpy as np

from evaluation.sum_metrics import Metric, Parts, count, mean_of
from models.forecaster import Floats
from topics.records import QUANTILES

LEVELS = np.array(QUANTILES)
MISSED = 2.0 / (1.0 - (QUANTILES[-1] - QUANTILES[0]))
"""The Winkler score's penalty per unit outside the 90 % interval: 2 / alpha."""


def level_weights(levels: Floats) -> Floats:
    """Return how much of the levels from 0 to 1 lies nearest to each of those given: [Q], with the sum 1.

    >>> level_weights(np.array([0.25, 0.5, 0.75])).tolist()
    [0.375, 0.25, 0.375]
    """
    edges = np.concatenate([[0.0], (levels[1:] + levels[:-1]) / 2, [1.0]])
    return np.diff(edges)


WEIGHTS = level_weights(LEVELS)


def parts(quantiles: Floats, realised: Floats, unit: Floats) -> Parts:
    """Return what the interval metrics sum, each [n], for quantiles [n, Q].

    The continuous ranked probability score is twice the integral of the pinball loss over all levels (Gneiting and
    Ranjan 2011), here the sum over the seven levels, weighted by what lies nearest to each: about 2 % below the exact
    value for a normal distribution, by the same rule for every model.
    """
    y = realised / unit
    pinball, crps = np.zeros(len(y)), np.zeros(len(y))
    for place, (level, weight) in enumerate(zip(LEVELS, WEIGHTS, strict=True)):
        miss = y - quantiles[:, place] / unit
        loss = np.maximum(level * miss, (level - 1.0) * miss)
        pinball += loss / len(LEVELS)
        crps += 2.0 * weight * loss
    low, high = quantiles[:, 0] / unit, quantiles[:, -1] / unit
    winkler = high - low + MISSED * (np.maximum(low - y, 0.0) + np.maximum(y - high, 0.0))
    return {
        "n_intervals": count(pinball),
        "pinball": pinball,
        "crps": crps,
        "winkler": winkler,
        "inside_90": np.where(np.isnan(pinball), np.nan, inside(quantiles, realised, 0)),
        "inside_50": np.where(np.isnan(pinball), np.nan, inside(quantiles, realised, 2)),
    }


def inside(quantiles: Floats, realised: Floats, place: int) -> Floats:
    """Return 1 where the return [n] lies between the quantile at this place and its mirror image, else 0."""
    low, high = quantiles[:, place], quantiles[:, -1 - place]
    return ((low <= realised) & (realised <= high)).astype(np.float64)


METRICS: dict[str, Metric] = {
    "pinball": mean_of("pinball", "n_intervals"),
    "crps": mean_of("crps", "n_intervals"),
    "winkler": mean_of("winkler", "n_intervals"),
    "coverage_90": mean_of("inside_90", "n_intervals"),
    "coverage_50": mean_of("inside_50", "n_intervals"),
}
