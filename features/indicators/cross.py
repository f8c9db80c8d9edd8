"""Cross-asset: the returns of the market (the universe's weighted mean) and its leader, and the symbol's relative to
them.

A bar has their moves since the symbol's previous bar, so N bars of theirs are the same span of time as N of its own.
NaN while they are unknown in one bar of the window.
"""

from math import log

from features.compiled import compiled, scratch
from features.frame import Floats
from features.series import CLOSE, LEAD_RETURN, MARKET_RANK, MARKET_RETURN, RETURN
from features.windows import moving_mean, moving_mean_and_squares, moving_products, moving_sum, ratio


@compiled
def _beside(x: Floats, start: int, moves: Floats, period: int, out: Floats) -> None:
    moving_sum(moves, start, period, out[0])
    gap, move, closes = out[1], out[0], x[CLOSE]
    for r in range(len(gap)):
        gap[r] = log(closes[start + r] / closes[start + r - period]) - move[r]


@compiled
def market_move(x: Floats, start: int, out: Floats, period: int) -> None:
    """The market's log return over `period` bars of the symbol, and the symbol's own less the market's."""
    _beside(x, start, x[MARKET_RETURN], period, out)


@compiled
def lead_move(x: Floats, start: int, out: Floats, period: int) -> None:
    """The log return of the leader, the universe's symbol of greatest weight, over `period` bars of the symbol, and the
    symbol's own less the leader's.
    """
    _beside(x, start, x[LEAD_RETURN], period, out)


@compiled
def market_model(x: Floats, start: int, out: Floats, period: int, horizon: int) -> None:
    """Beta: the slope of the log return on the market's over the window, which ends at this bar; and the log return
    over 1 and over `horizon` bars less beta times the market's. NaN if the market did not move.
    """
    own, market, rows = x[RETURN], x[MARKET_RETURN], out.shape[1]
    products, mean, squared, own_sum, market_sum = (
        scratch(rows),
        scratch(rows),
        scratch(rows),
        scratch(rows),
        scratch(rows),
    )
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
