"""LightGBM for the volatility: the realised variance of the horizon over sigma^2 h, by the gamma deviance.

The gamma deviance is QLIKE, the usual loss for forecasts of a variance (Patton 2011).
"""

from typing import Any, ClassVar

import numpy as np

from features.frame import FeatureFrame, Floats
from models import search_space
from models.contributions import Parts, Row
from models.ewma_volatility import Walk
from models.forecaster import Forecasts
from models.intervals.distribution import sample_quantiles
from models.intervals.residual_quantiles import from_scale
from models.labels import variances
from models.search_space import Space
from models.trees.boosted import Inputs, Rows
from models.trees.lightgbm_point import LIBRARY_SPACE, PARAMETERS, LightGBM

LEAST, MOST = 1e-3, 50.0
"""Bounds of the target: the gamma deviance is undefined at zero, and one crash must not dominate a tree."""


class LightGBMVolatility(LightGBM):
    """No drift and even odds; the scale is sigma sqrt(h) times the root of the factor that the trees forecast."""

    name: ClassVar[str] = "lightgbm_volatility"
    library: ClassVar[dict[str, Any]] = {**PARAMETERS, "objective": "gamma"}
    SPACE: ClassVar[Space] = {**LIBRARY_SPACE, "half_life": search_space.HALF_LIFE}

    def _targets(self, frame: FeatureFrame, walk: Walk) -> tuple[Floats, ...]:
        over = walk.sigma[:, None] ** 2 * np.array(self.horizons)
        return (np.clip(variances(frame, self.horizons, walk.returns) / over, LEAST, MOST),)

    def _predict(self, booster: Any, x: Inputs) -> Floats:
        output: Floats = np.exp(super()._predict(booster, x))
        return output

    def _loss(self, y: Floats, output: Floats) -> float:
        """Return the gamma deviance without the terms that do not depend on the output."""
        return float(np.mean(y / output + np.log(output)))

    def _fit_shrinkage(self, rows: Rows) -> None:
        """Set the factor by which unseen variances exceed the trees' output, and the scaled returns' quantiles."""
        output = self._sum(rows.x)
        for column in range(len(self.horizons)):
            known = ~np.isnan(rows.targets[0][:, column])
            self.shrinkage[column] = np.mean(rows.targets[0][known, column] / output[known, column])
            scaled = rows.y[:, column] / np.sqrt(self.shrinkage[column] * output[:, column])
            self.residual_quantiles[column] = sample_quantiles(np.concatenate([scaled, -scaled]))

    def contributions(self, row: Row) -> Parts:
        """Return what each input added to the logarithm of the factor, which is shrink * exp(what the trees say)."""
        x = self._row_inputs(row)
        result = self._shap_sum(x, row.column)
        base = float(result[-1]) + float(np.log(float(self.shrinkage[row.column])))
        return Parts(
            base=base,
            names=self.columns,
            values=x[0].tolist(),
            parts=result[:-1].tolist(),
            attention={},
            quantity="log variance",
        )

    def _forecasts(self, x: Inputs, unit: Floats) -> Forecasts:
        scale = unit * np.sqrt(self.shrinkage * self._sum(x))
        return from_scale(scale, self.residual_quantiles)
