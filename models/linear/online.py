"""The online model: linear regressions that learn from a queue of maturing labels."""

from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from features.frame import FeatureFrame, Floats, Ints
from models import artifact, ewma_volatility, search_space
from models.contributions import Parts, Row, weighed
from models.forecaster import Forecaster, Forecasts
from models.importance import Importance, coefficients
from models.inputs import columns, scale_free
from models.intervals.distribution import NORMAL
from models.intervals.residual_quantiles import from_mean, residual
from models.json_type import JSON
from models.labels import waiting
from models.linear import sgd
from models.linear.sgd import Learner, Walk
from models.search_space import NONE, Parameters, Real, Space
from models.structure import Coefficients, Structure, ahead
from topics.records import HORIZONS
from topics.units import interval_ms

INPUTS = (
    "log_return_1",
    "log_return_5",
    "log_return_15",
    "log_return_60",
    "ema_12",
    "ema_26",
    "macd_histogram_12_26_9",
    "rsi_14",
    "stochastic_k_14",
    "bollinger_b_20",
    "zscore_60",
    "zscore_200",
)
"""Computed from prices alone, so that sources without volumes are forecast too."""


class Online(Forecaster):
    """Per symbol a scaler and four regressions of ln(P(t+h) / P(t)) / (sigma sqrt(h)), which start where the fit ended.

    The fit walks all symbols' rows in time order through one learner, in the same way as the stream does.
    """

    name: ClassVar[str] = "online"
    carried_state: ClassVar[tuple[str, ...]] = ("volatility",)
    SPACE: ClassVar[Space] = {  # a factor of about ten to either side
        "learning_rate": Real(0.005, 0.5, sgd.LEARNING_RATE, log=True),
        "l2": Real(1e-6, 1e-2, sgd.L2, log=True),
        "trust_half_life": Real(500.0, 50_000.0, sgd.TRUST_HALF_LIFE, log=True),
    }

    def __init__(
        self, names: tuple[str, ...], horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q], of the residuals in units of the scale
        self.learnt = sgd.fresh(len(INPUTS), len(horizons))
        self._columns = columns(INPUTS, names, self.name)

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Walk all symbols' rows in time order; keep the learnt state and the quantiles of the residuals."""
        self.fingerprint = frames[0].fingerprint
        student = self._student(sgd.fresh(len(INPUTS), len(self.horizons)))
        walks, labels = [], []
        for frame in frames:
            _, sigma = ewma_volatility.step(ewma_volatility.initial(), frame)
            at, y = waiting(frame.time, frame.close, sigma, self.horizons, sgd.CLIP, frame)
            labels.append(y)
            walks.append(self._walked(np.empty((0, self._width)), self._inputs(frame, sigma), y, at))
        order = np.argsort(np.concatenate([frame.time for frame in frames]), kind="stable")
        owners = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])[order].tolist()
        lines: list[list[Floats]] = [[] for _ in frames]
        for owner in owners:
            lines[owner].append(walks[owner].advance(student, 1))
        self.spread = residual(np.concatenate(labels), np.concatenate([rows for parts in lines for rows in parts]))
        self.learnt = student.to_json()

    def importance(self) -> Importance | None:
        """Return each input's share of the sizes of the weights that a symbol begins with, None before the fit."""
        return coefficients(INPUTS, np.array(self.learnt["weights"])[:, :-1])  # the last is the intercept

    def structure(self) -> Structure:
        """Return the weights that a symbol begins with; they move with every label."""
        meaning = "of the mean in units of sigma sqrt(h), per standard deviation of the input, at a symbol's start"
        rows, columns = ahead(self.horizons), (*INPUTS, "intercept")
        return Structure(coefficients=[Coefficients.of(meaning, rows, columns, np.array(self.learnt["weights"]))])

    def contributions(self, row: Row) -> Parts:
        """Return each weight times its standardised input, shrunk as the forecast was."""
        z, weights = learnt_row(row, len(INPUTS))
        return weighed(float(weights[-1]), INPUTS, z, weights[:-1])

    def initial(self) -> JSON:
        """Return the initial state of a symbol: what the fit learnt, and an empty queue."""
        return {"volatility": ewma_volatility.initial(), "learnt": self.learnt, "bars": [], "queue": []}

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from what was known at its close; learn from labels only once they have matured."""
        scale, sigma = ewma_volatility.step(state["volatility"], frame)
        queue = np.array(state["queue"], dtype=np.float64).reshape(-1, self._width)
        bars = np.array(state["bars"], dtype=np.float64).reshape(-1, 3)  # time, price, sigma
        bars = np.concatenate([bars, np.column_stack([frame.time, frame.close, sigma])])
        time = bars[:, 0].astype(np.int64)
        at, y = waiting(time, bars[:, 1].copy(), bars[:, 2], self.horizons, sgd.CLIP, frame)
        student = self._student(state["learnt"])
        walk = self._walked(queue, self._inputs(frame, sigma), y, at + len(queue))
        mean = walk.advance(student, len(frame))
        keep = int(np.searchsorted(time, time[-1] - max(self._spans(frame)), side="right"))
        new = {
            "volatility": scale,
            "learnt": student.to_json(),
            "bars": bars[keep:].tolist(),
            "queue": walk.queue(keep).tolist(),
        }
        return new, from_mean(mean, sigma, self.horizons, self.spread)

    def _student(self, state: JSON) -> Learner:
        return Learner(self.horizons, state, float(self.tuned.get("learning_rate", sgd.LEARNING_RATE)))

    def _walked(self, queue: Floats, x: Floats, labels: Floats, at: Ints) -> Walk:
        memory = 0.5 ** (1 / float(self.tuned.get("trust_half_life", sgd.TRUST_HALF_LIFE)))
        return Walk(queue, x, labels, at, float(self.tuned.get("l2", sgd.L2)), memory)

    def _inputs(self, frame: FeatureFrame, sigma: Floats) -> Floats:
        return scale_free(frame, self._columns, INPUTS, sigma)

    def _spans(self, frame: FeatureFrame) -> list[int]:
        return [horizon * interval_ms(frame.interval) for horizon in self.horizons]

    @property
    def _width(self) -> int:
        return len(INPUTS) + len(self.horizons)

    def _definition(self) -> JSON:
        return super()._definition() | {
            "inputs": INPUTS,
            "half_life": ewma_volatility.RULE,
            "learning_rate": [sgd.LEARNING_RATE, sgd.POWER, sgd.L2, sgd.MEMORY, sgd.FARTHEST],
            "spread": self.spread.tolist(),
            "learnt": self.learnt,
            **search_space.noted(self.tuned),
        }

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the output of `save`. Raises ValueError with one line if it is no artifact of this model."""
        definition = artifact.read(folder, cls.name)
        model = cls(tuple(definition["names"]), tuple(definition["horizons"]), search_space.of(definition))
        model.fingerprint = definition["fingerprint"]
        model.spread = np.array(definition["spread"])
        model.learnt = definition["learnt"]
        return model


def learnt_row(row: Row, inputs: int) -> tuple[Floats, Floats]:
    """Return the row's standardised inputs [F] and the weights after it, shrunk by the trailing slope of label on
    forecast.
    """
    learnt = row.after["learnt"]
    size, along = learnt["slope"][row.column]
    trust = float(min(max(along / size, 0.0), 1.0)) if size > 0 else 0.0
    return np.array(row.after["queue"][-1][:inputs]), trust * np.array(learnt["weights"][row.column])
