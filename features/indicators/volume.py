"""Volume: what was traded, and on which side of the price. NaN while one bar of the window has no known volume."""

from math import log

import numpy as np

from features.compiled import compiled
from features.frame import Floats
from features.series import CLOSE, TYPICAL, VOLUME
from features.windows import moving_mean, moving_sum, ratio


@compiled
def obv_change(x: Floats, start: int, out: Floats, period: int) -> None:
    """Change of on-balance volume over the window as a share of the volume: -1 (all on falls) to 1 (all on rises)."""
    begin = start - period + 1
    signed = np.empty(x.shape[1] - begin)
    for k in range(len(signed)):
        signed[k] = np.sign(x[CLOSE, begin + k] - x[CLOSE, begin + k - 1]) * x[VOLUME, begin + k]
    balance, volume = moving_sum(signed, period - 1, period), moving_sum(x[VOLUME], start, period)
    for r in range(len(volume)):
        out[0, r] = ratio(balance[r], volume[r])


@compiled
def money_flow_index(x: Floats, start: int, out: Floats, period: int) -> None:
    """Money flow index, in percent: the share of typical price times volume that came with a rising typical price.

    A change of less than a rounding error (1e-12 of the price) is none.
    """
    begin = start - period + 1
    positive, negative = np.zeros(x.shape[1] - begin), np.zeros(x.shape[1] - begin)
    for k in range(len(positive)):
        flow = x[TYPICAL, begin + k] * x[VOLUME, begin + k]
        change = x[TYPICAL, begin + k] - x[TYPICAL, begin + k - 1]
        least = 1e-12 * x[TYPICAL, begin + k]
        positive[k] = flow if change > least else 0.0 * flow
        negative[k] = flow if change < -least else 0.0 * flow
    rise, fall = moving_sum(positive, period - 1, period), moving_sum(negative, period - 1, period)
    for r in range(len(rise)):
        out[0, r] = 100.0 * ratio(rise[r], rise[r] + fall[r])


@compiled
def vwap(x: Floats, start: int, out: Floats, period: int) -> None:
    """Volume-weighted average of the typical price, and ln(close / it)."""
    value = np.empty(x.shape[1] - start + period - 1)
    for k in range(len(value)):
        i = start - period + 1 + k
        value[k] = x[TYPICAL, i] * x[VOLUME, i]
    total, volume = moving_sum(value, period - 1, period), moving_sum(x[VOLUME], start, period)
    for r in range(len(total)):
        average = ratio(total[r], volume[r])
        out[0, r] = average
        out[1, r] = log(x[CLOSE, start + r] / average)


@compiled
def volume_ratio(x: Floats, start: int, out: Floats, period: int) -> None:
    """Volume over its simple average."""
    mean = moving_mean(x[VOLUME], start, period)
    for r in range(len(mean)):
        out[0, r] = ratio(x[VOLUME, start + r], mean[r])
