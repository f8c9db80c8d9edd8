"""Metrics as functions of sums: the same function gives the value of any group of days and of any bootstrap draw.

A family of metrics (`point`, `probability`, `volatility`, `intervals`) has two parts: `parts`, what is summed, a column
[n] a name with NaN if a row does not count; and `METRICS`, from the sums, of any shape, to the metric.
"""

from collections.abc import Callable, Mapping

import numpy as np

from evaluation.labels import Ints
from models.forecaster import Floats

Parts = dict[str, Floats]
Sums = Mapping[str, Floats]
Metric = Callable[[Sums], Floats]

FEWEST = 100
"""Rows that a metric needs: with fewer it is unknown."""


def ratio(top: Floats, bottom: Floats, rows: Floats) -> Floats:
    """Return top / bottom, NaN if fewer rows than `FEWEST` are behind it, or the bottom is zero."""
    return quotient(top, np.where(np.asarray(rows) >= FEWEST, bottom, 0.0))


def quotient(top: Floats, bottom: Floats) -> Floats:
    """Return top / bottom, NaN unless the bottom is above zero."""
    result: Floats = np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=np.asarray(bottom) > 0)
    return result


def mean_of(part: str, rows: str) -> Metric:
    """Return the metric that is the mean of a part over the rows that are counted by another."""
    return lambda sums: ratio(sums[part], sums[rows], sums[rows])


def count(known: Floats) -> Floats:
    """Return 1 where a column is known and NaN elsewhere: the part whose sum is the number of rows."""
    return np.where(np.isnan(known), np.nan, 1.0)


def add_up(parts: Parts, place: Ints, places: int) -> Parts:
    """Return each part's sums [places] over the rows of each place, NaN left out."""
    return {name: _sums(np.where(np.isnan(part), 0.0, part), place, places) for name, part in parts.items()}


def _sums(part: Floats, place: Ints, places: int) -> Floats:
    return np.bincount(place, weights=part, minlength=places).astype(np.float64)
