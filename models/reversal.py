"""The sign-reversal logit: the odds of a rise from the sign and the size of the last returns, pooled over symbols."""

from math import exp
from typing import ClassVar

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats
from models import linear, returns, volatility
from models.distribution import NORMAL
from models.fitted import Fitted
from models.forecaster import JSON, Forecasts
from models.labels import targets
from models.standard import from_mean, residual
from topics.records import HORIZONS

CLIP = 4.0
"""Targets and inputs are clipped to +- this many standard deviations."""
SPANS = ((0, 1), (0, 5), (0, 15))
"""The returns over the last 1, 5 and 15 bars."""
PENALTY = 1.0
"""On the squared coefficients: keeps the likelihood's maximum finite where one input tells all."""
STEPS = 50
"""Newton steps, at most."""


class Reversal(Fitted):
    """Logistic regression of the sign of the next return over h bars; bars that did not move are left out.

    Without an intercept: the share of rises in a sample is no forecast. The mean is (2 p_up - 1) E|y| times a slope of
    at least 0, both fitted, in units of sigma sqrt(h).
    """

    name: ClassVar[str] = "reversal"
    market: ClassVar[tuple[str, ...]] = ("volatility", "returns")
    kept: ClassVar[tuple[str, ...]] = ("weights", "size", "spread")
    settings: ClassVar[JSON] = {"spans": SPANS, "clip": CLIP, "half_life": volatility.HALF_LIFE}

    def __init__(self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS) -> None:
        super().__init__(names, horizons)
        self.weights = np.zeros((len(horizons), 2 * len(SPANS)))
        self.size = np.zeros(len(horizons))  # slope * E|y|
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q], of the residuals in units of the scale

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Fit the odds, then what a return is worth at those odds, then the spread of what is left over."""
        self.fingerprint = frames[0].fingerprint
        parts: list[tuple[Floats, Floats]] = []
        for frame in frames:
            _, sigma = volatility.step(volatility.initial(), frame)
            _, x = self._inputs(returns.initial(), frame, sigma)
            known = ~np.isnan(x).any(axis=1)
            parts.append((x[known], targets(frame, sigma, self.horizons, CLIP)[known]))
        x, y = (np.concatenate(part) for part in zip(*parts, strict=True))
        for column, label in enumerate(y.T):
            moved = ~np.isnan(label) & (label != 0)
            self.weights[column] = logit(x[moved], label[moved] > 0)
        lean = 2 * _odds(linear.combine(x, self.weights)) - 1
        for column, label in enumerate(y.T):
            known = ~np.isnan(label)
            said = lean[known, column]
            self.size[column] = max(float(said @ label[known]) / max(float(said @ said), 1e-12), 0.0)
        self.spread = residual(y, lean * self.size)

    def _inputs(self, state: JSON, frame: FeatureFrame, sigma: Floats) -> tuple[JSON, Floats]:
        """Return the sizes and then the signs of the last returns: [n, 2 * spans]."""
        state, x = returns.step(state, frame, sigma, SPANS)
        return state, np.concatenate([np.clip(x, -CLIP, CLIP), np.sign(x)], axis=1)

    def initial(self) -> JSON:
        """Return the state of a symbol that was not seen yet."""
        return {"volatility": volatility.initial(), "returns": returns.initial()}

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from the returns up to its close."""
        scale, sigma = volatility.step(state["volatility"], frame)
        past, x = self._inputs(state["returns"], frame, sigma)
        odds = _odds(linear.combine(x, self.weights))
        forecasts = from_mean((2 * odds - 1) * self.size, sigma, self.horizons, self.spread, odds)
        return {"volatility": scale, "returns": past}, forecasts


def logit(x: Floats, up: Floats) -> Floats:
    """Return the coefficients [F] with the highest likelihood less PENALTY / 2 times their squares (Newton)."""
    weights = np.zeros(x.shape[1])
    for _ in range(STEPS):
        odds = 1 / (1 + np.exp(-(x @ weights)))
        gradient = x.T @ (up - odds) - PENALTY * weights
        curvature = (x * (odds * (1 - odds))[:, None]).T @ x + PENALTY * np.eye(x.shape[1])
        change = np.linalg.solve(curvature, gradient)
        weights += change
        if np.abs(change).max() < 1e-10:
            break
    return weights


@compiled_and_kept
def _odds(said: Floats) -> Floats:
    odds = np.empty(said.shape)
    for row in range(said.shape[0]):
        for column in range(said.shape[1]):
            odds[row, column] = 1.0 / (1.0 + exp(-said[row, column]))
    return odds
