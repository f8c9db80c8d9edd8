"""LightGBM on HAR's residual: the realised variance over HAR's forecast of it, by the gamma deviance.

HAR has the day's volatility and the diurnal pattern, which reach further back than any feature; the trees add the rest.
"""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from features.frame import FeatureFrame, Floats
from models import ewma_volatility
from models.contributions import Parts, Row
from models.forecaster import Forecasts
from models.json_type import JSON
from models.labels import targets, variances
from models.search_space import NONE, Parameters
from models.trees.boosted import Inputs, Rows
from models.trees.lightgbm_volatility import LEAST, MOST, LightGBMVolatility
from models.volatility.har import HAR
from topics.records import HORIZONS
from topics.units import interval_ms


class LightGBMHAR(LightGBMVolatility):
    """No drift and even odds; the scale is HAR's times the root of the factor that the trees forecast.

    The trees also get HAR's scale over sigma sqrt(h), at each horizon.
    """

    name: ClassVar[str] = "lightgbm_har"
    carried_state: ClassVar[tuple[str, ...]] = ("volatility", "har")
    """HAR's part too: its sums are the symbol's own, and at the next day's end its weights are this version's."""

    def __init__(
        self, names: tuple[str, ...], horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.har = HAR(names, horizons)

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:
        """Fit HAR, then the trees on its residual. Raises ValueError if there are too few labelled rows."""
        self.har.fit(frames, seed)
        super().fit(frames, seed)

    def _labelled(self, frame: FeatureFrame) -> Rows:
        _, walk = ewma_volatility.walk(ewma_volatility.initial(), frame)
        scale = self.har.step(self.har.initial(), frame)[1].scale
        unit = walk.sigma[:, None] * np.sqrt(self.horizons)
        y = targets(frame, walk.sigma, self.horizons, np.inf) * unit / scale
        target = np.clip(variances(frame, self.horizons, walk.returns) / scale**2, LEAST, MOST)
        x, known = self._inputs(frame, walk)
        time = frame.time.astype(np.float64)
        ends = time + max(self.horizons) * interval_ms(frame.interval)
        return Rows(time=time, ends=ends, x=beside(x, scale, unit), y=y, targets=(target,))[
            known & ~np.isnan(y).all(axis=1)
        ]

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the trees' inputs."""
        return (*self.inputs, *(f"ln(har / sigma sqrt(h)), {horizon} bars" for horizon in self.horizons))

    def initial(self) -> JSON:
        """Return the initial state of a symbol."""
        return {"volatility": ewma_volatility.initial(), "har": self.har.initial()}

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from its features and HAR's forecast at its close."""
        if not self.boosters:
            raise ValueError(f"model {self.name!r} was not fitted; run foretick train")
        scales, walk = ewma_volatility.walk(state["volatility"], frame)
        har, forecasts = self.har.step(state["har"], frame)
        x, known = self._inputs(frame, walk)
        unit = walk.sigma[:, None] * np.sqrt(self.horizons)
        scale = np.where(known[:, None], forecasts.scale, np.nan)
        return {"volatility": scales, "har": har}, self._forecasts(beside(x, forecasts.scale, unit), scale)

    def contributions(self, row: Row) -> Parts:
        """Return what HAR's variance and each input of the factor on it added to the variance's logarithm."""
        scale, unit = self._scales(row)
        ratio = float(scale[0, row.column] / unit[0, row.column])
        own = super().contributions(row)
        values, parts = [*own.values, ratio], [*own.parts, 2 * float(np.log(ratio))]
        return replace(own, names=[*own.names, HAR.name], values=values, parts=parts)

    def _row_inputs(self, row: Row) -> Inputs:
        return beside(super()._row_inputs(row), *self._scales(row))

    def _scales(self, row: Row) -> tuple[Floats, Floats]:
        """Return HAR's scale and sigma sqrt(h) of one row: [1, H]."""
        return self.har.step(row.before["har"], row.frame)[1].scale, row.sigma * np.sqrt([self.horizons])

    def _definition(self) -> JSON:
        return super()._definition() | {"har": self.har.version}

    def save(self, folder: Path) -> None:
        """Write the artifacts of the trees and, in a folder of its own, of HAR."""
        super().save(folder)
        self.har.save(folder / HAR.name)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the output of `save`. Raises ValueError with one line if it is not this model's, or was changed."""
        model = super().load(folder)
        model.har = HAR.load(folder / HAR.name)
        return model


def beside(x: Inputs, scale: Floats, unit: Floats) -> Inputs:
    """Return the inputs with the logarithms of scale / unit [n, H] behind them."""
    return np.column_stack([x, np.log(scale / unit).astype(np.float32)])
