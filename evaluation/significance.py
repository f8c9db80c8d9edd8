"""Tests of significance, on daily sums of loss differences over all symbols, since labels overlap and markets move
together.

A loss is the model's less that of the naive forecast, so that a negative one is better; rows without a forecast count
as the naive one's.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr

from evaluation.bootstrap import BLOCK, DRAWS, FEWEST_DAYS
from models.forecaster import Floats

SIZE = 0.1
"""Size of the model confidence set: it holds the best model with a probability of 90 %."""
LAGS = 3
"""Days over which the sums of neighbouring days may be correlated."""


class Comparison(NamedTuple):
    """A Diebold-Mariano test of a model's loss against a reference's; `difference` is their mean daily difference.

    `holm` is p adjusted over the family: all models and horizons against this reference in this loss.
    """

    loss: str
    horizon: int
    model: str
    reference: str
    difference: float
    statistic: float
    p: float
    holm: float
    days: int


class Membership(NamedTuple):
    """A model's p in the model confidence set of a loss and horizon, and whether it is in."""

    loss: str
    horizon: int
    model: str
    p: float
    inside: bool


class Superiority(NamedTuple):
    """Hansen's test whether any model beats a reference: p of the consistent version."""

    loss: str
    horizon: int
    reference: str
    p: float


def diebold_mariano(difference: Floats, lags: int = LAGS) -> tuple[float, float]:
    """Return the statistic and the two-sided p of daily loss differences [days] having the mean zero.

    Bartlett's kernel over `lags` days (Newey and West 1987), against Student's t. NaN with too few days, or where the
    two never differ.
    """
    days = len(difference)
    if days < FEWEST_DAYS or not difference.any():
        return np.nan, np.nan
    rest = difference - difference.mean()
    variance = rest @ rest
    for lag in range(1, lags + 1):
        variance += 2.0 * (1.0 - lag / (lags + 1.0)) * (rest[lag:] @ rest[:-lag])
    if variance <= 0:
        return np.nan, np.nan
    # The small-sample factor is that of Harvey, Leybourne and Newbold (1997) for one step of one day.
    statistic = float(difference.sum() / np.sqrt(variance) * np.sqrt((days - 1.0) / days))
    return statistic, float(2.0 * stdtr(days - 1, -abs(statistic)))


def holm(p: Sequence[float]) -> list[float]:
    """Return the p adjusted for their number (Holm 1979); NaN stays, and does not count.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    values = np.array(p, dtype=np.float64)
    adjusted = np.full(len(values), np.nan)
    order = [place for place in np.argsort(values, kind="stable") if not np.isnan(values[place])]
    least = 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, float(values[place]) * (len(order) - rank)))
        adjusted[place] = least
    return [float(value) for value in adjusted]


def compare(loss: str, daily: Floats, models: Sequence[str], horizons: Sequence[int]) -> list[Comparison]:
    """Return the tests of every model against every other, from daily differences [models, horizons, days]."""
    comparisons: list[Comparison] = []
    for against, reference in enumerate(models):
        family = []
        for place, model in enumerate(models):
            for column, horizon in enumerate(horizons):
                if place != against:
                    difference = daily[place, column] - daily[against, column]
                    statistic, p = diebold_mariano(difference)
                    mean = float(difference.mean())
                    family.append(
                        Comparison(loss, horizon, model, reference, mean, statistic, p, np.nan, len(difference))
                    )
        adjusted = holm([test.p for test in family])
        comparisons += [test._replace(holm=value) for test, value in zip(family, adjusted, strict=True)]
    return comparisons


def confidence_set(loss: str, horizon: int, daily: Floats, models: Sequence[str], seed: int) -> list[Membership]:
    """Return which models are in the model confidence set (Hansen, Lunde and Nason 2011), from daily losses [models,
    days].

    Models whose losses are equal every day (all forecasts of zero are, in squared error) enter as one.
    """
    days = daily.shape[1]
    distinct, place = np.unique(daily, axis=0, return_inverse=True)
    if days < FEWEST_DAYS:
        return [Membership(loss, horizon, model, np.nan, True) for model in models]
    p = np.ones(len(distinct))
    if len(distinct) > 1:
        from arch.bootstrap import MCS  # noqa: PLC0415 - imports matplotlib, which takes half a second

        result = MCS(distinct.T / distinct.std(), SIZE, DRAWS, BLOCK, method="R", bootstrap="stationary", seed=seed)
        result.compute()
        p = result.pvalues["Pvalue"].sort_index().to_numpy()
    return [
        Membership(loss, horizon, model, float(p[index]), bool(p[index] > SIZE))
        for model, index in zip(models, place.ravel(), strict=True)
    ]


def superiority(
    loss: str, horizon: int, daily: Floats, models: Sequence[str], reference: str, seed: int
) -> Superiority:
    """Return Hansen's test of superior predictive ability (2005) against the reference, from daily losses."""
    benchmark = daily[list(models).index(reference)]
    others = np.unique(daily - benchmark, axis=0)
    others = others[others.any(axis=1)]
    if len(benchmark) < FEWEST_DAYS or not len(others):
        return Superiority(loss, horizon, reference, np.nan)
    scale = others.std()
    from arch.bootstrap import SPA  # noqa: PLC0415 - imports matplotlib, which takes half a second

    test = SPA(np.zeros(len(benchmark)), others.T / scale, BLOCK, DRAWS, bootstrap="stationary", seed=seed)
    test.compute()
    return Superiority(loss, horizon, reference, float(test.pvalues["consistent"]))
