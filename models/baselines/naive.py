"""The baseline: no drift, and a scale that follows recent volatility."""

from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from features.frame import FeatureFrame, Floats
from models import artifact, ewma_volatility
from models.contributions import Parts, Row, no_drift
from models.forecaster import Forecaster, Forecasts
from models.intervals.distribution import NORMAL
from models.intervals.residual_quantiles import from_scale, symmetric
from models.json_type import JSON
from models.labels import targets
from models.search_space import NONE, Parameters
from models.structure import Coefficients, Structure, ahead
from topics.records import HORIZONS, QUANTILES


class Naive(Forecaster):
    """Zero return, even odds, scale sigma sqrt(h) from the EWMA of `models.ewma_volatility`.

    The quantiles are those of the fit's standardised returns, made symmetric.
    """

    name: ClassVar[str] = "naive"
    carried_state: ClassVar[tuple[str, ...]] = ewma_volatility.STATE

    def __init__(
        self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q] in units of the scale

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Fit the quantiles of the standardised returns, pooled over symbols."""
        self.fingerprint = frames[0].fingerprint
        self.spread = symmetric(np.concatenate([self._targets(frame) for frame in frames]))

    def _targets(self, frame: FeatureFrame) -> Floats:
        _, sigma = ewma_volatility.step(ewma_volatility.initial(), frame)
        return targets(frame, sigma, self.horizons, clip=np.inf)

    def initial(self) -> JSON:
        """Return the initial state of a symbol."""
        return ewma_volatility.initial()

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from the volatility at its close."""
        state, sigma = ewma_volatility.step(state, frame)
        scale = sigma[:, None] * np.sqrt(self.horizons)
        return state, from_scale(scale, self.spread)

    def structure(self) -> Structure:
        """Return the quantiles, the one thing that is fitted."""
        names = [f"{100 * level:.0f} %" for level in QUANTILES]
        meaning = "quantiles of the return in units of sigma sqrt(h)"
        return Structure(coefficients=[Coefficients.of(meaning, ahead(self.horizons), names, self.spread)])

    def contributions(self, row: Row) -> Parts:  # noqa: ARG002 - it is the same of every row
        """Return that there is nothing to explain."""
        return no_drift(self.name)

    def _definition(self) -> JSON:
        return super()._definition() | {
            "half_life": ewma_volatility.RULE,
            "spread": self.spread.tolist(),
        }

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the output of `save`. Raises ValueError with one line if it is no artifact of this model."""
        definition = artifact.read(folder, cls.name)
        model = cls(tuple(definition["names"]), tuple(definition["horizons"]))
        model.fingerprint = definition["fingerprint"]
        model.spread = np.array(definition["spread"])
        return model
