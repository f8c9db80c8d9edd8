"""The distance of rows from a sample of the training data: the dissimilarity index of Meyer and Pebesma (2021).

"Predicting into unknown space? Estimating the area of applicability of spatial prediction models", Methods in Ecology
and Evolution 12. Two things differ: the columns are not weighted by a model's importances, because one reference serves
all models; and each direction is scaled by the training data's variance in it (Mahalanobis, shrunk), since indicators
are strongly correlated, and a change of dynamics shows when correlated columns diverge.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from features.compiled import compiled_and_kept
from features.frame import Floats, Ints

Singles = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

NEIGHBOURS = 256
"""The number of training rows with which a new row is compared."""
LOOKED_AT = 20_000
"""The most rows for estimating scales and directions: neighbouring bars carry the same information."""
BLOCKS = 10
"""Blocks in time: a training row's nearest neighbour is searched outside its own block, as for a later row."""
SHRINKAGE = 1e-3
"""The least variance of a direction, as a share of the mean: below it, the direction is rounding errors of the
indicators."""
PATTERNS = 256
"""The most patterns of unknown columns whose directions are cached: a market has a few, a warm-up a dozen."""
LEAST_ROWS = 500
IQR_OF_NORMAL = 1.349


@dataclass(frozen=True, eq=False, kw_only=True)
class Dissimilarity:
    """The training data as neighbours in a space where every direction counts alike.

    A row's column x becomes arcsinh((x - `middle`) / `scale`), so that an outlier cannot dominate; all of
    them [F] become `directions` [F, D], less the `origin` [D]. `neighbours` [D, N] are training rows there. A distance
    of `limit` is a dissimilarity of 1. Unknown columns of a row are replaced by their expectation given the others, by
    the `covariance` [F, F], so that they add no distance.
    """

    middle: Floats
    scale: Floats
    directions: Singles
    origin: Singles
    neighbours: Singles
    covariance: Floats
    limit: float
    adapted: dict[bytes, Singles] = field(default_factory=dict, repr=False)

    @classmethod
    def fit(cls, values: Sequence[Floats], times: Sequence[Ints], seed: int) -> Self:
        """Fit to each symbol's columns [n, F], each known in most rows, and times [n].

        Raises ValueError with one line if there are too few rows, or no column varies.
        """
        stride = -(-sum(map(len, values)) // LOOKED_AT)
        rows = np.concatenate([part[::stride] for part in values])
        time = np.concatenate([part[::stride] for part in times])
        if len(rows) < LEAST_ROWS:
            raise ValueError(f"{len(rows)} rows are too few for a reference: give at least {LEAST_ROWS} bars")
        middle, scale = _robust(rows)
        seen = np.arcsinh((rows - middle) / scale)
        unknown = ~np.isfinite(seen)
        kept = np.flatnonzero(unknown.mean(axis=1) <= np.median(unknown.mean(axis=1)))
        seen = np.where(unknown, 0.0, seen)[kept]
        covariance = np.cov(seen.T)
        variances, axes = np.linalg.eigh(covariance)
        least = SHRINKAGE * variances.mean()
        some = variances > 0.1 * least
        directions = axes[:, some] / np.sqrt(variances[some] + least)
        origin = seen.mean(axis=0) @ directions
        placed = seen @ directions - origin
        chosen = np.sort(np.random.default_rng(seed).permutation(len(placed))[:NEIGHBOURS])
        limit = _limit(placed, time[kept], chosen)
        neighbours = _single(placed[chosen].T)
        return cls(
            middle=middle,
            scale=scale,
            directions=_single(directions),
            origin=_single(origin),
            neighbours=neighbours,
            covariance=covariance,
            limit=limit,
        )

    def of(self, values: Floats, places: Ints) -> Floats:
        """Return the dissimilarity [n] of rows with columns in this order, NaN if most of a row is unknown."""
        known = np.isfinite(values[:, places])
        whole = known.all(axis=1)
        if whole.all():
            return self._nearest(values, places, self.directions)
        result = np.full(len(values), np.nan)
        result[whole] = self._nearest(values[whole], places, self.directions)
        for pattern in np.unique(known[~whole], axis=0):
            if 2 * pattern.sum() >= len(pattern):
                rows = np.flatnonzero((known == pattern).all(axis=1))
                result[rows] = self._nearest(values[rows], places, self._adapted(pattern))
        return result

    def _nearest(self, values: Floats, places: Ints, directions: Singles) -> Floats:
        return _nearest(values, places, self.middle, self.scale, directions, self.origin, self.neighbours) / self.limit

    def _adapted(self, known: Flags) -> Singles:
        """Return the directions [F, D] for rows with these known columns, from which the others are predicted."""
        pattern = known.tobytes()
        if pattern not in self.adapted:
            if len(self.adapted) >= PATTERNS:
                self.adapted.clear()
            some, rest = np.flatnonzero(known), np.flatnonzero(~known)
            shrunk = self.covariance[np.ix_(some, some)]
            shrunk = shrunk + SHRINKAGE * np.trace(self.covariance) / len(known) * np.eye(len(some))
            follows = np.linalg.solve(shrunk, self.covariance[np.ix_(some, rest)])
            directions = np.zeros_like(self.directions)
            directions[some] = self.directions[some] + follows @ self.directions[rest]
            self.adapted[pattern] = directions
        return self.adapted[pattern]


def _single(array: Floats) -> Singles:
    return np.ascontiguousarray(array, dtype=np.float32)


@compiled_and_kept
def _nearest(
    values: Floats,
    places: Ints,
    middle: Floats,
    scale: Floats,
    directions: Singles,
    origin: Singles,
    neighbours: Singles,
) -> Floats:
    """Return each row's distance from its nearest neighbour [n].

    Row by row, and along the arrays: so a row's result does not depend on its batch, and the loops are vectorised.
    """
    result = np.empty(len(values))
    for row in range(len(values)):
        placed = -origin
        for column in range(len(places)):
            seen = np.float32(np.arcsinh((values[row, places[column]] - middle[column]) / scale[column]))
            if np.isfinite(seen):
                for direction in range(len(placed)):
                    placed[direction] += seen * directions[column, direction]
        squared = np.zeros(neighbours.shape[1], dtype=np.float32)
        for direction in range(len(placed)):
            for neighbour in range(len(squared)):
                away = placed[direction] - neighbours[direction, neighbour]
                squared[neighbour] += away * away
        result[row] = np.sqrt(squared.min())
    return result


def _limit(placed: Floats, time: Ints, chosen: Ints) -> float:
    """Return the upper whisker, Q3 + 1.5 IQR, of the training rows' distances to neighbours of other blocks in time."""
    edges = np.quantile(time, np.linspace(0.0, 1.0, BLOCKS + 1)[1:-1])
    block = np.searchsorted(edges, time, side="right")
    neighbours = placed[chosen]
    squared = (placed**2).sum(axis=1)[:, None] - 2 * placed @ neighbours.T + (neighbours**2).sum(axis=1)
    squared[block[:, None] == block[chosen]] = np.inf
    nearest = squared.min(axis=1)
    lower, upper = np.quantile(np.sqrt(np.maximum(nearest[np.isfinite(nearest)], 0.0)), [0.25, 0.75])
    return float(upper + 1.5 * (upper - lower))


def _robust(rows: Floats) -> tuple[Floats, Floats]:
    """Return each column's median and spread: of the quartiles, or the standard deviation if those are equal.

    A constant column has an infinite scale, and so no effect.
    """
    middle, scale = np.empty(rows.shape[1]), np.empty(rows.shape[1])
    for column, numbers in enumerate(rows.T):
        known = numbers[np.isfinite(numbers)]
        lower, middle[column], upper = np.quantile(known, [0.25, 0.5, 0.75])
        spread, deviation = (upper - lower) / IQR_OF_NORMAL, known.std()
        scale[column] = (spread if spread > 1e-3 * deviation else deviation) or np.inf
    if not np.isfinite(scale).any():
        raise ValueError("no column varies: a reference needs features that do")
    return middle, scale
