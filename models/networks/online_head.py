"""The last linear layer of a network, which takes one gradient step a UTC day on the labels that matured meanwhile.

A fold over rows: the day's gradient is taken at the head that the day began with, and applied at the first row of the
next day. As each row is summed on its own, in time order, no number depends on how the rows were cut.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import Floats, Ints
from models.json_type import JSON

DAY = 86_400_000
DELTA = 1.0
"""Where the Huber loss of a standardised return turns linear."""
LEAST, MOST = -3.0, 2.0
"""Bounds of the log of the forecast scale over sigma sqrt(h)."""


@dataclass(frozen=True)
class Head:
    """Outputs [2 H, D + 1] of an embedding [D] and 1: first the means, then the log scales of H horizons.

    `gradient` is summed since the UTC day `day` began, over `count` [H] labels.
    """

    weights: Floats
    gradient: Floats
    count: Ints
    day: int

    @classmethod
    def fresh(cls, weights: Floats) -> Self:
        """Return the head with these weights that has seen no label."""
        return cls(weights.copy(), np.zeros_like(weights), np.zeros(len(weights) // 2, dtype=np.int64), -1)

    @classmethod
    def from_json(cls, state: JSON) -> Self:
        """Read the output of `to_json`, exactly."""
        weights, gradient = (np.array(state[name], dtype=np.float64) for name in ("weights", "gradient"))
        return cls(weights, gradient, np.array(state["count"], dtype=np.int64), state["day"])

    def to_json(self) -> JSON:
        """Return the state as plain lists."""
        arrays = {name: getattr(self, name).tolist() for name in ("weights", "gradient", "count")}
        return {**arrays, "day": self.day}


@dataclass(frozen=True)
class HeadOutput:
    """What the passes say of y = return / (sigma sqrt(h)), each [n, H].

    The `mean` over passes, the mean predicted `variance`, and the variance of the passes' means, `epistemic`.
    """

    mean: Floats
    variance: Floats
    epistemic: Floats


def advance(
    head: Head, rates: Floats, time: Ints, embedding: Floats, at: Ints, y: Floats, passes: Floats
) -> tuple[Head, HeadOutput]:
    """Learn from the labels that mature with each new row, then forecast it.

    `time` [n] and `passes` [n, P, D] are the new rows'; `embedding` [q + n, D] without dropout, labels `y` [q + n, H]
    and the new row `at` [q + n, H] with which each matures belong to the waiting rows and the new ones. `rates`
    [2 H, D + 1] is how far a weight goes for a gradient of one.
    """
    weights, gradient, count = head.weights.copy(), head.gradient.copy(), head.count.copy()
    n, horizons = len(time), y.shape[1]
    head_output = HeadOutput(*(np.empty((n, horizons)) for _ in range(3)))
    day = _fold(
        weights,
        gradient,
        count,
        head.day,
        rates,
        time // DAY,
        embedding,
        at,
        y,
        passes,
        head_output.mean,
        head_output.variance,
        head_output.epistemic,
    )
    return Head(weights, gradient, count, day), head_output


@compiled_and_kept
def _fold(  # noqa: PLR0913 - numba takes arrays and numbers, not records
    weights: Floats,
    gradient: Floats,
    count: Ints,
    day: int,
    rates: Floats,
    days: Ints,
    embedding: Floats,
    at: Ints,
    y: Floats,
    passes: Floats,
    mean: Floats,
    variance: Floats,
    epistemic: Floats,
) -> int:
    horizons, width = y.shape[1], weights.shape[1] - 1
    learnt = np.zeros(horizons, dtype=np.int64)
    total = passes.shape[1]
    for row in range(len(days)):
        if days[row] != day:
            for output in range(2 * horizons):
                labels = count[output % horizons]
                if labels > 0:
                    for place in range(width + 1):
                        weights[output, place] -= rates[output, place] * gradient[output, place] / labels
            gradient[:] = 0.0
            count[:] = 0
            day = days[row]
        for horizon in range(horizons):
            while learnt[horizon] < len(at) and at[learnt[horizon], horizon] <= row:
                label, seen = y[learnt[horizon], horizon], embedding[learnt[horizon]]
                learnt[horizon] += 1
                if np.isnan(label):
                    continue
                error = _output(weights[horizon], seen) - label
                raw = _output(weights[horizons + horizon], seen)
                shrunk = min(max(raw, LEAST), MOST)
                slope = min(max(error, -DELTA), DELTA)
                widening = 1.0 - error * error * np.exp(-2.0 * shrunk) if raw == shrunk else 0.0
                for place in range(width):
                    gradient[horizon, place] += slope * seen[place]
                    gradient[horizons + horizon, place] += widening * seen[place]
                gradient[horizon, width] += slope
                gradient[horizons + horizon, width] += widening
                count[horizon] += 1
        for horizon in range(horizons):
            first, second, spread = 0.0, 0.0, 0.0
            for turn in range(total):
                reply = _output(weights[horizon], passes[row, turn])
                scale = min(max(_output(weights[horizons + horizon], passes[row, turn]), LEAST), MOST)
                first += reply
                second += reply * reply
                spread += np.exp(2.0 * scale)
            mean[row, horizon] = first / total
            variance[row, horizon] = spread / total
            epistemic[row, horizon] = max(second / total - (first / total) ** 2, 0.0)
    return day


@compiled_and_kept
def _output(weights: Floats, seen: Floats) -> float:
    value: float = weights[len(seen)]
    for place in range(len(seen)):
        value += weights[place] * seen[place]
    return value
