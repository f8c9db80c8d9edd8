"""The model that learns while it forecasts: linear regressions on a queue of maturing labels."""

from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from features.frame import FeatureFrame, Floats, Ints
from models import artifact, learner, space, volatility
from models.distribution import NORMAL
from models.forecaster import JSON, Forecasts
from models.inputs import columns, scale_free
from models.labels import waiting
from models.learner import Learner, Walk
from models.space import NONE, Parameters, Real, Space
from models.standard import from_mean, residual
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
"""Made of prices alone, so that a source without volumes is forecast too."""


class Online:
    """Per symbol a scaler and four regressions of ln(P(t+h) / P(t)) / (sigma sqrt(h)), which start where the fit ended.

    The fit walks all symbols' rows in time order through one learner, in the same way as the stream does.
    """

    name: ClassVar[str] = "online"
    market: ClassVar[tuple[str, ...]] = ("volatility",)
    SPACE: ClassVar[Space] = {  # a factor of about ten to either side
        "learning_rate": Real(0.005, 0.5, learner.LEARNING_RATE, log=True),
        "l2": Real(1e-6, 1e-2, learner.L2, log=True),
        "trust_half_life": Real(500.0, 50_000.0, learner.TRUST_HALF_LIFE, log=True),
    }

    def __init__(
        self, names: tuple[str, ...], horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        self.tuned = space.tuned(self.name, self.SPACE, parameters)
        self.names = names
        self.horizons = horizons
        self.fingerprint = ""
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q], of the residuals in units of the scale
        self.learnt = learner.fresh(len(INPUTS), len(horizons))
        self._columns = columns(INPUTS, names, self.name)

    @property
    def version(self) -> str:
        """Return the hash of the definition and of what was fitted."""
        return artifact.version(self._definition())

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Walk all symbols' rows in time order; keep what was learnt and the spread of the residuals."""
        self.fingerprint = frames[0].fingerprint
        student = self._student(learner.fresh(len(INPUTS), len(self.horizons)))
        walks, labels = [], []
        for frame in frames:
            _, sigma = volatility.step(volatility.initial(), frame)
            at, y = waiting(frame.time, frame.close, sigma, self.horizons, learner.CLIP, frame)
            labels.append(y)
            walks.append(self._walked(np.empty((0, self._width)), self._inputs(frame, sigma), y, at))
        order = np.argsort(np.concatenate([frame.time for frame in frames]), kind="stable")
        owners = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])[order].tolist()
        said: list[list[Floats]] = [[] for _ in frames]
        for owner in owners:
            said[owner].append(walks[owner].advance(student, 1))
        self.spread = residual(np.concatenate(labels), np.concatenate([rows for parts in said for rows in parts]))
        self.learnt = student.to_json()

    def initial(self) -> JSON:
        """Return the state of a symbol that was not seen yet: what the fit learnt, and an empty queue."""
        return {"volatility": volatility.initial(), "learnt": self.learnt, "bars": [], "queue": []}

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from what was known at its close; learn from labels only once they have matured."""
        scale, sigma = volatility.step(state["volatility"], frame)
        queue = np.array(state["queue"], dtype=np.float64).reshape(-1, self._width)
        bars = np.array(state["bars"], dtype=np.float64).reshape(-1, 3)  # time, price, sigma
        bars = np.concatenate([bars, np.column_stack([frame.time, frame.close, sigma])])
        time = bars[:, 0].astype(np.int64)
        at, y = waiting(time, bars[:, 1].copy(), bars[:, 2], self.horizons, learner.CLIP, frame)
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
        return Learner(self.horizons, state, float(self.tuned.get("learning_rate", learner.LEARNING_RATE)))

    def _walked(self, queue: Floats, x: Floats, labels: Floats, at: Ints) -> Walk:
        memory = 0.5 ** (1 / float(self.tuned.get("trust_half_life", learner.TRUST_HALF_LIFE)))
        return Walk(queue, x, labels, at, float(self.tuned.get("l2", learner.L2)), memory)

    def _inputs(self, frame: FeatureFrame, sigma: Floats) -> Floats:
        return scale_free(frame, self._columns, INPUTS, sigma)

    def _spans(self, frame: FeatureFrame) -> list[int]:
        return [horizon * interval_ms(frame.interval) for horizon in self.horizons]

    @property
    def _width(self) -> int:
        return len(INPUTS) + len(self.horizons)

    def _definition(self) -> JSON:
        return {
            "model": self.name,
            "fingerprint": self.fingerprint,
            "names": self.names,
            "horizons": self.horizons,
            "inputs": INPUTS,
            "half_life": volatility.HALF_LIFE,
            "learning_rate": [learner.LEARNING_RATE, learner.POWER, learner.L2, learner.MEMORY],
            "spread": self.spread.tolist(),
            "learnt": self.learnt,
            **space.noted(self.tuned),
        }

    def save(self, folder: Path) -> None:
        """Write model.json."""
        artifact.write(folder, self._definition())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises ValueError with one line where it is no artifact of this model."""
        definition = artifact.read(folder, cls.name)
        model = cls(tuple(definition["names"]), tuple(definition["horizons"]), space.of(definition))
        model.fingerprint = definition["fingerprint"]
        model.spread = np.array(definition["spread"])
        model.learnt = definition["learnt"]
        return model
