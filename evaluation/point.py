"""Scores of the mean: R2, correlation, direction, and the gross return of trading it.

Returns and means are in units of the shared scale sigma sqrt(h); realised returns are clipped to +-4 of them, as in
fitting. Raw metrics are in log return.
"""

import numpy as np
import numpy.typing as npt

from evaluation.sum_metrics import Metric, Parts, Sums, count, mean_of, ratio
from models.forecaster import Floats

CLIP = 4.0
BASIS_POINT = 1e-4
CONSTANT = 1e-12
"""A share of the second moment below which a variance is rounding, and the forecasts are constant."""


def standardised(realised: Floats, unit: Floats) -> Floats:
    """Return the returns [n] in units of their scale, clipped."""
    return np.clip(realised / unit, -CLIP, CLIP)


def turnover(mean: Floats, symbol: npt.NDArray[np.int64], horizon: int) -> Floats:
    """Return what each row trades [n]: |position - position `horizon` rows earlier|, 0 to 2 units.

    The position is the mean's sign, renewed when the horizon has passed; rows are ordered by symbol and then time. NaN
    in a symbol's first rows and where either position is unknown.
    """
    position = np.sign(mean)
    traded = np.full(len(mean), np.nan)
    same = symbol[horizon:] == symbol[:-horizon]
    traded[horizon:] = np.where(same, np.abs(position[horizon:] - position[:-horizon]), np.nan)
    return traded


def parts(mean: Floats, realised: Floats, unit: Floats, traded: Floats) -> Parts:
    """Return what the point metrics sum, each [n]."""
    x, y = mean / unit, standardised(realised, unit)
    x, y = np.where(np.isnan(y), np.nan, x), np.where(np.isnan(x), np.nan, y)
    side = np.sign(mean)
    moved = ~np.isnan(x) & (realised != 0)
    sided = moved & (mean != 0)
    earned = np.where(~np.isnan(x) & (mean != 0), side * realised, np.nan)
    paid = np.where(np.isnan(x), np.nan, traded)
    return {
        "n": count(x),
        "x": x,
        "y": y,
        "xx": x * x,
        "yy": y * y,
        "xy": x * y,
        "squared": (y - x) ** 2,
        "squared_raw": np.where(np.isnan(x), np.nan, (realised - mean) ** 2),
        "yy_raw": np.where(np.isnan(x), np.nan, realised**2),
        "moved": moved.astype(np.float64),
        "up": (moved & (realised > 0)).astype(np.float64),
        "sided": sided.astype(np.float64),
        "right": (sided & (side == np.sign(realised))).astype(np.float64),
        "positions": count(earned),
        "earned": earned,
        "trades": count(paid),
        "traded": paid,
        "earned_traded": np.where(np.isnan(paid), np.nan, side * realised),
    }


def information_coefficient(sums: Sums) -> Floats:
    """Return Pearson's correlation of mean and return, both in units of the scale; NaN if the mean is constant."""
    n = np.maximum(sums["n"], 1.0)
    covariance = sums["xy"] - sums["x"] * sums["y"] / n
    x = sums["xx"] - sums["x"] ** 2 / n
    y = sums["yy"] - sums["y"] ** 2 / n
    varies = (x > CONSTANT * sums["xx"]) & (y > CONSTANT * sums["yy"])
    return ratio(covariance, np.sqrt(np.where(varies, x * y, 0.0)), sums["n"])


def r2(sums: Sums) -> Floats:
    """Return 1 - sum (y - x)^2 / sum y^2 in units of the scale: R2 against a forecast of zero."""
    return 1.0 - ratio(sums["squared"], sums["yy"], sums["n"])


def r2_raw(sums: Sums) -> Floats:
    """Return the same in log return, where the turbulent hours weigh most."""
    return 1.0 - ratio(sums["squared_raw"], sums["yy_raw"], sums["n"])


def edge(sums: Sums) -> Floats:
    """Return the mean of sign(mean) * return over the rows that take a side, in basis points, before any cost."""
    return ratio(sums["earned"], sums["positions"], sums["positions"]) / BASIS_POINT


def break_even(sums: Sums) -> Floats:
    """Return the cost of trading one unit, in basis points, at which the profit is zero.

    A position sign(mean) is held for one horizon and then renewed, so that the rows are as many staggered paths as the
    horizon has bars. The cost is the total profit over the total traded; long to short trades two units, so with a
    permanent position it is half of the mean edge per change of side.
    """
    return ratio(sums["earned_traded"], sums["traded"], sums["trades"]) / BASIS_POINT


METRICS: dict[str, Metric] = {
    "ic": information_coefficient,
    "r2": r2,
    "r2_raw": r2_raw,
    "accuracy": mean_of("right", "sided"),
    "always_up": mean_of("up", "moved"),
    "edge_bp": edge,
    "break_even_bp": break_even,
}
