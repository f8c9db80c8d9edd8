"""Common base of the GARCH family: a recursion of one bar's variance, its parameters fitted for each symbol."""

from abc import abstractmethod
from math import log
from typing import Any, ClassVar

import numpy as np
from arch import arch_model

from features.frame import FeatureFrame, Floats
from models import ewma_volatility
from models.contributions import Parts, Row, no_drift
from models.ewma_volatility import FLOOR, WILD
from models.intervals.distribution import NORMAL
from models.intervals.residual_quantiles import symmetric
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
SIZES = (1.0, 3.0, 10.0)
"""Standard deviations to which the returns are scaled. At some of them arch's optimiser stops at its start and reports
success: the likeliest result is used."""


class VarianceRecursion(JSONModel):
    """Parameters per symbol by maximum likelihood, pooled ones for a symbol that the fit did not see. The mean is zero.

    The variance over h bars is the sum of the recursion's own expectations times `level`, the mean ratio in the fit of
    what came to that sum: with heavy tails the likelihood leaves the level of a variance open.
    """

    kept: ClassVar[tuple[str, ...]] = ("symbols", "parameters", "pooled", "level", "spread")
    settings: ClassVar[JSON] = {"rule": ewma_volatility.RULE}
    fitted: ClassVar[tuple[str, ...]]
    """The parameters' names; the last is the variance before the first return."""
    meaning: ClassVar[str]
    """What the parameters are of."""

    def __init__(
        self, names: tuple[str, ...] = (), horizons: tuple[int, ...] = HORIZONS, parameters: Parameters = NONE
    ) -> None:
        super().__init__(names, horizons, parameters)
        self.symbols: list[str] = []
        self.parameters = np.zeros((0, len(self.fitted)))  # [S, P]
        self.pooled = np.zeros(len(self.fitted))
        self.level = np.ones(len(horizons))  # [H]
        self.spread = np.array([NORMAL] * len(horizons))  # [H, Q] in units of the scale

    @abstractmethod
    def _likeliest(self, returns: Floats) -> Floats:
        """Return the parameters [P] of one symbol's returns."""

    @abstractmethod
    def _pooled(self) -> Floats:
        """Return the parameters [P] for a symbol that the fit did not see, from those of the others."""

    def fit(self, frames: list[FeatureFrame], seed: int) -> None:  # noqa: ARG002 - nothing here is random
        """Fit each symbol's parameters by maximum likelihood, then the spread of its returns over the filter's scale.

        Raises ValueError if no symbol has enough returns.
        """
        self.fingerprint = frames[0].fingerprint
        self.level = np.ones(len(self.horizons))
        returns = {frame.symbol: _returns(frame)[-ROWS:] for frame in frames}
        values = {symbol: self._likeliest(part) for symbol, part in returns.items() if len(part) >= MIN_ROWS}
        if not values:
            most = max((len(part) for part in returns.values()), default=0)
            raise ValueError(f"{most} returns to fit {self.name!r} on: {MIN_ROWS} are needed; give more bars")
        self.symbols = list(values)
        self.parameters = np.array(list(values.values()))
        self.pooled = self._pooled()
        scales = [self.step(self.initial(), frame)[1].scale for frame in frames]
        answers = [targets(frame, np.ones(len(frame)), self.horizons, np.inf) for frame in frames]
        unit = np.concatenate(scales) / np.sqrt(self.horizons)  # targets of sigma 1 are ln(P(t+h) / P(t)) / sqrt(h)
        standardised = np.clip(
            np.concatenate(answers) / unit, -WILD, WILD
        )  # one wrong price must not determine the level
        self.level = np.nanmean(standardised**2, axis=0)
        self.spread = symmetric(standardised / np.sqrt(self.level))

    def of(self, symbol: str) -> Floats:
        """Return the parameters [P] of a symbol, the pooled ones for one that the fit did not see."""
        return self.parameters[self.symbols.index(symbol)] if symbol in self.symbols else self.pooled

    def structure(self) -> Structure:
        """Return the parameters of each symbol, and those of one that the fit did not see."""
        rows = [*self.symbols, "any other symbol"]
        values = np.vstack([self.parameters, self.pooled])
        return Structure(coefficients=[Coefficients.of(self.meaning, rows, self.fitted, values, alike=False)])

    def contributions(self, row: Row) -> Parts:  # noqa: ARG002 - it is the same of every row
        """Return that there is nothing to explain."""
        return no_drift(self.name)


def _returns(frame: FeatureFrame) -> Floats:
    """Return the log returns of one bar, as they count at first; one over k intervals is divided by sqrt(k)."""
    return ewma_volatility.walk(ewma_volatility.initial(), frame)[1].returns[1:]


def by_arch(returns: Floats, **model: Any) -> tuple[list[float], float, float]:
    """Return the likeliest parameters of arch's model of returns without a mean, by how much those had been divided,
    and the variance before the first return.
    """
    size = max(float(returns.std()), FLOOR)
    before = float(np.mean(returns**2))
    tries: list[tuple[float, list[float], float]] = []
    for unit in SIZES:
        one = size / unit
        asked = arch_model(returns / one, mean="Zero", rescale=False, **model)
        with np.errstate(over="ignore"):  # the optimiser also tries what is so unlikely that it overflows
            result = asked.fit(disp="off", show_warning=False, backcast=before / one**2)
        likelihood = float(result.loglikelihood) - len(returns) * log(one)
        tries.append((likelihood, np.asarray(result.params, dtype=np.float64).tolist(), one))
    _, parameters, one = max(tries, key=lambda part: part[0])
    return parameters, one, before
