"""Scores of the scale as a forecast of realised volatility."""

import numpy as np

from evaluation.sum_metrics import Metric, Parts, count, mean_of
from models.forecaster import Floats


def parts(scale: Floats, variance: Floats) -> Parts:
    """Return what the volatility metrics sum, each [n]: windows in which nothing moved have no log, and are left out.

    QLIKE is s - ln s - 1 with s the realised variance over the forecast's (Patton 2011): zero where they are equal. The
    error of log volatility is 1/2 ln s.
    """
    known = (scale > 0) & (variance > 0)
    surprise = np.divide(variance, scale**2, out=np.full(len(scale), np.nan), where=known)
    log = np.log(surprise)
    return {"n_volatility": count(log), "qlike": surprise - log - 1.0, "log_volatility": (0.5 * log) ** 2}


METRICS: dict[str, Metric] = {
    "qlike": mean_of("qlike", "n_volatility"),
    "log_volatility_mse": mean_of("log_volatility", "n_volatility"),
}
