"""Scores of forecasts whose labels are known."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from features.compiled import compiled_and_kept
from features.frame import Floats
from topics.records import QUANTILES

Flags = npt.NDArray[np.bool_]

LEVELS = np.array(QUANTILES)
NONE = np.array(None, dtype=object)


class Scores(NamedTuple):
    """The scores of forecasts, columns [n] with None if they are unknown: see `topics.records.Outcome`."""

    absolute_error: list[float | None]
    naive_absolute_error: list[float | None]
    pinball: list[float | None]
    interval_hit: list[bool | None]
    direction_hit: list[bool | None]


def score(realised: Floats, mean: Floats, quantiles: Floats) -> tuple[Flags, Scores]:
    """Return which forecasts [n], with quantiles [n, Q], had a value for a known label, and their scores.

    `interval_hit` is that of the outermost quantiles (5 to 95 %). `direction_hit` is None if the price did not move,
    and if the forecast had no direction (a mean of zero).
    """
    error, loss = _errors(realised, mean, quantiles, LEVELS)
    inside = (quantiles[:, 0] <= realised) & (realised <= quantiles[:, -1])
    sides = np.sign(mean) * np.sign(realised)
    has_mean, has_quantiles = ~np.isnan(error), ~np.isnan(loss)
    output = has_mean | has_quantiles
    return output, Scores(
        or_none(error, has_mean),
        or_none(np.abs(realised), output),
        or_none(loss, has_quantiles),
        or_none(inside, has_quantiles),
        or_none(sides > 0, has_mean & (sides != 0)),
    )


def or_none(values: npt.NDArray[Any], known: Flags) -> list[Any]:
    """Return the values [n] as Python has them, None if they are not known."""
    results: list[Any] = (values if known.all() else np.where(known, values.astype(object), NONE)).tolist()
    return results


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
