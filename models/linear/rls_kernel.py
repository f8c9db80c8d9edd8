"""Recursive least squares with forgetting, walked over one symbol's rows: a label is learnt once it has matured."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from features.compiled import compiled, compiled_and_kept
from features.frame import Floats, Ints
from models.json_type import JSON

Flags = npt.NDArray[np.bool_]


@dataclass
class Estimate:
    """What was learnt, as arrays that `walk` changes in place.

    `weights` [H, F]; `covariance` [H, F, F], theirs in units of the label's variance; `slope` [H, 2], the trailing
    means of forecast squared and of forecast times label.
    """

    weights: Floats
    covariance: Floats
    slope: Floats

    @classmethod
    def of(cls, state: JSON) -> Self:
        """Read the output of `to_json`."""
        return cls(np.array(state["weights"]), np.array(state["covariance"]), np.array(state["slope"]))

    def to_json(self) -> JSON:
        """Return what was learnt as plain lists."""
        return {
            "weights": self.weights.tolist(),
            "covariance": self.covariance.tolist(),
            "slope": self.slope.tolist(),
        }


def walk(
    estimate: Estimate,
    rows: Floats,
    old: int,
    known: Flags,
    labels: Floats,
    at: Ints,
    decay: Floats,
    weight: Floats,
    most: Floats,
    memory: float,
) -> Floats:
    """Return the forecasts [n, H] of the new rows, learning before each from what matured with it.

    `rows` [old + n, F + H] are inputs, and behind them what the regressions said, which is written for the n new rows;
    `known` [old + n] marks rows with known inputs. `labels` and `at` [old + n, H]: the label, NaN if unknown
    or learnt before, and at which new row it matures.

    `decay` [H] is the decay per label; `weight` [H] that of a label; `most` [H] the trace of the covariance
    above which nothing is forgotten: constant inputs must not make it grow without bound (wind-up). `memory` is the
    weight of the past in the slope of label on forecast, which shrinks what is forecast (never negative, never over
    one).
    """
    return _walk(
        estimate.weights,
        estimate.covariance,
        estimate.slope,
        rows,
        old,
        known,
        labels,
        at,
        decay,
        weight,
        most,
        memory,
    )


@compiled_and_kept
def _walk(  # noqa: PLR0913 - numba takes arrays and numbers, not records
    weights: Floats,
    covariance: Floats,
    slope: Floats,
    rows: Floats,
    old: int,
    known: Flags,
    labels: Floats,
    at: Ints,
    decay: Floats,
    weight: Floats,
    most: Floats,
    memory: float,
) -> Floats:
    horizons, inputs = weights.shape
    first = np.zeros(horizons, dtype=np.int64)
    gain = np.empty(inputs)
    output = np.full((len(rows) - old, horizons), np.nan)
    for row in range(old, len(rows)):
        for column in range(horizons):
            while first[column] < row and at[first[column], column] <= row - old:
                place = first[column]
                label = labels[place, column]
                if known[place] and not np.isnan(label):
                    _learn(
                        rows[place, :inputs],
                        label,
                        weights[column],
                        covariance[column],
                        gain,
                        decay[column],
                        weight[column],
                        most[column],
                    )
                    forecast = rows[place, inputs + column]
                    slope[column, 0] = memory * slope[column, 0] + (1 - memory) * forecast * forecast
                    slope[column, 1] = memory * slope[column, 1] + (1 - memory) * forecast * label
                first[column] += 1
        if known[row]:
            for column in range(horizons):
                total = 0.0
                for name in range(inputs):
                    total += weights[column, name] * rows[row, name]
                rows[row, inputs + column] = total
                trust = slope[column, 1] / slope[column, 0] if slope[column, 0] > 0 else 0.0
                output[row - old, column] = total * min(max(trust, 0.0), 1.0)
    return output


@compiled
def _learn(
    x: Floats, label: float, weights: Floats, covariance: Floats, gain: Floats, decay: float, weight: float, most: float
) -> None:
    """Learn one label (Haykin, Adaptive Filter Theory, ch. 10); `gain` [F] is scratch space."""
    inputs = len(x)
    trace, spread, error = 0.0, 0.0, label
    for name in range(inputs):
        total = 0.0
        for other in range(inputs):
            total += covariance[name, other] * x[other]
        gain[name] = total
        spread += total * x[name]
        error -= weights[name] * x[name]
        trace += covariance[name, name]
    kept = decay if trace < most else 1.0
    scale = 1.0 / (kept / weight + spread)
    for name in range(inputs):
        weights[name] += gain[name] * scale * error
        for other in range(name + 1):  # one half, and its mirror image: it stays symmetric
            covariance[name, other] = (covariance[name, other] - gain[name] * gain[other] * scale) / kept
            covariance[other, name] = covariance[name, other]
