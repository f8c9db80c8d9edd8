"""LightGBM on what HAR leaves over: the realised variance over HAR's forecast of it, by the gamma deviance.

HAR knows the day's volatility and the hour's habits, which reach further back than any feature; the trees add the rest.
"""

from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from features.frame import FeatureFrame, Floats
from models import volatility
from models.boosted import Inputs, Rows
from models.forecaster import JSON, Forecasts
from models.har import HAR
from models.labels import targets, variances
from models.lightgbm_volatility import LEAST, MOST, LightGBMVolatility
from models.space import NONE, Parameters
from topics.records import HORIZONS
from topics.units import interval_ms


class LightGBMHAR(LightGBMVolatility):
    """No drift and even odds; the scale is HAR's times the root of the factor that the trees forecast.

    The trees also see how far HAR's scale is from sigma sqrt(h), at each horizon.
    """

    name: ClassVar[str] = "lightgbm_har"
    market: ClassVar[tuple[str, ...]] = ("volatility", "har")
    """HAR's part too: its sums are the symbol's own, and at the next day's end its weights are this version's."""

    def __init__(
        self, names: tuple[str, ...], horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.har = HAR(names, horizons)

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:
        """Fit HAR, then the trees on what it leaves over. Raises ValueError where there are too few labelled rows."""
        self.har.fit(frames, seed)
        super().fit(frames, seed)

    def _labelled(self, frame: FeatureFrame) -> Rows:
        _, sigma = volatility.step(volatility.initial(), frame)
        scale = self.har.step(self.har.initial(), frame)[1].scale
        unit = sigma[:, None] * np.sqrt(self.horizons)
        y = targets(frame, sigma, self.horizons, np.inf) * unit / scale
        target = np.clip(variances(frame, self.horizons) / scale**2, LEAST, MOST)
        x, known = self._inputs(frame, sigma)
        time = frame.time.astype(np.float64)
        ends = time + max(self.horizons) * interval_ms(frame.interval)
        return Rows(time, ends, beside(x, scale, unit), y, (target,))[known & ~np.isnan(y).all(axis=1)]

    def initial(self) -> JSON:
        """Return the state of a symbol that was not seen yet."""
        return {"volatility": volatility.initial(), "har": self.har.initial()}

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from its features and HAR's forecast at its close."""
        if not self.boosters:
            raise ValueError(f"model {self.name!r} was not fitted; run foretick train")
        scales, sigma = volatility.step(state["volatility"], frame)
        har, said = self.har.step(state["har"], frame)
        x, known = self._inputs(frame, sigma)
        unit = sigma[:, None] * np.sqrt(self.horizons)
        scale = np.where(known[:, None], said.scale, np.nan)
        return {"volatility": scales, "har": har}, self._forecasts(beside(x, said.scale, unit), scale)

    def _definition(self) -> JSON:
        return super()._definition() | {"har": self.har.version}

    def save(self, folder: Path) -> None:
        """Write the artifacts of the trees and, in a folder of its own, of HAR."""
        super().save(folder)
        self.har.save(folder / HAR.name)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises ValueError with one line where it is not this model's, or was changed."""
        model = super().load(folder)
        model.har = HAR.load(folder / HAR.name)
        return model


def beside(x: Inputs, scale: Floats, unit: Floats) -> Inputs:
    """Return the inputs with the logarithms of scale / unit [n, H] behind them."""
    return np.column_stack([x, np.log(scale / unit).astype(np.float32)])
