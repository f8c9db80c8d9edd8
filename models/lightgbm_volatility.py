"""LightGBM for the volatility: the realised variance of the horizon over sigma^2 h, by the gamma deviance.

The gamma deviance is QLIKE, the loss by which forecasts of a variance are judged (Patton 2011).
"""

from typing import Any, ClassVar

import numpy as np

from features.frame import FeatureFrame, Floats
from models import space
from models.boosted import Inputs, Rows
from models.distribution import spread
from models.forecaster import Forecasts
from models.labels import variances
from models.lightgbm_point import LIBRARY_SPACE, PARAMETERS, LightGBM
from models.space import Space
from models.standard import from_scale

LEAST, MOST = 1e-3, 50.0
"""The gamma deviance knows no zero, and one crash is not to decide a tree."""


class LightGBMVolatility(LightGBM):
    """No drift and even odds; the scale is sigma sqrt(h) times the root of the factor that the trees forecast."""

    name: ClassVar[str] = "lightgbm_volatility"
    library: ClassVar[dict[str, Any]] = {**PARAMETERS, "objective": "gamma"}
    SPACE: ClassVar[Space] = {**LIBRARY_SPACE, "half_life": space.HALF_LIFE}

    def _targets(self, frame: FeatureFrame, sigma: Floats) -> tuple[Floats, ...]:
        over = sigma[:, None] ** 2 * np.array(self.horizons)
        return (np.clip(variances(frame, self.horizons) / over, LEAST, MOST),)

    def _said(self, booster: Any, x: Inputs) -> Floats:
        said: Floats = np.exp(super()._said(booster, x))
        return said

    def _loss(self, y: Floats, said: Floats) -> float:
        """Return the gamma deviance, but for what does not depend on what was said."""
        return float(np.mean(y / said + np.log(said)))

    def _temper(self, rows: Rows) -> None:
        """Set the factor by which unseen variances exceed what the trees say, and the scaled returns' quantiles."""
        said = self._sum(rows.x)
        for column in range(len(self.horizons)):
            known = ~np.isnan(rows.targets[0][:, column])
            self.shrink[column] = np.mean(rows.targets[0][known, column] / said[known, column])
            scaled = rows.y[:, column] / np.sqrt(self.shrink[column] * said[:, column])
            self.spread[column] = spread(np.concatenate([scaled, -scaled]))

    def _forecasts(self, x: Inputs, unit: Floats) -> Forecasts:
        scale = unit * np.sqrt(self.shrink * self._sum(x))
        return from_scale(scale, self.spread)
