"""How good one forecast was, once its label is known."""

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import Floats
from topics.records import QUANTILES

LEVELS = np.array(QUANTILES)
Scores = tuple[float | None, float | None, float | None, bool | None, bool | None]
"""absolute_error, naive_absolute_error, pinball, interval_hit, direction_hit: see `topics.records.Outcome`."""


def score(realised: Floats, mean: Floats, quantiles: Floats) -> list[Scores | None]:
    """Return the scores of forecasts [n] with quantiles [n, Q]; None where nothing was said or nothing is known.

    `interval_hit` is that of the outermost quantiles (5 to 95 %). `direction_hit` is None where the price did not move,
    and where the forecast took no side (a mean of zero).
    """
    error, loss = _errors(realised, mean, quantiles, LEVELS)
    inside = (quantiles[:, 0] <= realised) & (realised <= quantiles[:, -1])
    sides = np.sign(mean) * np.sign(realised)
    columns = (np.abs(realised), error, loss, inside, sides)
    rows: list[Scores | None] = []
    for naive, absolute, pinball, hit, side in zip(*(column.tolist() for column in columns), strict=True):
        no_mean, no_quantiles = absolute != absolute, pinball != pinball  # noqa: PLR0124 - NaN
        if no_mean and no_quantiles:
            rows.append(None)
            continue
        rows.append(
            (
                None if no_mean else absolute,
                naive,
                None if no_quantiles else pinball,
                None if no_quantiles else hit,
                None if no_mean or side == 0 else side > 0,
            )
        )
    return rows


@compiled_and_kept
def _errors(realised: Floats, mean: Floats, quantiles: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """Return the absolute errors and the pinball losses (Koenker and Bassett 1978) averaged over the levels."""
    error, loss = np.empty(len(realised)), np.empty(len(realised))
    for row in range(len(realised)):
        error[row] = abs(realised[row] - mean[row])
        total = 0.0
        for level in range(len(levels)):
            miss = realised[row] - quantiles[row, level]
            total += max(levels[level] * miss, (levels[level] - 1.0) * miss)
        loss[row] = total / len(levels)
    return error, loss
