"""How forecasts of probabilities agree with what came true: the PIT histogram and the reliability of p_up.

Labels of horizon h overlap, so that n rows tell about as much as n / h independent ones: the intervals here take that
number, `independent`.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from evaluation.probability import curve
from models.forecaster import Floats
from topics.records import QUANTILES

EDGES = np.array([0.0, *QUANTILES, 1.0])
NORMAL_95 = float(ndtri(0.975))


class PitBin(NamedTuple):
    """The outcomes between two levels of the forecast distribution.

    `share` of the rows lie there. `density` is that over the nominal share: 1 if calibrated; 95 % of calibrated
    forecasts stay within `low` and `high`.
    """

    start: float
    end: float
    share: float
    density: float
    low: float
    high: float


class ReliabilityPoint(NamedTuple):
    """A tenth of the rows by `p_up`: its mean, the share that rose with its 95 % interval, and the rows."""

    p_up: float
    rose: float
    low: float
    high: float
    rows: int


def pit_histogram(quantiles: Floats, realised: Floats, horizon: int) -> list[PitBin]:
    """Return the histogram of the probability integral transform, from quantiles [n, Q]; empty without a known row.

    Forecasts are known at the levels of the quantiles alone, so the bins are what lies between these.
    """
    known = ~np.isnan(quantiles).any(axis=1) & ~np.isnan(realised)
    if not known.any():
        return []
    place = (realised[known, None] > quantiles[known]).sum(axis=1)
    share = np.bincount(place, minlength=len(EDGES) - 1) / known.sum()
    nominal = np.diff(EDGES)
    error = NORMAL_95 * np.sqrt(nominal * (1.0 - nominal) / (known.sum() / horizon)) / nominal
    return [
        PitBin(*row)
        for row in np.stack(
            [EDGES[:-1], EDGES[1:], share, share / nominal, np.maximum(1.0 - error, 0.0), 1.0 + error], axis=1
        ).tolist()
    ]


def reliability(p_up: Floats, realised: Floats, horizon: int) -> list[ReliabilityPoint]:
    """Return the points of `evaluation.probability.curve` with their intervals."""
    return [ReliabilityPoint(p, rose, *wilson(rose, rows / horizon), rows) for p, rose, rows in curve(p_up, realised)]


def wilson(share: float, independent: float) -> tuple[float, float]:
    """Return the 95 % interval of a share of so many independent trials (Wilson 1927)."""
    size = NORMAL_95**2 / independent
    centre = (share + size / 2.0) / (1.0 + size)
    half = NORMAL_95 * np.sqrt((share * (1.0 - share) + size / 4.0) / independent)
    half /= 1.0 + size
    return float(centre - half), float(centre + half)
