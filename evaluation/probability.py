"""Scores of the probability of a rise. Rows whose price did not move are left out: neither direction was right."""

import numpy as np

from evaluation.sum_metrics import FEWEST, Metric, Parts, count, mean_of
from models.forecaster import Floats

EDGE = 1e-6
"""Probabilities are clipped to this distance from 0 and 1 before their log odds."""
STEPS = 50
TOLERANCE = 1e-10
BINS = 10


def parts(p_up: Floats, realised: Floats) -> Parts:
    """Return what the Brier score sums, each [n]."""
    error = np.where(realised == 0, np.nan, (p_up - (realised > 0)) ** 2)
    error = np.where(np.isnan(realised), np.nan, error)
    return {"n_brier": count(error), "brier": error}


def slope(p_up: Floats, realised: Floats) -> float:
    """Return the slope of a logistic regression of rise on the log odds of `p_up`: 1 is calibrated, below is
    overconfident.

    Newton's method, with an intercept (Cox 1958). NaN if rows are too few, p_up is constant, or no finite slope
    fits.
    """
    known = ~np.isnan(p_up) & ~np.isnan(realised) & (realised != 0)
    if known.sum() < FEWEST:
        return np.nan
    odds = np.clip(p_up[known], EDGE, 1.0 - EDGE)
    x, up = np.log(odds / (1.0 - odds)), (realised[known] > 0).astype(np.float64)
    if np.ptp(x) == 0 or np.ptp(up) == 0:
        return np.nan
    centre, width = x.mean(), x.std()
    x = (x - centre) / width
    a = b = 0.0
    for _ in range(STEPS):
        fitted = 1.0 / (1.0 + np.exp(-np.clip(a + b * x, -30.0, 30.0)))
        weight, residual = fitted * (1.0 - fitted), up - fitted
        h_aa, h_ab, h_bb = weight.sum(), weight @ x, weight @ (x * x)
        determinant = h_aa * h_bb - h_ab**2
        if determinant <= 0:
            return np.nan
        g_a, g_b = residual.sum(), residual @ x
        step_a, step_b = (h_bb * g_a - h_ab * g_b) / determinant, (h_aa * g_b - h_ab * g_a) / determinant
        a, b = a + step_a, b + step_b
        if abs(step_a) + abs(step_b) < TOLERANCE:
            return float(b / width)
    return np.nan


def curve(p_up: Floats, realised: Floats) -> list[tuple[float, float, int]]:
    """Return, for tenths of the rows by `p_up`, its mean, the share that rose, and the rows; thin bins are left out."""
    known = ~np.isnan(p_up) & ~np.isnan(realised) & (realised != 0)
    odds, up = p_up[known], realised[known] > 0
    if len(odds) < FEWEST:
        return []
    edges = np.unique(np.quantile(odds, np.arange(1, BINS) / BINS))
    place = np.searchsorted(edges, odds, side="right")
    rows = np.bincount(place)
    mean, share = np.bincount(place, odds), np.bincount(place, up)
    return [(float(mean[b] / rows[b]), float(share[b] / rows[b]), int(rows[b])) for b in np.flatnonzero(rows >= FEWEST)]


METRICS: dict[str, Metric] = {"brier": mean_of("brier", "n_brier")}
