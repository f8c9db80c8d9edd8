"""The population stability index: the difference between the distributions of a window of rows and the training
data."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from features.frame import Floats, Ints

Flags = npt.NDArray[np.bool_]

BINS = 10
WINDOW = 1_440
"""The most bars of a window: a day of minutes."""
LEAST_WINDOWS = 6
"""The least number of windows in the training data."""
LEAST_LIMIT = 0.25
"""The usual rule of thumb for a large change, for columns whose windows are all alike."""
MARGIN = 1.5
"""By what factor a new window must exceed the largest index in the training data."""


class Stability(NamedTuple):
    """Each column's distribution in the training data, and the index of windows of the same data.

    `edges` [F, `BINS` - 1] are deciles and `shares` [F, `BINS`] the shares between them. In a column that changes
    slowly, a day's distribution never resembles that of months: `limits` [F] are `MARGIN` times the largest index that
    a window of the training data has, at least `LEAST_LIMIT`. `window` is its length in bars.
    """

    edges: Floats
    shares: Floats
    limits: Floats
    window: int

    @classmethod
    def fit(cls, values: Sequence[Floats], times: Sequence[Ints]) -> Self:
        """Fit to each symbol's columns [n, F], each known in most rows, and times [n]."""
        window = max(1, min(WINDOW, min(map(len, values)) // LEAST_WINDOWS))
        edges = np.stack([_deciles([part[:, column] for part in values]) for column in range(values[0].shape[1])])
        binned = [_bins(part, edges) for part in values]
        total = np.sum([_counts(part) for part in binned], axis=0)
        shares = _shares(total)
        indices = [_index(_shares(counts), shares) for counts in _windows(binned, times, window)]
        largest = np.max(np.where(np.isnan(indices), 0.0, indices), axis=0)
        return cls(edges, shares, np.maximum(LEAST_LIMIT, MARGIN * largest), window)

    def of(self, values: Floats) -> Floats:
        """Return the index [F] of the rows [n, F] of one window, of all symbols; NaN if a column is unknown."""
        return _index(_shares(_counts(_bins(values, self.edges))), self.shares)


def _deciles(parts: Sequence[Floats]) -> Floats:
    numbers = np.concatenate(parts)
    result: Floats = np.quantile(numbers[np.isfinite(numbers)], np.linspace(0.0, 1.0, BINS + 1)[1:-1])
    return result


def _bins(values: Floats, edges: Floats) -> npt.NDArray[np.int8]:
    """Return the bin of each number [n, F], -1 if it is unknown."""
    result = np.empty(values.shape, dtype=np.int8)
    for column, levels in enumerate(edges):
        numbers = values[:, column]
        result[:, column] = np.where(np.isfinite(numbers), np.searchsorted(levels, numbers, side="right"), -1)
    return result


def _counts(binned: npt.NDArray[np.int8]) -> Floats:
    """Return how many numbers of each column are in each bin [F, BINS]; all NaN if most are unknown."""
    counts = np.stack([(binned == place).sum(axis=0) for place in range(BINS)], axis=1).astype(np.float64)
    return np.where(2 * counts.sum(axis=1, keepdims=True) > len(binned), counts, np.nan)


def _windows(binned: Sequence[npt.NDArray[np.int8]], times: Sequence[Ints], window: int) -> Iterator[Floats]:
    """Yield the counts of each window of the bars' times, of all symbols together, without an incomplete last one."""
    clock = np.unique(np.concatenate(times))
    for start in range(0, len(clock) - window + 1, window):
        inside = [
            part[np.searchsorted(time, clock[start]) : np.searchsorted(time, clock[start + window - 1], side="right")]
            for part, time in zip(binned, times, strict=True)
        ]
        yield _counts(np.concatenate(inside))


def _shares(counts: Floats) -> Floats:
    """Return the share of each bin [F, BINS], all positive: half a count is added to each."""
    some = counts + 0.5
    result: Floats = some / some.sum(axis=1, keepdims=True)
    return result


def _index(shares: Floats, reference: Floats) -> Floats:
    result: Floats = ((shares - reference) * np.log(shares / reference)).sum(axis=1)
    return result
