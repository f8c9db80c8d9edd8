"""The sign-reversal logit: the odds of a rise from the sign and the size of the last returns, pooled over symbols."""

from math import exp
from typing import ClassVar

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats
from models import ewma_volatility, least_squares, standardised_returns
from models.contributions import Parts, Row
from models.forecaster import Forecasts
from models.importance import Importance, coefficients
from models.intervals.distribution import NORMAL
from models.intervals.residual_quantiles import from_mean, residual
from models.json_model import JSONModel
from models.json_type import JSON
from models.labels import targets
from models.search_space import NONE, Parameters
from models.structure import Coefficients, Structure, ahead
from topics.records import HORIZONS

CLIP = 4.0
"""Targets and inputs are clipped to +- this many standard deviations."""
SPANS = ((0, 1), (0, 5), (0, 15))
"""The returns over the last 1, 5 and 15 bars."""
INPUTS = (*standardised_returns.named(SPANS), *(f"sign of {name}" for name in standardised_returns.named(SPANS)))
PENALTY = 1.0
"""On the squared coefficients: keeps the likelihood's maximum finite if one input separates the classes."""
STEPS = 50
"""Newton steps, at most."""


class Reversal(JSONModel):
    """Logistic regression of the sign of the next return over h bars; bars that did not move are left out.

    Without an intercept: a sample's share of rises does not persist. The mean is (2 p_up - 1) E|y| times a slope of
    at least 0, both fitted, in units of sigma sqrt(h).
    """

    name: ClassVar[str] = "reversal"
    carried_state: ClassVar[tuple[str, ...]] = ("volatility", "returns")
    kept: ClassVar[tuple[str, ...]] = ("weights", "size", "spread")
    settings: ClassVar[JSON] = {"spans": SPANS, "clip": CLIP, "half_life": ewma_volatility.RULE}

    def __init__(
        self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.weights = np.zeros((len(horizons), 2 * len(SPANS)))
        self.size = np.zeros(len(horizons))  # slope * E|y|
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q], of the residuals in units of the scale

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Fit the logit, then the size of returns given its odds, then the quantiles of the residuals."""
        self.fingerprint = frames[0].fingerprint
        parts: list[tuple[Floats, Floats]] = []
        for frame in frames:
            _, sigma = ewma_volatility.step(ewma_volatility.initial(), frame)
            _, x = self._inputs(standardised_returns.initial(), frame, sigma)
            known = ~np.isnan(x).any(axis=1)
            parts.append((x[known], targets(frame, sigma, self.horizons, CLIP)[known]))
        x, y = (np.concatenate(part) for part in zip(*parts, strict=True))
        for column, label in enumerate(y.T):
            moved = ~np.isnan(label) & (label != 0)
            self.weights[column] = logit(x[moved], label[moved] > 0)
        lean = 2 * _odds(least_squares.combine(x, self.weights)) - 1
        for column, label in enumerate(y.T):
            known = ~np.isnan(label)
            output = lean[known, column]
            self.size[column] = max(float(output @ label[known]) / max(float(output @ output), 1e-12), 0.0)
        self.spread = residual(y, lean * self.size)

    def importance(self) -> Importance | None:
        """Return each input's share of the coefficients' sizes, None before the fit."""
        return coefficients(INPUTS, self.weights)

    def structure(self) -> Structure:
        """Return the coefficients."""
        return Structure(
            coefficients=[
                Coefficients.of(
                    "of the log odds of a rise, per unit of the input", ahead(self.horizons), INPUTS, self.weights
                )
            ]
        )

    def contributions(self, row: Row) -> Parts:
        """Return each input's part of the mean: a curve of one weighed sum, whose slope is taken over the whole way."""
        x = self._inputs(row.before["returns"], row.frame, np.array([row.sigma]))[1][0]
        parts = self.weights[row.column] * x
        along = float(parts.sum())
        mean = float(np.tanh(along / 2)) * float(self.size[row.column])  # 2 / (1 + exp(-s)) - 1 = tanh(s / 2)
        slope = mean / along if along != 0 else 0.0
        return Parts(base=0.0, names=INPUTS, values=x.tolist(), parts=(slope * parts).tolist(), attention={})

    def _inputs(self, state: JSON, frame: FeatureFrame, sigma: Floats) -> tuple[JSON, Floats]:
        """Return the sizes and then the signs of the last returns: [n, 2 * spans]."""
        state, x = standardised_returns.step(state, frame, sigma, SPANS)
        return state, np.concatenate([np.clip(x, -CLIP, CLIP), np.sign(x)], axis=1)

    def initial(self) -> JSON:
        """Return the initial state of a symbol."""
        return {"volatility": ewma_volatility.initial(), "returns": standardised_returns.initial()}

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from the returns up to its close."""
        scale, sigma = ewma_volatility.step(state["volatility"], frame)
        past, x = self._inputs(state["returns"], frame, sigma)
        odds = _odds(least_squares.combine(x, self.weights))
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
def _odds(output: Floats) -> Floats:
    odds = np.empty(output.shape)
    for row in range(output.shape[0]):
        for column in range(output.shape[1]):
            odds[row, column] = 1.0 / (1.0 + exp(-output[row, column]))
    return odds
