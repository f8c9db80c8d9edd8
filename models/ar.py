"""An autoregression: the standardised return of each horizon on the last returns, pooled over symbols."""

from typing import ClassVar

import numpy as np

from features.frame import FeatureFrame, Floats
from models import linear, returns, space, volatility
from models.distribution import NORMAL
from models.fitted import Fitted
from models.forecaster import JSON, Forecasts
from models.labels import targets
from models.space import NONE, Parameters, Space
from models.standard import from_mean, residual
from topics.records import HORIZONS

CLIP = 4.0
"""Targets and inputs are clipped to +- this many standard deviations."""
SPANS = ((0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (0, 15), (0, 60))
"""The last five one-bar returns, and the sums of the last 15 and 60."""


class AR(Fitted):
    """Least squares of ln(P(t+h) / P(t)) / (sigma sqrt(h)) on `SPANS`, one set of coefficients a horizon.

    Without an intercept: the drift of a sample is no forecast.
    """

    name: ClassVar[str] = "ar"
    market: ClassVar[tuple[str, ...]] = ("volatility", "returns")
    kept: ClassVar[tuple[str, ...]] = ("weights", "spread")
    settings: ClassVar[JSON] = {"spans": SPANS, "clip": CLIP, "half_life": volatility.HALF_LIFE}
    SPACE: ClassVar[Space] = {"clip": space.CLIP}

    def __init__(
        self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.clip = float(self.tuned.get("clip", CLIP))
        self.weights = np.zeros((len(horizons), len(SPANS)))
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q], of the residuals in units of the scale

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Fit the coefficients, then the spread of what they leave over."""
        self.fingerprint = frames[0].fingerprint
        moments = linear.Moments.none(len(SPANS), len(self.horizons))
        said: list[tuple[Floats, Floats]] = []
        for frame in frames:
            _, sigma = volatility.step(volatility.initial(), frame)
            _, x = self._inputs(returns.initial(), frame, sigma)
            y = targets(frame, sigma, self.horizons, self.clip)
            known = ~np.isnan(x).any(axis=1)
            moments.add(x[known], y[known], np.ones(int(known.sum())))
            said.append((x[known], y[known]))
        self.weights = moments.solve(np.zeros(len(self.horizons)))
        x, y = (np.concatenate(part) for part in zip(*said, strict=True))
        self.spread = residual(y, linear.combine(x, self.weights))

    def _inputs(self, state: JSON, frame: FeatureFrame, sigma: Floats) -> tuple[JSON, Floats]:
        state, x = returns.step(state, frame, sigma, SPANS)
        return state, np.clip(x, -self.clip, self.clip)

    def initial(self) -> JSON:
        """Return the state of a symbol that was not seen yet."""
        return {"volatility": volatility.initial(), "returns": returns.initial()}

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from the returns up to its close."""
        scale, sigma = volatility.step(state["volatility"], frame)
        past, x = self._inputs(state["returns"], frame, sigma)
        mean = linear.combine(x, self.weights)
        return {"volatility": scale, "returns": past}, from_mean(mean, sigma, self.horizons, self.spread)
