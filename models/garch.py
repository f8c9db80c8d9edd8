"""GARCH(1,1) with Student-t innovations: fitted with the package arch, filtered bar by bar by its own recursion."""

from math import log
from typing import ClassVar

import numpy as np
from arch import arch_model

from features.compiled import compiled_and_kept
from features.frame import FeatureFrame, Floats, Ints
from models.distribution import NORMAL
from models.fitted import Fitted
from models.forecaster import JSON, Forecasts
from models.labels import targets
from models.standard import from_scale, symmetric
from models.volatility import FLOOR, MIN_RETURNS
from topics.records import HORIZONS
from topics.units import interval_ms

ROWS = 50_000
"""Returns fitted on, at most: the last ones of each symbol."""
MIN_ROWS = 1_000
"""Returns that a symbol needs for parameters of its own."""
SIZES = (1.0, 3.0, 10.0)
"""Standard deviations given to the returns. At some of them arch's optimiser stops where it began and reports success:
the likeliest of all is taken."""


class GARCH(Fitted):
    """sigma2(t+1) = omega + alpha r(t)^2 + beta sigma2(t) (Bollerslev 1986), parameters per symbol.

    A symbol that the fit did not see has the mean alpha and beta, and the geometric mean of the symbols' variances. The
    variance over h bars is the sum of the recursion's own expectations times `level`, the mean ratio in the fit of what
    came to that sum: with heavy tails the likelihood of a t distribution leaves the level of a variance open.

    A return over a gap of k intervals counts as one of a k-th of its square, as in `models.volatility`. The mean is
    zero.
    """

    name: ClassVar[str] = "garch"
    market: ClassVar[tuple[str, ...]] = ("time", "close", "variance", "count")
    """The variance too: what parameters fitted before have left in it fades within some bars."""
    kept: ClassVar[tuple[str, ...]] = ("symbols", "parameters", "pooled", "level", "spread")

    def __init__(self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS) -> None:
        super().__init__(names, horizons)
        self.symbols: list[str] = []
        self.parameters = np.zeros((0, 5))  # [S, 5]: omega, alpha, beta, degrees of freedom, variance before the first
        self.pooled = np.zeros(5)
        self.level = np.ones(len(horizons))  # [H]
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q] in units of the scale

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Fit each symbol's parameters by maximum likelihood, then the spread of its returns over the filter's scale.

        Raises ValueError where no symbol has enough returns.
        """
        self.fingerprint = frames[0].fingerprint
        self.level = np.ones(len(self.horizons))
        returns = {frame.symbol: _returns(frame)[-ROWS:] for frame in frames}
        found = {symbol: likeliest(part) for symbol, part in returns.items() if len(part) >= MIN_ROWS}
        if not found:
            most = max((len(part) for part in returns.values()), default=0)
            raise ValueError(f"{most} returns to fit {self.name!r} on: {MIN_ROWS} are needed; give more bars")
        self.symbols = list(found)
        self.parameters = np.array(list(found.values()))
        self.pooled = self.parameters.mean(axis=0)
        self.pooled[4] = np.exp(np.log(self.parameters[:, 4]).mean())
        self.pooled[0] = (self.parameters[:, 0] / self.parameters[:, 4]).mean() * self.pooled[4]
        scales = [self.step(self.initial(), frame)[1].scale for frame in frames]
        answers = [targets(frame, np.ones(len(frame)), self.horizons, np.inf) for frame in frames]
        unit = np.concatenate(scales) / np.sqrt(self.horizons)  # targets of sigma 1 are ln(P(t+h) / P(t)) / sqrt(h)
        standardised = np.concatenate(answers) / unit
        self.level = np.nanmean(standardised**2, axis=0)
        self.spread = symmetric(standardised / np.sqrt(self.level))

    def of(self, symbol: str) -> Floats:
        """Return the parameters [5] of a symbol, the pooled ones for one that the fit did not see."""
        return self.parameters[self.symbols.index(symbol)] if symbol in self.symbols else self.pooled

    def initial(self) -> JSON:
        """Return the state of a symbol that was not seen yet."""
        return {"time": -1, "close": 1.0, "variance": -1.0, "count": 0}

    def step(self, state: JSON, frame: FeatureFrame) -> tuple[JSON, Forecasts]:
        """Forecast each row from the returns up to its close."""
        omega, alpha, beta, _, before = self.of(frame.symbol).tolist()
        variance, (time, close, last, count) = _filter(
            frame.time,
            frame.close,
            interval_ms(frame.interval),
            state["time"],
            state["close"],
            state["variance"] if state["variance"] >= 0 else before,
            state["count"],
            omega,
            alpha,
            beta,
        )
        constant, factor = term_structure(omega, alpha + beta, self.horizons)
        scale = np.sqrt(np.maximum(self.level * (constant + factor * variance[:, None]), FLOOR**2))
        return {"time": time, "close": close, "variance": last, "count": count}, from_scale(scale, self.spread)


def _returns(frame: FeatureFrame) -> Floats:
    """Return the log returns of one bar; one over k intervals is divided by sqrt(k)."""
    passed = np.diff(frame.time) / interval_ms(frame.interval)
    return np.diff(np.log(frame.close)) / np.sqrt(passed)


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
        found = model.fit(disp="off", show_warning=False, backcast=before / one**2)
        omega, alpha, beta, freedom = np.asarray(found.params, dtype=np.float64).tolist()
        likelihood = float(found.loglikelihood) - len(returns) * log(one)
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
    times: Ints,
    closes: Floats,
    bar: int,
    time: int,
    close: float,
    variance: float,
    count: int,
    omega: float,
    alpha: float,
    beta: float,
) -> tuple[Floats, tuple[int, float, float, int]]:
    """Return the variance of the next bar's return [n], NaN before `MIN_RETURNS`."""
    found = np.full(len(times), np.nan)
    for row in range(len(times)):
        if time >= 0:
            squared = log(closes[row] / close) ** 2 * bar / (times[row] - time)
            variance = omega + alpha * squared + beta * variance
            count += 1
        time, close = times[row], closes[row]
        if count >= MIN_RETURNS:
            found[row] = variance
    return found, (time, close, variance, count)
