"""GARCH(1,1) with Student-t innovations: fitted with the package arch, filtered bar by bar by its own recursion."""

from typing import ClassVar

import numpy as np

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats
from models import ewma_volatility
from models.ewma_volatility import AWAY, FIRST, FLOOR, HOME, STAYS, Turns
from models.forecaster import Forecasts
from models.intervals.residual_quantiles import from_scale
from models.json_type import JSON
from models.volatility.recursion import VarianceRecursion, by_arch


class GARCH(VarianceRecursion):
    """sigma2(t+1) = omega + alpha r(t)^2 + beta sigma2(t) (Bollerslev 1986).

    A symbol that the fit did not see has the mean alpha and beta, and the geometric mean of the symbols' variances. A
    return over a gap of k intervals counts as one of a k-th of its square, a wild one as in `models.ewma_volatility`:
    when the price is back, the variance continues from before it; when it stays, it counts in full.
    """

    name: ClassVar[str] = "garch"
    carried_state: ClassVar[tuple[str, ...]] = ("volatility", "variance", "before", "rest")
    """Includes the variance: the effect of earlier parameters in it fades within some bars."""
    fitted: ClassVar[tuple[str, ...]] = ("omega", "alpha", "beta", "degrees of freedom", "variance before the first")
    meaning: ClassVar[str] = "of the variance of one bar, in squared log return"

    def _likeliest(self, returns: Floats) -> Floats:
        return likeliest(returns)

    def _pooled(self) -> Floats:
        pooled: Floats = self.parameters.mean(axis=0)
        pooled[4] = np.exp(np.log(self.parameters[:, 4]).mean())
        pooled[0] = (self.parameters[:, 0] / self.parameters[:, 4]).mean() * pooled[4]
        return pooled

    def initial(self) -> JSON:
        """Return the initial state of a symbol."""
        return {"volatility": ewma_volatility.initial(), "variance": -1.0, "before": -1.0, "rest": 0.0}

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from the returns up to its close."""
        omega, alpha, beta, _, before = self.of(frame.symbol).tolist()
        scales, walk = ewma_volatility.walk(state["volatility"], frame)
        start = state["variance"] if state["variance"] >= 0 else before
        result, last, *doubt = _filter(
            walk.returns, walk.rest, walk.turns, start, state["before"], state["rest"], omega, alpha, beta
        )
        variance = np.where(np.isnan(walk.sigma), np.nan, result)
        constant, factor = term_structure(omega, alpha + beta, self.horizons)
        scale = np.sqrt(np.maximum(self.level * (constant + factor * variance[:, None]), FLOOR**2))
        new = {"volatility": scales, "variance": last, "before": doubt[0], "rest": doubt[1]}
        return new, from_scale(scale, self.spread)


def likeliest(returns: Floats) -> Floats:
    """Return omega, alpha, beta, degrees of freedom and the variance before the first return, by maximum likelihood.

    alpha + beta is at most 1.
    """
    (omega, alpha, beta, freedom), one, before = by_arch(returns, vol="GARCH", p=1, q=1, dist="t")
    return np.array([omega * one**2, alpha, min(beta, 1.0 - alpha), freedom, before])


def term_structure(omega: float, persistence: float, horizons: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return a and b [H] such that a + b * sigma2(t+1) is the expected sum of variances over h bars."""
    constant, factor = np.zeros(len(horizons)), np.zeros(len(horizons))
    for column, horizon in enumerate(horizons):
        powers = persistence ** np.arange(horizon)
        factor[column] = powers.sum()
        constant[column] = omega * np.concatenate([[0.0], np.cumsum(powers)[:-1]]).sum()
    return constant, factor


@compiled_and_kept
def _filter(
    returns: Floats,
    rests: Floats,
    turns: Turns,
    variance: float,
    before: float,
    rest: float,
    omega: float,
    alpha: float,
    beta: float,
) -> tuple[Floats, float, float, float]:
    """Return the variance of the next bar's return [n], the last one, that before the last wild return, and what the
    variance lacks while the price is in doubt.
    """
    values = np.empty(len(returns))
    for row in range(len(returns)):
        if turns[row] & HOME:
            variance, rest = before, 0.0
        if turns[row] & STAYS:
            variance, rest = variance + rest, 0.0
        if turns[row] & AWAY:
            before = variance
        if not turns[row] & FIRST:
            variance = omega + alpha * returns[row] ** 2 + beta * variance
            rest = beta * rest + alpha * rests[row]
        values[row] = variance
    return values, variance, before, rest
