"""Statistics of the log returns: the shape of their distribution, and how they depend on those before."""

from math import sqrt

import numpy as np

from features.compiled import compiled
from features.frame import Floats
from features.series import CLOSE, RETURN
from features.windows import moving_mean_and_squares, moving_powers, moving_products, moving_sum, put, ratio, squares


@compiled
def shape(x: Floats, start: int, out: Floats, period: int) -> None:
    """Skewness and excess kurtosis of the window's log returns, both corrected for the sample's size. NaN where all
    are equal.
    """
    second, third, fourth = moving_powers(x[RETURN], start, period)
    n = float(period)
    skew = n * sqrt(n - 1.0) / (n - 2.0)
    tails, normal = n * (n + 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0)), 3.0 * (n - 1.0) ** 2 / ((n - 2.0) * (n - 3.0))
    for r in range(len(second)):
        out[0, r] = skew * ratio(third[r], second[r] * sqrt(second[r]))
        out[1, r] = tails * ratio(fourth[r], second[r] * second[r]) - normal


@compiled
def autocorrelation(x: Floats, start: int, out: Floats, lag: int, period: int) -> None:
    """Correlation of the window's log returns with those `lag` bars before each."""
    returns = x[RETURN, start - period + 1 - lag :]
    now, earlier = returns[lag:], returns[: len(returns) - lag]
    products = moving_products(now, earlier, period - 1, period)
    squared = moving_mean_and_squares(returns, period - 1, period)[1]
    for r in range(len(products)):
        out[0, r] = ratio(products[r], sqrt(squared[r]) * sqrt(squared[r + lag]))


@compiled
def variance_ratio(x: Floats, start: int, out: Floats, lag: int, period: int) -> None:
    """Mean square of the window's (overlapping) log returns over `lag` bars, over `lag` times that of those over one:
    1 for a random walk, more in a trend, less where moves turn back. The mean return is taken as 0.
    """
    sums = moving_sum(x[RETURN], start - period + 1, lag)
    long = moving_sum(squares(sums), period - 1, period)
    short = moving_sum(squares(x[RETURN, start - period + 1 :]), period - 1, period)
    for r in range(len(long)):
        out[0, r] = ratio(long[r], lag * short[r])
