"""A mean over days with its standard error: labels overlap by an hour at most, so days are nearly independent."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

CAUTION = 0.5
"""The number of standard errors subtracted from a trial's mean."""


class MeanEstimate(NamedTuple):
    """A mean over days and its standard error."""

    mean: float
    error: float

    @property
    def cautious(self) -> float:
        """Return the objective."""
        return self.mean - CAUTION * self.error


def mean_estimate(daily: Sequence[float]) -> MeanEstimate:
    """Return the mean of the days and its standard error. Raises ValueError if there are fewer than two."""
    values = np.array(daily)
    if len(values) < 2:
        raise ValueError(f"{len(values)} days with labels to score on: two are needed; give more history")
    return MeanEstimate(float(values.mean()), float(values.std(ddof=1)) / sqrt(len(values)))
