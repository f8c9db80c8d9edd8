"""GARCH(1,1) with Student-t innovations: fitted with the package arch, filtered bar by bar by its own recursion."""

from math import log
from typing import ClassVar

import numpy as np
from arch import arch_model

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats
from models import ewma_volatility
from models.contributions import Parts, Row, no_drift
from models.ewma_volatility import AWAY, FIRST, FLOOR, HOME, STAYS, WILD, Turns
from models.forecaster import Forecasts
from models.intervals.distribution import NORMAL
from models.intervals.residual_quantiles import from_scale, symmetric
from models.json_model import JSONModel
from models.json_type import JSON
from models.labels import targets
from models.search_space import NONE, Parameters
from models.structure import Coefficients, Structure
from topics.records import HORIZONS

ROWS = 50_000
"""The most returns in a fit: the last ones of each symbol."""
MIN_ROWS = 1_000
"""The least returns of a symbol for parameters of its own."""
PARAMETERS = ("omega", "alpha", "beta", "degrees of freedom", "variance before the first")
SIZES = (1.0, 3.0, 10.0)
"""Standard deviations to which the returns are scaled. At some of them arch's optimiser stops at its start and reports
success: the likeliest result is used."""


class GARCH(JSONModel):
    """sigma2(t+1) = omega + alpha r(t)^2 + beta sigma2(t) (Bollerslev 1986), parameters per symbol.

    A symbol that the fit did not see has the mean alpha and beta, and the geometric mean of the symbols' variances. The
    variance over h bars is the sum of the recursion's own expectations times `level`, the mean ratio in the fit of what
    came to that sum: with heavy tails the likelihood of a t distribution leaves the level of a variance open.

    A return over a gap of k intervals counts as one of a k-th of its square, a wild one as in `models.ewma_volatility`:
    when the price is back, the variance continues from before it; when it stays, it counts in full. The mean is zero.
    """

    name: ClassVar[str] = "garch"
    carried_state: ClassVar[tuple[str, ...]] = ("volatility", "variance", "before", "rest")
    """Includes the variance: the effect of earlier parameters in it fades within some bars."""
    kept: ClassVar[tuple[str, ...]] = ("symbols", "parameters", "pooled", "level", "spread")
    settings: ClassVar[JSON] = {"rule": ewma_volatility.RULE}

    def __init__(
        self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.symbols: list[str] = []
        self.parameters = np.zeros((0, 5))  # [S, 5]: omega, alpha, beta, degrees of freedom, variance before the first
        self.pooled = np.zeros(5)
        self.level = np.ones(len(horizons))  # [H]
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q] in units of the scale

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Fit each symbol's parameters by maximum likelihood, then the spread of its returns over the filter's scale.

        Raises ValueError if no symbol has enough returns.
        """
        self.fingerprint = frames[0].fingerprint
        self.level = np.ones(len(self.horizons))
        returns = {frame.symbol: _returns(frame)[-ROWS:] for frame in frames}
        values = {symbol: likeliest(part) for symbol, part in returns.items() if len(part) >= MIN_ROWS}
        if not values:
            most = max((len(part) for part in returns.values()), default=0)
            raise ValueError(f"{most} returns to fit {self.name!r} on: {MIN_ROWS} are needed; give more bars")
        self.symbols = list(values)
        self.parameters = np.array(list(values.values()))
        self.pooled = self.parameters.mean(axis=0)
        self.pooled[4] = np.exp(np.log(self.parameters[:, 4]).mean())
        self.pooled[0] = (self.parameters[:, 0] / self.parameters[:, 4]).mean() * self.pooled[4]
        scales = [self.step(self.initial(), frame)[1].scale for frame in frames]
        answers = [targets(frame, np.ones(len(frame)), self.horizons, np.inf) for frame in frames]
        unit = np.concatenate(scales) / np.sqrt(self.horizons)  # targets of sigma 1 are ln(P(t+h) / P(t)) / sqrt(h)
        standardised = np.clip(
            np.concatenate(answers) / unit, -WILD, WILD
        )  # one wrong price must not determine the level
        self.level = np.nanmean(standardised**2, axis=0)
        self.spread = symmetric(standardised / np.sqrt(self.level))

    def of(self, symbol: str) -> Floats:
        """Return the parameters [5] of a symbol, the pooled ones for one that the fit did not see."""
        return self.parameters[self.symbols.index(symbol)] if symbol in self.symbols else self.pooled

    def structure(self) -> Structure:
        """Return the parameters of each symbol, and those of one that the fit did not see."""
        rows = [*self.symbols, "any other symbol"]
        values = np.vstack([self.parameters, self.pooled])
        table = Coefficients.of(
            "of the variance of one bar, in squared log return", rows, PARAMETERS, values, alike=False
        )
        return Structure(coefficients=[table])

    def contributions(self, row: Row) -> Parts:  # noqa: ARG002 - it is the same of every row
        """Return that there is nothing to explain."""
        return no_drift(self.name)

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


def _returns(frame: FeatureFrame) -> Floats:
    """Return the log returns of one bar, as they count at first; one over k intervals is divided by sqrt(k)."""
    return ewma_volatility.walk(ewma_volatility.initial(), frame)[1].returns[1:]


def likeliest(returns: Floats) -> Floats:
    """Return omega, alpha, beta, degrees of freedom and the variance before the first return, by maximum likelihood.

    alpha + beta is at most 1.
    """
    size = max(float(returns.std()), FLOOR)
    before = float(np.mean(returns**2))
    tries: list[tuple[float, Floats]] = []
    for unit in SIZES:
        one = size / unit
        model = arch_model(returns / one, mean="Zero", vol="GARCH", p=1, q=1, dist="t", rescale=False)
        result = model.fit(disp="off", show_warning=False, backcast=before / one**2)
        omega, alpha, beta, freedom = np.asarray(result.params, dtype=np.float64).tolist()
        likelihood = float(result.loglikelihood) - len(returns) * log(one)
        tries.append((likelihood, np.array([omega * one**2, alpha, min(beta, 1.0 - alpha), freedom, before])))
    return max(tries, key=lambda part: part[0])[1]


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
