"""The series that every indicator reads: the matrix `x` [SERIES, rows], oldest bar first, the state's history in front.

`x[CLOSE, i - k]` is the close k bars before row i. What lies before the first bar is NaN.
"""

from math import log

import numpy as np

from features.compiled import compiled
from features.frame import Floats

OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)
"""As they came; these rows are the history that a state keeps."""
KEPT = 5
TIME, GAP, RETURN, TYPICAL, TRUE_RANGE, LOG_RANGE = range(KEPT, 11)
"""Bar start in ms; intervals missing just before; ln(close / previous close); (high + low + close) / 3; Wilder's true
range, NaN at the first bar; ln(high / low). `TIME` and `GAP` are known for new rows only."""
SERIES = 11


@compiled
def derive(x: Floats, start: int, last_time: float, interval: float) -> None:
    """Fill the derived series. Rows from `start` on are new, after one at `last_time` (ms, negative if none)."""
    for i in range(x.shape[1]):
        before = x[CLOSE, i - 1] if i > 0 else np.nan
        high, low, close = x[HIGH, i], x[LOW, i], x[CLOSE, i]
        x[RETURN, i] = log(close / before)
        x[TYPICAL, i] = (high + low + close) / 3.0
        # NaN compares false, so the maximum must be taken only where the previous close is known.
        x[TRUE_RANGE, i] = np.nan if np.isnan(before) else max(high, before) - min(low, before)
        x[LOG_RANGE, i] = log(high / low)
    for i in range(start, x.shape[1]):
        previous = x[TIME, i - 1] if i > start else last_time
        x[GAP, i] = np.nan if previous < 0 else (x[TIME, i] - previous) / interval - 1.0
