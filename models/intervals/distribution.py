"""Shapes of a standardised return: the quantiles of a sample, and the probability of a rise."""

from math import erf, sqrt
from statistics import NormalDist

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import Floats
from topics.records import QUANTILES

MIN_LABELS = 500
"""Labels needed to trust a sample's quantiles; with fewer, a normal distribution is used."""
NORMAL = np.array([NormalDist().inv_cdf(level) for level in QUANTILES])


def sample_quantiles(standardised: Floats) -> Floats:
    """Return the quantiles [Q] of standardised returns, NaN left out; the normal's where they are too few."""
    known = standardised[~np.isnan(standardised)]
    return np.quantile(known, QUANTILES) if len(known) >= MIN_LABELS else NORMAL.copy()


def prob_up(standardised: Floats) -> Floats:
    """Return the normal probability of a rise for means in units of their scale [n, H]; NaN stays NaN."""
    return _cdf(np.ascontiguousarray(standardised).ravel()).reshape(standardised.shape)


@compiled_and_kept
def _cdf(values: Floats) -> Floats:
    result = np.empty(len(values))
    for index in range(len(values)):
        result[index] = 0.5 * (1.0 + erf(values[index] / sqrt(2.0)))
    return result
