"""Cross-asset: how the market (the universe's weighted mean) went, and the symbol beside it.

NaN while the market is unknown in one bar of the window.
"""

from features.compiled import compiled, room
from features.frame import Floats
from features.series import MARKET_RANK, MARKET_RETURN, RETURN
from features.windows import moving_mean, moving_mean_and_squares, moving_products, moving_sum, ratio


@compiled
def market_return(x: Floats, start: int, out: Floats, period: int) -> None:
    """The market's log return over `period` bars: the sum of its mean log returns."""
    moving_sum(x[MARKET_RETURN], start, period, out[0])


@compiled
def market_model(x: Floats, start: int, out: Floats, period: int, horizon: int) -> None:
    """Beta: the slope of the log return on the market's over the window, which ends at this bar; and what of the log
    return over 1 and over `horizon` bars is not beta times the market's. NaN where the market did not move.
    """
    own, market, rows = x[RETURN], x[MARKET_RETURN], out.shape[1]
    products, mean, squared, own_sum, market_sum = room(rows), room(rows), room(rows), room(rows), room(rows)
    moving_products(own, market, start, period, products)
    moving_mean_and_squares(market, start, period, mean, squared)
    moving_sum(own, start, horizon, own_sum)
    moving_sum(market, start, horizon, market_sum)
    own, market = own[start:], market[start:]
    for r in range(rows):
        beta = ratio(products[r], squared[r])
        out[0, r] = beta
        out[1, r] = own[r] - beta * market[r]
        out[2, r] = own_sum[r] - beta * market_sum[r]


@compiled
def market_rank(x: Floats, start: int, out: Floats, period: int) -> None:
    """The rank of the symbol's log return in the universe, from 0 (the least) to 1, averaged over the window."""
    moving_mean(x[MARKET_RANK], start, period, out[0])
