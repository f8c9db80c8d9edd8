"""Stacking: a ridge regression of the label on the experts' forecasts, kept up to date label by label."""

from typing import ClassVar

import numpy as np

from features.compiled import compiled, compiled_and_kept
from features.frame import Floats, Ints
from models.combine.combiner import QUEUED, Combination
from models.json_type import JSON

MEMORY = 0.5 ** (1 / 43_200)
"""Decay per label: a half-life of 30 days of minutes."""
PRIOR = 10.0
"""The weight of the prior of even weights: a standard error of about 0.3, times the h overlapping labels."""


class Stacking(Combination):
    """Least squares with forgetting over the experts' forecasts in units of the scale; weights may be negative.

    The moments [K, K] and [K] are kept, not their inverse: so the prior never fades, and an expert that is asleep is
    left out of the equations for as long as it sleeps.
    """

    name: ClassVar[str] = "stacking"

    def _fresh(self, experts: int) -> JSON:
        return {"xx": np.zeros((experts, experts)).tolist(), "xy": [0.0] * experts}

    def _restored(self, learnt: JSON, moved: list[int]) -> dict[str, Floats]:
        old = len(learnt["xy"])
        xx, xy = np.zeros((old + 1, old + 1)), np.zeros(old + 1)
        if old:
            xx[:old, :old], xy[:old] = learnt["xx"], learnt["xy"]
        return {"xx": np.ascontiguousarray(xx[np.ix_(moved, moved)]), "xy": xy[moved]}

    def _advance(
        self,
        learnt: dict[str, Floats],
        rows: Floats,
        old: int,
        at: Ints,
        y: Floats,
        horizon: int,
        experts: tuple[str, ...],  # noqa: ARG002 - all experts are alike
    ) -> tuple[int, Floats, Floats]:
        return _walk(rows, old, at, y, learnt["xx"], learnt["xy"], PRIOR * horizon, QUEUED + 1)

    def _constants(self) -> JSON:
        return super()._constants() | {"memory": MEMORY, "prior": PRIOR}


@compiled_and_kept
def _walk(
    rows: Floats, old: int, at: Ints, y: Floats, xx: Floats, xy: Floats, prior: float, first: int
) -> tuple[int, Floats, Floats]:
    """Forecast the rows [m, first + K] from `old` on, before each learning what matured with it; see `aggregation`."""
    experts = len(xy)
    output = np.full(len(rows) - old, np.nan)
    weights = np.zeros((len(rows) - old, experts))
    learnt = 0
    for row in range(old, len(rows)):
        while learnt < row and at[learnt] <= row - old:
            if not np.isnan(y[learnt]):
                _learn(rows[learnt, first:], y[learnt], xx, xy)
            learnt += 1
        output[row - old] = _solve(rows[row, first:], xx, xy, prior, weights[row - old])
    return learnt, output, weights


@compiled
def _learn(x: Floats, y: float, xx: Floats, xy: Floats) -> None:
    """Add a label to the moments; an expert that was asleep adds nothing."""
    for i in range(len(xy)):
        for j in range(len(xy)):
            both = 0.0 if np.isnan(x[i]) or np.isnan(x[j]) else x[i] * x[j]
            xx[i, j] = MEMORY * xx[i, j] + both
        xy[i] = MEMORY * xy[i] + (0.0 if np.isnan(x[i]) else x[i] * y)


@compiled
def _solve(x: Floats, xx: Floats, xy: Floats, prior: float, weights: Floats) -> float:
    """Solve the ridge equations of the experts that are awake by Cholesky; return the forecast, NaN if all sleep."""
    place = np.flatnonzero(~np.isnan(x))
    awake = len(place)
    if awake == 0:
        return np.nan
    lower, right = np.empty((awake, awake)), np.empty(awake)
    for i in range(awake):
        right[i] = xy[place[i]] + prior / awake
        for j in range(i + 1):
            total = xx[place[i], place[j]] + (prior if i == j else 0.0)
            for k in range(j):
                total -= lower[i, k] * lower[j, k]
            lower[i, j] = np.sqrt(total) if i == j else total / lower[j, j]
        for k in range(i):
            right[i] -= lower[i, k] * right[k]
        right[i] /= lower[i, i]
    output = 0.0
    for i in range(awake - 1, -1, -1):
        for k in range(i + 1, awake):
            right[i] -= lower[k, i] * right[k]
        right[i] /= lower[i, i]
        weights[place[i]] = right[i]
        output += right[i] * x[place[i]]
    return output
