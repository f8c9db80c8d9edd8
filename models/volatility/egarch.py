"""EGARCH(1,1,1): fitted with the package arch, filtered bar by bar by its own recursion."""

from math import exp, gamma, log, pi, sqrt
from typing import ClassVar

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats, Ints
from models import ewma_volatility
from models.ewma_volatility import AWAY, FIRST, FLOOR, HOME, WILD, Turns
from models.forecaster import Forecasts
from models.intervals.residual_quantiles import from_scale
from models.json_type import JSON
from models.volatility.recursion import VarianceRecursion, by_arch

NORMAL_SIZE = sqrt(2 / pi)
"""The mean size of a standard normal number, which arch takes from that of each innovation."""


class EGARCH(VarianceRecursion):
    """ln sigma2(t+1) = omega + alpha (|e| - E|e|) + gamma e + beta ln sigma2(t), e = r(t) / sigma(t) (Nelson 1991).

    Innovations have a generalised error distribution, as Nelson's: with Student's t the variance over several bars has
    no expectation. Over h bars the exponentials of the logarithm's expectations are summed; `level` has the rest.

    A return over a gap of k intervals counts as one of a k-th of its square. When the price is back after a wild
    return, the variance continues from before it. No innovation counts as more than `WILD`, whether it stays or not:
    its size is in an exponent here, and that of a crash would last for days.
    """

    name: ClassVar[str] = "egarch"
    carried_state: ClassVar[tuple[str, ...]] = ("volatility", "log_variance", "before")
    """Includes the variance: the effect of earlier parameters in it fades within some bars."""
    fitted: ClassVar[tuple[str, ...]] = ("omega", "alpha", "gamma", "beta", "shape", "variance before the first")
    meaning: ClassVar[str] = "of the logarithm of the variance of one bar, in squared log return"

    def _likeliest(self, returns: Floats) -> Floats:
        return likeliest(returns)

    def _pooled(self) -> Floats:
        pooled: Floats = self.parameters.mean(axis=0)
        logs = np.log(self.parameters[:, 5])
        pooled[5] = np.exp(logs.mean())
        pooled[0] = (self.parameters[:, 0] - (1 - self.parameters[:, 3]) * logs).mean() + (1 - pooled[3]) * logs.mean()
        return pooled

    def initial(self) -> JSON:
        """Return the initial state of a symbol."""
        return {"volatility": ewma_volatility.initial(), "log_variance": None, "before": None}

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from the returns up to its close."""
        if not self.symbols:
            raise ValueError(f"model {self.name!r} was not fitted; run foretick train")
        *parameters, shape, first = self.of(frame.symbol).tolist()
        scales, walk = ewma_volatility.walk(state["volatility"], frame)
        known = state["log_variance"] is not None
        start, before = (state["log_variance"], state["before"]) if known else (log(max(first, FLOOR**2)),) * 2
        result, last, before = _filter(walk.returns, walk.turns, start, before, *parameters)
        omega, alpha, _, beta = parameters
        drift = omega + alpha * (mean_size(shape) - NORMAL_SIZE)
        variance = _sums(result, drift, beta, np.array(self.horizons))
        scale = np.sqrt(np.maximum(self.level * variance, FLOOR**2))
        scale[np.isnan(walk.sigma)] = np.nan
        return {"volatility": scales, "log_variance": last, "before": before}, from_scale(scale, self.spread)


def mean_size(shape: float) -> float:
    """Return E|e| of the generalised error distribution with unit variance (2 is the normal)."""
    return gamma(2 / shape) / sqrt(gamma(1 / shape) * gamma(3 / shape))


def likeliest(returns: Floats) -> Floats:
    """Return omega, alpha, gamma, beta, the shape and the variance before the first return, by maximum likelihood."""
    (omega, alpha, skew, beta, shape), one, before = by_arch(returns, vol="EGARCH", p=1, o=1, q=1, dist="ged")
    return np.array([omega + (1 - beta) * 2 * log(one), alpha, skew, beta, shape, before])


@compiled_and_kept
def _filter(
    returns: Floats,
    turns: Turns,
    variance: float,
    before: float,
    omega: float,
    alpha: float,
    skew: float,
    beta: float,
) -> tuple[Floats, float, float]:
    """Return the log variance of the next bar's return [n], the last one, and that before the last wild return."""
    values = np.empty(len(returns))
    for row in range(len(returns)):
        if turns[row] & HOME:
            variance = before
        if turns[row] & AWAY:
            before = variance
        if not turns[row] & FIRST:
            e = min(max(returns[row] * exp(-0.5 * variance), -WILD), WILD)
            variance = omega + alpha * (abs(e) - NORMAL_SIZE) + skew * e + beta * variance
        values[row] = variance
    return values, variance, before


@compiled_and_kept
def _sums(logs: Floats, drift: float, beta: float, horizons: Ints) -> Floats:
    """Return the sums [n, H] over each horizon's bars of the exponentials of the expected log variances."""
    values = np.empty((len(logs), len(horizons)))
    for row in range(len(logs)):
        total, at = 0.0, logs[row]
        for ahead in range(1, horizons.max() + 1):
            total += exp(at)
            at = drift + beta * at
            for column in range(len(horizons)):
                if horizons[column] == ahead:
                    values[row, column] = total
    return values
