"""A river scaler and a river regression a horizon, walked over the rows of symbols in time order."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from river import linear_model, optim, preprocessing

from features.frame import Floats, Ints
from models.forecaster import JSON

CLIP = 4.0
"""Targets and standardised inputs are clipped to +- this."""
LEARNING_RATE, POWER = 0.05, 0.5
"""Step of the label number t: LEARNING_RATE / (t + 1) ** POWER, over sqrt(h) because labels overlap."""
L2 = 1e-4
MEMORY = 0.5 ** (1 / 5_000)
"""Weight of the past, a label, in the trailing slope of label on forecast."""
MIN_LABELS = 500
"""Labels learnt before a regression speaks."""


def fresh(inputs: int, horizons: int) -> JSON:
    """Return what is known before the first row."""
    return {
        "scaler": {"count": 0, "means": [0.0] * inputs, "variances": [0.0] * inputs},
        "weights": [[0.0] * (inputs + 1) for _ in range(horizons)],
        "labels": [0] * horizons,
        "slope": [[0.0, 0.0] for _ in range(horizons)],
    }


class Learner:
    """What was learnt, as river objects for as long as a call lasts: `to_json` gives it back exactly.

    The forecast is the regression's, shrunk by the trailing slope of the labels on it (never negative, never over one):
    a regression that was of no use lately says zero.
    """

    def __init__(self, inputs: Sequence[str], horizons: Sequence[int], state: JSON) -> None:
        self.inputs = tuple(inputs)
        scaler = state["scaler"]
        self.scaler: Any = preprocessing.StandardScaler()
        self.scaler.counts.update(dict.fromkeys(self.inputs, scaler["count"]))
        self.scaler.means.update(zip(self.inputs, scaler["means"], strict=True))
        self.scaler.vars.update(zip(self.inputs, scaler["variances"], strict=True))
        self.slope: list[list[float]] = [list(pair) for pair in state["slope"]]
        self.regressions: list[Any] = []  # river's methods have no types
        for horizon, weights, labels in zip(horizons, state["weights"], state["labels"], strict=True):
            rate = optim.schedulers.InverseScaling(LEARNING_RATE / horizon**0.5, POWER)
            regression = linear_model.LinearRegression(
                optim.SGD(rate), l2=L2, intercept_init=weights[-1], intercept_lr=rate
            )
            regression._weights.update(dict(zip(self.inputs, weights[:-1], strict=True)))  # river has no public way
            regression.optimizer.n_iterations = labels
            self.regressions.append(regression)

    def to_json(self) -> JSON:
        """Return what was learnt as plain lists."""
        return {
            "scaler": {
                "count": self.scaler.counts[self.inputs[0]],
                "means": [self.scaler.means[name] for name in self.inputs],
                "variances": [self.scaler.vars[name] for name in self.inputs],
            },
            "weights": [[*map(item.weights.__getitem__, self.inputs), item.intercept] for item in self.regressions],
            "labels": [item.optimizer.n_iterations for item in self.regressions],
            "slope": self.slope,
        }

    def observe(self, x: list[float]) -> list[float]:
        """Return the inputs standardised by all rows so far, this one included."""
        row = dict(zip(self.inputs, x, strict=True))
        self.scaler.learn_one(row)
        scaled = self.scaler.transform_one(row)
        return [-CLIP if value < -CLIP else min(value, CLIP) for value in scaled.values()]

    def predict(self, z: list[float]) -> list[float]:
        """Return each regression's forecast; NaN before it has learnt enough."""
        row = dict(zip(self.inputs, z, strict=True))
        return [
            item.predict_one(row) if item.optimizer.n_iterations >= MIN_LABELS else np.nan for item in self.regressions
        ]

    def shrink(self, column: int, forecast: float) -> float:
        """Return the forecast times the trailing slope."""
        squares, products = self.slope[column]
        return forecast * min(max(products / squares, 0.0), 1.0) if squares > 0 else 0.0 * forecast

    def learn(self, column: int, z: list[float], label: float, forecast: float) -> None:
        """Learn a matured label of one horizon; `forecast` is what the regression had said for it."""
        self.regressions[column].learn_one(dict(zip(self.inputs, z, strict=True)), label)
        if forecast == forecast:  # noqa: PLR0124 - not NaN
            pair = self.slope[column]
            pair[0] = MEMORY * pair[0] + (1 - MEMORY) * forecast * forecast
            pair[1] = MEMORY * pair[1] + (1 - MEMORY) * forecast * label


class Walk:
    """One symbol's rows: `advance` first learns the labels that mature at a row, then forecasts from it.

    `queue` [m, F + H] holds what was made of earlier rows: standardised inputs and the regressions' forecasts, NaN
    where the inputs were unknown. `x` [n, F] are the inputs of the rows after them. `labels` and `at` [m + n, H] are
    the scaled label, NaN where it was learnt before, and the row at which it matures.
    """

    def __init__(self, queue: Floats, x: Floats, labels: Floats, at: Ints) -> None:
        inputs = x.shape[1]
        self.z: list[list[float]] = queue[:, :inputs].tolist()
        self.raw: list[list[float]] = queue[:, inputs:].tolist()
        self.x = x.tolist()
        known: npt.NDArray[np.bool_] = np.logical_not(np.isnan(x).any(axis=1))
        self.known: list[bool] = known.tolist()
        self.labels = labels.T.tolist()
        self.at = at.T.tolist()
        self.first = [0] * len(self.at)

    def advance(self, learner: Learner) -> list[float]:
        """Return the forecasts of the next row, one a horizon, in units of the scale."""
        row = len(self.z)
        for column, (at, labels) in enumerate(zip(self.at, self.labels, strict=True)):
            first = self.first[column]
            while first < row and at[first] <= row:
                said, label = self.raw[first][column], labels[first]
                if self.z[first][0] == self.z[first][0] and label == label:  # noqa: PLR0124 - neither is NaN
                    learner.learn(column, self.z[first], label, said)
                first += 1
            self.first[column] = first
        new = row - len(self.labels[0]) + len(self.x)
        if self.known[new]:
            z = learner.observe(self.x[new])
            raw = learner.predict(z)
        else:
            z, raw = [np.nan] * len(self.x[new]), [np.nan] * len(self.at)
        self.z.append(z)
        self.raw.append(raw)
        return [learner.shrink(column, value) for column, value in enumerate(raw)]

    def queue(self, start: int) -> Floats:
        """Return the queue [k, F + H] of the rows from `start` on."""
        return np.column_stack([np.array(self.z[start:]), np.array(self.raw[start:])])
