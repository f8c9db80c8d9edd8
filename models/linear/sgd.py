"""A running scaler and a linear regression a horizon by stochastic gradients, walked over rows in time order.

The arithmetic is that of river's StandardScaler and LinearRegression with SGD, operation for operation, except for
outliers in the scaler: the tests compare the bits. Compiled, a row takes 1 µs instead of about 90.
"""

from math import pow as power_of

import numpy as np
import numpy.typing as npt

from features.compiled import compiled, compiled_and_kept
from features.frame import Floats, Ints
from models.json_type import JSON

Flags = npt.NDArray[np.bool_]

CLIP = 4.0
"""Targets and standardised inputs are clipped to +- this."""
LEARNING_RATE, POWER = 0.05, 0.5
"""Step of the label number t: LEARNING_RATE / (t + 1) ** POWER, over sqrt(h) because labels overlap."""
MIN_SEEN = 100
FARTHEST = 20.0
"""After this many rows, an input changes means and variances by at most this many standard deviations."""
L2 = 1e-4
TRUST_HALF_LIFE = 5_000
MEMORY = 0.5 ** (1 / TRUST_HALF_LIFE)
"""Decay per label in the trailing slope of label on forecast."""
MIN_LABELS = 500
"""The number of labels learnt before a regression forecasts."""
LARGEST_GRADIENT = 1e12


def fresh(inputs: int, horizons: int) -> JSON:
    """Return the initial state."""
    return {
        "scaler": {"count": 0, "means": [0.0] * inputs, "variances": [0.0] * inputs},
        "weights": [[0.0] * (inputs + 1) for _ in range(horizons)],
        "labels": [0] * horizons,
        "slope": [[0.0, 0.0] for _ in range(horizons)],
    }


class Learner:
    """What was learnt, as arrays that `Walk` changes in place: `to_json` gives it back exactly.

    `count` [1] rows were seen, with `means` and `variances` [F]; `weights` [H, F + 1] end with the intercept; `labels`
    [H] were learnt; `slope` [H, 2] holds the trailing means of forecast squared and forecast times label.
    """

    def __init__(self, horizons: tuple[int, ...], state: JSON, rate: float = LEARNING_RATE) -> None:
        scaler = state["scaler"]
        self.count = np.array([scaler["count"]], dtype=np.int64)
        self.means, self.variances = np.array(scaler["means"]), np.array(scaler["variances"])
        self.weights = np.array(state["weights"])
        self.labels = np.array(state["labels"], dtype=np.int64)
        self.slope = np.array(state["slope"])
        self.rates = np.array([rate / horizon**0.5 for horizon in horizons])

    def to_json(self) -> JSON:
        """Return what was learnt as plain lists."""
        return {
            "scaler": {
                "count": int(self.count[0]),
                "means": self.means.tolist(),
                "variances": self.variances.tolist(),
            },
            "weights": self.weights.tolist(),
            "labels": self.labels.tolist(),
            "slope": self.slope.tolist(),
        }


class Walk:
    """One symbol's rows: `advance` first learns the labels that mature at a row, then forecasts from it.

    `queue` [m, F + H] holds what was made of earlier rows: standardised inputs and the regressions' forecasts, NaN
    if the inputs were unknown. `x` [n, F] are the inputs of the rows after them. `labels` and `at` [m + n, H] are
    the scaled label, NaN if it was learnt before, and the row at which it matures. `l2` and `memory` as `L2` and
    `MEMORY`.
    """

    def __init__(
        self, queue: Floats, x: Floats, labels: Floats, at: Ints, l2: float = L2, memory: float = MEMORY
    ) -> None:
        self.rows = np.concatenate([queue, np.full((len(x), queue.shape[1]), np.nan)])
        self.x = np.ascontiguousarray(x)
        self.known: Flags = np.logical_not(np.isnan(x).any(axis=1))
        self.labels, self.at = labels, at
        self.l2, self.memory = l2, memory
        self.first = np.zeros(labels.shape[1], dtype=np.int64)
        self.done = len(queue)

    def advance(self, learner: Learner, count: int) -> Floats:
        """Return the forecasts [count, H] of the next rows, in units of the scale.

        The forecast is the regression's, shrunk by the trailing slope of the labels on it (never negative, never over
        one): a regression without recent skill forecasts zero.
        """
        output = _advance(
            self.done,
            self.done + count,
            self.rows,
            self.x,
            self.known,
            self.labels,
            self.at,
            self.first,
            learner.count,
            learner.means,
            learner.variances,
            learner.weights,
            learner.labels,
            learner.slope,
            learner.rates,
            POWER,
            self.l2,
            self.memory,
        )
        self.done += count
        return output

    def queue(self, start: int) -> Floats:
        """Return the queue [k, F + H] of the rows from `start` on."""
        return self.rows[start:]


@compiled_and_kept
def _advance(  # noqa: PLR0913 - numba takes arrays and numbers, not records
    begin: int,
    end: int,
    rows: Floats,
    x: Floats,
    known: Flags,
    labels: Floats,
    at: Ints,
    first: Ints,
    count: Ints,
    means: Floats,
    variances: Floats,
    weights: Floats,
    learnt: Ints,
    slope: Floats,
    rates: Floats,
    power: float,
    l2: float,
    memory: float,
) -> Floats:
    """Walk the rows from `begin` to `end`; `power` is a parameter so that libm raises to it, as for Python."""
    inputs = x.shape[1]
    before = len(rows) - len(x)
    output = np.empty((end - begin, len(rates)))
    for row in range(begin, end):
        for column in range(len(rates)):
            while first[column] < row and at[first[column], column] <= row:
                z, label = rows[first[column]], labels[first[column], column]
                if not np.isnan(z[0]) and not np.isnan(label):
                    rate = rates[column] / power_of(float(learnt[column] + 1), power)
                    _learn(z[:inputs], label, rate, weights[column], l2)
                    learnt[column] += 1
                    _remember(z[inputs + column], label, slope[column], memory)
                first[column] += 1
        if known[row - before]:
            count[0] += 1
            _observe(x[row - before], count[0], means, variances, power, rows[row])
            for column in range(len(rates)):
                if learnt[column] >= MIN_LABELS:
                    rows[row, inputs + column] = _regress(rows[row, :inputs], weights[column])
        for column in range(len(rates)):
            output[row - begin, column] = rows[row, inputs + column] * _trust(slope[column])
    return output


@compiled
def _observe(x: Floats, count: int, means: Floats, variances: Floats, power: float, z: Floats) -> None:
    """Take the inputs x [F] into their means and variances (Welford), and put them into z, standardised."""
    for name in range(len(x)):
        old, new = means[name], x[name]
        if count > MIN_SEEN and variances[name] > 0:
            most = FARTHEST * power_of(variances[name], power)
            new = min(max(new, old - most), old + most)
        means[name] += (new - old) / count
        variances[name] += ((new - old) * (new - means[name]) - variances[name]) / count
        value = (x[name] - means[name]) / power_of(variances[name], power) if variances[name] != 0 else 0.0
        z[name] = -CLIP if value < -CLIP else (CLIP if value > CLIP else value)


@compiled
def _regress(z: Floats, weights: Floats) -> float:
    total = 0.0
    for name in range(len(z)):
        total += weights[name] * z[name]
    return float(total + weights[-1])


@compiled
def _learn(z: Floats, label: float, rate: float, weights: Floats, l2: float) -> None:
    """Step against the gradient of the squared loss, with an L2 term on all but the intercept."""
    gradient = 2 * (_regress(z, weights) - label)
    gradient = max(min(gradient, LARGEST_GRADIENT), -LARGEST_GRADIENT)
    weights[-1] -= rate * gradient
    for name in range(len(z)):
        weights[name] -= (z[name] * gradient + weights[name] * l2) * rate


@compiled
def _remember(forecast: float, label: float, slope: Floats, memory: float) -> None:
    """Add a regression's forecast of a label, if there was one, to the trailing slope."""
    if not np.isnan(forecast):
        slope[0] = memory * slope[0] + (1 - memory) * forecast * forecast
        slope[1] = memory * slope[1] + (1 - memory) * forecast * label


@compiled
def _trust(slope: Floats) -> float:
    return min(max(slope[1] / slope[0], 0.0), 1.0) if slope[0] > 0 else 0.0
