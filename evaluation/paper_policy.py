"""A policy on paper that trades the forecasts and pays for it: what they would have earned after costs. No advice.

The capital is divided evenly over the symbols, and each symbol's over h accounts. Every h bars an account chooses its
position p in {-1, 0, 1}, the account's whole capital short, out or long, that maximises

    p * mean - cost * |p - position before|

where mean is the forecast log return over the h bars, and `cost` is paid for each unit traded. Then it earns p times
the realised log return. So a position is only changed where the forecast exceeds what the change costs. Returns are
added, not compounded. Across a gap of the forecasts a position is closed, and its cost paid. The price is always the
close of the bar of the forecast: slippage, funding and the size of an order are not in it.
"""

from dataclasses import dataclass

import numpy as np

from evaluation.labels import Ints
from features.compiled import compiled_and_kept
from models.forecaster import Floats

DAY_MS = 86_400_000


@dataclass(frozen=True, kw_only=True)
class PaperEquity:
    """At each time [n] (epoch ms) what was earned and paid until then, as shares of the capital; `traded` is in units
    of it."""

    time: Ints
    gross: Floats
    cost: Floats
    traded: Floats

    @property
    def net(self) -> Floats:
        """What was earned after costs [n]."""
        return self.gross - self.cost

    @property
    def turnover(self) -> float | None:
        """How many times the capital is traded a day, None if unknown."""
        days = (self.time[-1] - self.time[0]) / DAY_MS if len(self.time) > 1 else 0.0
        return float(self.traded[-1] / days) if days > 0 else None

    @property
    def break_even(self) -> float | None:
        """The cost of a unit at which the same trades earn nothing, None if none was made."""
        return float(self.gross[-1] / self.traded[-1]) if len(self.time) and self.traded[-1] > 0 else None

    @property
    def drawdown(self) -> float | None:
        """The largest fall of the net from what it was before, from 0 on; None without a row."""
        net = np.concatenate([[0.0], self.net])
        return float((np.maximum.accumulate(net) - net).max()) if len(self.time) else None


def paper_equity(
    symbol: Ints, time: Ints, mean: Floats, realised: Floats, *, horizon: int, span: int, cost: float
) -> PaperEquity:
    """Return what the policy earns on forecasts [n], ordered by symbol and then time; `span` is a bar's length in ms.

    `symbol` [n] are numbers from 0 on. Rows with an unknown mean or label are left out. What a row earns and pays is
    booked when its label has matured.
    """
    known = ~np.isnan(mean) & ~np.isnan(realised)
    symbol, time, mean, realised = symbol[known], time[known], mean[known], realised[known]
    if not len(time):
        nothing = np.empty(0)
        return PaperEquity(time=np.empty(0, dtype=np.int64), gross=nothing, cost=nothing, traded=nothing)
    account = time // span % horizon
    earned, traded = _trade(symbol, time, account, mean, realised, horizon, span, cost)
    accounts = horizon * len(np.unique(symbol))
    times, place = np.unique(time + horizon * span, return_inverse=True)
    gross, units = (np.cumsum(np.bincount(place, column)) / accounts for column in (earned, traded))
    return PaperEquity(time=times, gross=gross, cost=cost * units, traded=units)


@compiled_and_kept
def _trade(
    symbol: Ints, time: Ints, account: Ints, mean: Floats, realised: Floats, horizon: int, span: int, cost: float
) -> tuple[Floats, Floats]:
    """Return what each row earns, and how many units it trades [n]."""
    symbols = symbol.max() + 1
    held, until = np.zeros((symbols, horizon)), np.full((symbols, horizon), -1)
    earned, traded = np.empty(len(mean)), np.empty(len(mean))
    for row in range(len(mean)):
        one, at = symbol[row], account[row]
        before, closed = held[one, at], 0.0
        if until[one, at] != time[row]:
            before, closed = 0.0, abs(before)
        # What is held comes first, so that equally good positions are not traded for each other.
        best, most = before, before * mean[row]
        for candidate in (0.0, 1.0, -1.0):
            value = candidate * mean[row] - cost * abs(candidate - before)
            if value > most:
                best, most = candidate, value
        earned[row] = best * realised[row]
        traded[row] = abs(best - before) + closed
        held[one, at], until[one, at] = best, time[row] + horizon * span
    return earned, traded
