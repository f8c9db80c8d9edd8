"""The forecast to beat: no drift, and a spread that follows recent volatility."""

from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from features.frame import FeatureFrame, Floats
from models import artifact, volatility
from models.distribution import NORMAL
from models.forecaster import JSON, Forecasts
from models.labels import targets
from models.standard import from_scale, symmetric
from topics.records import HORIZONS


class Naive:
    """Zero return, even odds, scale sigma sqrt(h) from the EWMA of `models.volatility`.

    The quantiles are those of the fit's standardised returns, made symmetric.
    """

    name: ClassVar[str] = "naive"
    market: ClassVar[tuple[str, ...]] = volatility.STATE

    def __init__(self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS) -> None:
        self.names = names
        self.horizons = horizons
        self.fingerprint = ""
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q] in units of the scale

    @property
    def version(self) -> str:
        """Return the hash of the definition and of what was fitted."""
        return artifact.version(self._definition())

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Take the quantiles of the standardised returns, pooled over symbols."""
        self.fingerprint = frames[0].fingerprint
        self.spread = symmetric(np.concatenate([self._targets(frame) for frame in frames]))

    def _targets(self, frame: FeatureFrame) -> Floats:
        _, sigma = volatility.step(volatility.initial(), frame)
        return targets(frame, sigma, self.horizons, clip=np.inf)

    def initial(self) -> JSON:
        """Return the state of a symbol that was not seen yet."""
        return volatility.initial()

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from the volatility at its close."""
        state, sigma = volatility.step(state, frame)
        scale = sigma[:, None] * np.sqrt(self.horizons)
        return state, from_scale(scale, self.spread)

    def _definition(self) -> JSON:
        return {
            "model": self.name,
            "fingerprint": self.fingerprint,
            "names": self.names,
            "horizons": self.horizons,
            "half_life": volatility.HALF_LIFE,
            "spread": self.spread.tolist(),
        }

    def save(self, folder: Path) -> None:
        """Write model.json."""
        artifact.write(folder, self._definition())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises ValueError with one line where it is no artifact of this model."""
        definition = artifact.read(folder, cls.name)
        model = cls(tuple(definition["names"]), tuple(definition["horizons"]))
        model.fingerprint = definition["fingerprint"]
        model.spread = np.array(definition["spread"])
        return model
