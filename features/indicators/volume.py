"""Volume: what was traded, and on which side of the price. NaN while one bar of the window has no known volume."""

from math import log

import numpy as np

from features.compiled import compiled
from features.frame import Floats
from features.series import CLOSE, TYPICAL, VOLUME
from features.windows import ratio, total


@compiled
def obv_change(x: Floats, start: int, out: Floats, period: int) -> None:
    """Change of on-balance volume over the window as a share of the volume: -1 (all on falls) to 1 (all on rises)."""
    for i in range(start, x.shape[1]):
        balance = 0.0
        for k in range(i - period + 1, i + 1):
            balance += np.sign(x[CLOSE, k] - x[CLOSE, k - 1]) * x[VOLUME, k]
        out[i - start, 0] = ratio(balance, total(x, VOLUME, i, period))


@compiled
def money_flow_index(x: Floats, start: int, out: Floats, period: int) -> None:
    """Money flow index, in percent: the share of typical price times volume that came with a rising typical price."""
    for i in range(start, x.shape[1]):
        positive = negative = 0.0
        for k in range(i - period + 1, i + 1):
            flow = x[TYPICAL, k] * x[VOLUME, k]
            change = x[TYPICAL, k] - x[TYPICAL, k - 1]
            if change > 0.0:
                positive += flow
            elif change < 0.0:
                negative += flow
            elif change != 0.0 or np.isnan(flow):
                positive = np.nan
        out[i - start, 0] = 100.0 * ratio(positive, positive + negative)


@compiled
def vwap_gap(x: Floats, start: int, out: Floats, period: int) -> None:
    """ln(close / volume-weighted average of the typical price)."""
    for i in range(start, x.shape[1]):
        value = 0.0
        for k in range(i - period + 1, i + 1):
            value += x[TYPICAL, k] * x[VOLUME, k]
        out[i - start, 0] = log(x[CLOSE, i] / ratio(value, total(x, VOLUME, i, period)))


@compiled
def volume_ratio(x: Floats, start: int, out: Floats, period: int) -> None:
    """Volume over its simple average."""
    for i in range(start, x.shape[1]):
        out[i - start, 0] = ratio(x[VOLUME, i] * period, total(x, VOLUME, i, period))
