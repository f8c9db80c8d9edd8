"""Statistics of the log returns: the shape of their distribution, and how they depend on those before."""

from math import sqrt

from features.compiled import compiled
from features.frame import Floats
from features.series import RETURN
from features.windows import moving_mean_and_squares, moving_powers, moving_products, moving_sum, ratio, squares


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
def autocorrelation(x: Floats, start: int, out: Floats, short: int, long: int, period: int) -> None:
    """Correlation of the window's log returns with those `short` bars earlier, and with those `long` bars earlier."""
    returns = x[RETURN, start - period + 1 - long :]
    deviation = moving_mean_and_squares(returns, period - 1, period)[1]
    for k in range(len(deviation)):
        deviation[k] = sqrt(deviation[k])
    for column, lag in enumerate((short, long)):
        products = moving_products(returns[long:], returns[long - lag : len(returns) - lag], period - 1, period)
        now, earlier = deviation[long:], deviation[long - lag :]
        for r in range(len(products)):
            out[column, r] = ratio(products[r], now[r] * earlier[r])


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
