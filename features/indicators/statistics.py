"""Statistics of the log returns: the shape of their distribution, and their serial dependence."""

from math import sqrt

from features.compiled import compiled, scratch
from features.frame import Floats
from features.power_sums import moving_powers
from features.series import RETURN
from features.windows import joined, moving_mean_and_squares, moving_products, moving_sum, ratio, square


@compiled
def shape(x: Floats, start: int, out: Floats, period: int) -> None:
    """Skewness and excess kurtosis of the window's log returns, both corrected for the sample's size. NaN if all
    are equal.
    """
    rows = out.shape[1]
    mean, second, third, fourth = scratch(rows), scratch(rows), scratch(rows), scratch(rows)
    moving_powers(x[RETURN], start, period, mean, second, third, fourth)
    n = float(period)
    skew = n * sqrt(n - 1.0) / (n - 2.0)
    tails, normal = n * (n + 1.0) * (n - 1.0) / ((n - 2.0) * (n - 3.0)), 3.0 * (n - 1.0) ** 2 / ((n - 2.0) * (n - 3.0))
    for r in range(rows):
        out[0, r] = skew * ratio(third[r], second[r] * sqrt(second[r]))
        out[1, r] = tails * ratio(fourth[r], second[r] * second[r]) - normal


@compiled
def autocorrelation(x: Floats, start: int, out: Floats, state: Floats, short: int, long: int, period: int) -> None:
    """Correlation of the window's log returns with those `short` bars earlier, and with those `long` bars earlier."""
    rows, returns = out.shape[1], x[RETURN, start - period + 1 - long :]
    mean, deviation, products, deviations = scratch(rows), scratch(rows), scratch(rows), scratch(long + rows)
    moving_mean_and_squares(x[RETURN], start, period, mean, deviation)
    for r in range(rows):
        deviation[r] = sqrt(deviation[r])
    joined(state, deviation, deviations)
    for column, lag in enumerate((short, long)):
        moving_products(returns[long:], returns[long - lag :], period - 1, period, products)
        earlier = deviations[long - lag :]
        for r in range(rows):
            out[column, r] = ratio(products[r], deviation[r] * earlier[r])


@compiled
def variance_ratio(x: Floats, start: int, out: Floats, state: Floats, lag: int, period: int) -> None:
    """Mean square of the window's (overlapping) log returns over `lag` bars, over `lag` times that of those over one:
    1 for a random walk, more in a trend, less where moves turn back. The mean return is taken as 0.
    """
    rows, ratios = out.shape[1], out[0]
    sums, squares, long, short = scratch(rows), scratch(period - 1 + rows), scratch(rows), scratch(rows)
    moving_sum(x[RETURN], start, lag, sums)
    square(sums, sums)
    joined(state, sums, squares)
    moving_sum(squares, period - 1, period, long)
    square(x[RETURN, start - period + 1 :], squares)
    moving_sum(squares, period - 1, period, short)
    for r in range(rows):
        ratios[r] = ratio(long[r], lag * short[r])
