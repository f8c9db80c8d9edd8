"""The information coefficient over a window that moves along the time."""

from typing import NamedTuple

import numpy as np

from evaluation import point
from evaluation.calibration import NORMAL_95
from evaluation.labels import Ints
from evaluation.sum_metrics import add_up
from models.forecaster import Floats


class RollingIC(NamedTuple):
    """At the ends of the steps (epoch ms) the IC of the window before, NaN if unknown, and of how many rows it is.

    Of forecasts without skill 95 % stay within 0 +- `noise`.
    """

    time: Ints
    ic: Floats
    noise: Floats
    rows: Floats


def rolling_ic(
    time: Ints, mean: Floats, realised: Floats, unit: Floats, *, step: int, steps: int, horizon: int
) -> RollingIC:
    """Return the IC (`evaluation.point`) of each window of `steps` steps of so many ms; times and columns are [n].

    Labels of horizon h overlap, so n rows count as n / h independent ones for the noise.
    """
    if not len(time):
        nothing = np.empty(0)
        return RollingIC(np.empty(0, dtype=np.int64), nothing, nothing, nothing)
    place = time // step
    first = int(place.min())
    parts = point.parts(mean, realised, unit, np.full(len(time), np.nan))
    sums = add_up(parts, place - first, int(place.max()) - first + 1)
    rolled = {name: _rolled(column, steps) for name, column in sums.items()}
    ic = point.information_coefficient(rolled)
    with np.errstate(divide="ignore"):
        noise = np.where(rolled["n"] > 0, NORMAL_95 / np.sqrt(rolled["n"] / horizon), np.nan)
    ends = (first + 1 + np.arange(len(ic), dtype=np.int64)) * step
    return RollingIC(ends, ic, noise, rolled["n"])


def _rolled(column: Floats, steps: int) -> Floats:
    """Return the sums of each value and the `steps` - 1 before it."""
    padded = np.concatenate([np.zeros(steps), column])
    # Each window anew: a difference of running sums would carry the rounding of large values on.
    result: Floats = np.lib.stride_tricks.sliding_window_view(padded, steps)[1:].sum(axis=1)
    return result
