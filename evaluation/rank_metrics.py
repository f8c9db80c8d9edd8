"""Metrics that need the rows' order, and so are no function of sums."""

import numpy as np

from evaluation.point import standardised
from evaluation.sum_metrics import FEWEST
from models.forecaster import Floats

TOP = 0.9
"""The quantile of a forecast's size from which on it belongs to the top decile."""


def rank_correlation(mean: Floats, realised: Floats, unit: Floats) -> float:
    """Return Spearman's correlation of mean and return in units of the scale; NaN if the mean is constant."""
    x, y = mean / unit, standardised(realised, unit)
    known = ~np.isnan(x) & ~np.isnan(y)
    if known.sum() < FEWEST:
        return np.nan
    from scipy.stats import rankdata  # noqa: PLC0415 - half a second, for pages that only read results

    x, y = rankdata(x[known]), rankdata(y[known])
    x -= x.mean()
    y -= y.mean()
    size = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / size) if size > 0 else np.nan


def top_accuracy(mean: Floats, realised: Floats, unit: Floats) -> float:
    """Return the directional accuracy of the tenth of the forecasts that are largest in units of the scale."""
    size = np.abs(mean / unit)
    size = size[~np.isnan(size) & ~np.isnan(realised)]
    if len(size) < FEWEST:
        return np.nan
    chosen = (np.abs(mean / unit) >= np.quantile(size, TOP)) & (mean != 0) & (realised != 0) & ~np.isnan(realised)
    if chosen.sum() < FEWEST:
        return np.nan
    return float((np.sign(mean[chosen]) == np.sign(realised[chosen])).mean())
