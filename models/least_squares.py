"""Least squares of several targets on many rows, taken in blocks, without a copy of all rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats, Ints

BLOCK = 16_384
"""Rows taken at a time."""
LARGEST = 5.0
"""Standardised inputs are clipped to +- this."""
DAY_MS = 86_400_000


def blocks(frame: FeatureFrame) -> Iterator[slice]:
    """Yield the slices of the frame's rows, `BLOCK` at a time."""
    for begin in range(0, len(frame), BLOCK):
        yield slice(begin, begin + BLOCK)


def recency(time: Ints | Floats, newest: float, half_life: float) -> Floats:
    """Return weights [n] that halve with every `half_life` days before `newest` (epoch ms); inf: all are 1."""
    return np.asarray(0.5 ** ((newest - time) / (half_life * DAY_MS)))


def scaling(parts: Iterable[Floats]) -> tuple[Floats, Floats]:
    """Return the mean and one over the standard deviation [F] of the columns of all parts [n, F], NaN left out.

    Of a column that is constant or never known that is 0: standardised it is zero.
    """
    count, total, square = 0.0, 0.0, 0.0
    centre: Floats | None = None
    for x in parts:
        if centre is None:  # of a first block, so that squares of large numbers do not cancel
            centre = np.nan_to_num(_mean(x))
        moved = np.nan_to_num(x - centre)
        count = count + (~np.isnan(x)).sum(axis=0)
        total = total + moved.sum(axis=0)
        square = square + (moved**2).sum(axis=0)
    seen = np.maximum(count, 1.0)
    mean = total / seen
    deviation = np.sqrt(np.maximum(square / seen - mean**2, 0.0))
    at: Floats = mean if centre is None else mean + centre
    varies = deviation > 1e-9 * (np.abs(at) + 1e-9)
    return at, np.where(varies, 1 / np.where(varies, deviation, 1.0), 0.0)


def _mean(x: Floats) -> Floats:
    known = ~np.isnan(x)
    return np.asarray(np.where(known, x, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def standardise(x: Floats, mean: Floats, inverse: Floats) -> Floats:
    """Return (x - mean) * inverse [n, F], clipped to +-`LARGEST`; what is unknown becomes 0, the mean."""
    return np.nan_to_num(np.clip((x - mean) * inverse, -LARGEST, LARGEST), copy=False)


@dataclass
class Moments:
    """Weighted sums over rows, a set for each of H targets: gram [H, F, F], cross [H, F], square [H] and rows [H]."""

    gram: Floats
    cross: Floats
    square: Floats
    rows: Floats

    @classmethod
    def none(cls, inputs: int, targets: int) -> Self:
        """Return the sums over no rows."""
        return cls(
            np.zeros((targets, inputs, inputs)), np.zeros((targets, inputs)), np.zeros(targets), np.zeros(targets)
        )

    def add(self, z: Floats, y: Floats, weight: Floats) -> None:
        """Add the rows z [n, F] with targets y [n, H] and weights [n]; an unknown target weighs nothing."""
        for column in range(y.shape[1]):
            known = ~np.isnan(y[:, column])
            inputs, target = z[known], y[known, column]
            weighted = inputs * weight[known, None]
            self.gram[column] += weighted.T @ inputs
            self.cross[column] += weighted.T @ target
            self.square[column] += float(weight[known] @ target**2)
            self.rows[column] += float(weight[known].sum())

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(
            self.gram + other.gram, self.cross + other.cross, self.square + other.square, self.rows + other.rows
        )

    def solve(self, penalty: Floats) -> Floats:
        """Return the coefficients [H, F] with the least weighted squares plus penalty [H] times their own squares."""
        unit = np.eye(self.gram.shape[1])
        return np.array(
            [
                np.linalg.lstsq(gram + size * unit, cross, rcond=None)[0]
                for gram, cross, size in zip(self.gram, self.cross, penalty, strict=True)
            ]
        )

    def shrinkage(self, weights: Floats) -> Floats:
        """Return the slope [H] of the targets on the predictions of these coefficients [H, F], between 0 and 1."""
        along = np.einsum("hf,hf->h", weights, self.cross)
        size = np.einsum("hf,hfg,hg->h", weights, self.gram, weights)
        return np.asarray(np.clip(along / np.maximum(size, 1e-12), 0.0, 1.0))

    def loss(self, weights: Floats) -> Floats:
        """Return the weighted sum of squared errors [H] of these coefficients [H, F]."""
        along = np.einsum("hf,hf->h", weights, self.cross)
        size = np.einsum("hf,hfg,hg->h", weights, self.gram, weights)
        return np.asarray(self.square - 2 * along + size)


@compiled_and_kept
def combine(z: Floats, weights: Floats) -> Floats:
    """Return z [n, F] times weights [H, F], summed over F from the left: [n, H].

    A library's matrix product sums in an order that depends on the number of rows, and so on how they were cut.
    """
    output = np.empty((len(z), len(weights)))
    for row in range(len(z)):
        for column in range(len(weights)):
            total = 0.0
            for name in range(z.shape[1]):
                total += weights[column, name] * z[row, name]
            output[row, column] = total
    return output
