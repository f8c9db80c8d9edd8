"""The series that every indicator reads: the matrix `x` [SERIES, rows], oldest bar first, the state's history in front.

`x[CLOSE, i - k]` is the close k bars before row i. Values before the first bar are NaN, and so are those that a source
does not give (volume, trades, buyers' amounts, the market).
"""

from math import log

import numpy as np

from features.compiled import compiled
from features.frame import Floats

OPEN, HIGH, LOW, CLOSE, VOLUME, TRADES, BUY_VOLUME, BUY_TRADES, MARKET_RETURN, MARKET_RANK, LEAD_RETURN = range(11)
"""As given with the bars."""
RAW = 11
RETURN, LOG_RANGE, LOG_BODY, LOG_OPENING, ROGERS_SATCHELL = range(RAW, 16)
"""ln(close / previous close); ln(high / low); ln(close / open); ln(open / previous close);
ln(high / close) ln(high / open) + ln(low / close) ln(low / open)."""
TYPICAL, TRUE_RANGE = 16, 17
"""(high + low + close) / 3; Wilder's true range, NaN at the first bar."""
KEPT = 18
"""The rows above are the history kept in a state, so that nothing is computed twice."""
TIME, GAP = 18, 19
"""Bar start in ms; intervals missing just before. Of new rows only."""
SERIES = 20


@compiled
def derive(x: Floats, start: int, last_time: float, interval: float) -> None:
    """Fill the derived series of the rows from `start` on, new after one at `last_time` (ms, negative if none)."""
    derive_ranges(x, start)
    derive_logarithms(x, start)
    for i in range(start, x.shape[1]):
        previous = x[TIME, i - 1] if i > start else last_time
        x[GAP, i] = np.nan if previous < 0 else (x[TIME, i] - previous) / interval - 1.0


@compiled
def derive_ranges(x: Floats, start: int) -> None:
    """Fill the typical price and the true range of the rows from `start` on."""
    for i in range(start, x.shape[1]):
        x[TYPICAL, i] = (x[HIGH, i] + x[LOW, i] + x[CLOSE, i]) / 3.0
    for i in range(start, x.shape[1]):
        before = x[CLOSE, i - 1]
        # NaN compares false, so the maximum must be taken only where the previous close is known.
        x[TRUE_RANGE, i] = np.nan if np.isnan(before) else max(x[HIGH, i], before) - min(x[LOW, i], before)


@compiled
def derive_logarithms(x: Floats, start: int) -> None:
    """Fill the series of logarithms of the rows from `start` on."""
    for i in range(start, x.shape[1]):
        opening, high, low, close = x[OPEN, i], x[HIGH, i], x[LOW, i], x[CLOSE, i]
        x[RETURN, i] = log(close / x[CLOSE, i - 1])
        x[LOG_BODY, i] = log(close / opening)
        x[LOG_OPENING, i] = log(opening / x[CLOSE, i - 1])
        above, below = log(high / close), log(low / close)
        x[LOG_RANGE, i] = above - below
        x[ROGERS_SATCHELL, i] = above * log(high / opening) + below * log(low / opening)
