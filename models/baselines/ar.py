"""An autoregression: the standardised return of each horizon on the last returns, pooled over symbols."""

from typing import ClassVar

import numpy as np

from features.frame import FeatureFrame, Floats
from models import ewma_volatility, least_squares, search_space, standardised_returns
from models.contributions import Parts, Row, weighed
from models.forecaster import Forecasts
from models.importance import Importance, coefficients
from models.intervals.distribution import NORMAL
from models.intervals.residual_quantiles import from_mean, residual
from models.json_model import JSONModel
from models.json_type import JSON
from models.labels import targets
from models.search_space import NONE, Parameters, Space
from models.structure import Coefficients, Structure, ahead
from topics.records import HORIZONS

CLIP = 4.0
"""Targets and inputs are clipped to +- this many standard deviations."""
SPANS = ((0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (0, 15), (0, 60))
"""The last five one-bar returns, and the sums of the last 15 and 60."""


class AR(JSONModel):
    """Least squares of ln(P(t+h) / P(t)) / (sigma sqrt(h)) on `SPANS`, one set of coefficients a horizon.

    Without an intercept: a sample's drift does not persist.
    """

    name: ClassVar[str] = "ar"
    carried_state: ClassVar[tuple[str, ...]] = ("volatility", "returns")
    kept: ClassVar[tuple[str, ...]] = ("weights", "spread")
    settings: ClassVar[JSON] = {"spans": SPANS, "clip": CLIP, "half_life": ewma_volatility.RULE}
    SPACE: ClassVar[Space] = {"clip": search_space.CLIP}

    def __init__(
        self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.clip = float(self.tuned.get("clip", CLIP))
        self.weights = np.zeros((len(horizons), len(SPANS)))
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q], of the residuals in units of the scale

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Fit the coefficients, then the quantiles of the residuals."""
        self.fingerprint = frames[0].fingerprint
        moments = least_squares.Moments.none(len(SPANS), len(self.horizons))
        lines: list[tuple[Floats, Floats]] = []
        for frame in frames:
            _, sigma = ewma_volatility.step(ewma_volatility.initial(), frame)
            _, x = self._inputs(standardised_returns.initial(), frame, sigma)
            y = targets(frame, sigma, self.horizons, self.clip)
            known = ~np.isnan(x).any(axis=1)
            moments.add(x[known], y[known], np.ones(int(known.sum())))
            lines.append((x[known], y[known]))
        self.weights = moments.solve(np.zeros(len(self.horizons)))
        x, y = (np.concatenate(part) for part in zip(*lines, strict=True))
        self.spread = residual(y, least_squares.combine(x, self.weights))

    def importance(self) -> Importance | None:
        """Return each input's share of the coefficients' sizes, None before the fit."""
        return coefficients(standardised_returns.named(SPANS), self.weights)

    def structure(self) -> Structure:
        """Return the coefficients."""
        return Structure(
            coefficients=[
                Coefficients.of(
                    "of the mean in units of sigma sqrt(h), per return in units of sigma sqrt(n)",
                    ahead(self.horizons),
                    standardised_returns.named(SPANS),
                    self.weights,
                )
            ]
        )

    def contributions(self, row: Row) -> Parts:
        """Return each coefficient times its input."""
        _, x = self._inputs(row.before["returns"], row.frame, np.array([row.sigma]))
        return weighed(0.0, standardised_returns.named(SPANS), x[0], self.weights[row.column])

    def _inputs(self, state: JSON, frame: FeatureFrame, sigma: Floats) -> tuple[JSON, Floats]:
        state, x = standardised_returns.step(state, frame, sigma, SPANS)
        return state, np.clip(x, -self.clip, self.clip)

    def initial(self) -> JSON:
        """Return the initial state of a symbol."""
        return {"volatility": ewma_volatility.initial(), "returns": standardised_returns.initial()}

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from the returns up to its close."""
        scale, sigma = ewma_volatility.step(state["volatility"], frame)
        past, x = self._inputs(state["returns"], frame, sigma)
        mean = least_squares.combine(x, self.weights)
        return {"volatility": scale, "returns": past}, from_mean(mean, sigma, self.horizons, self.spread)
