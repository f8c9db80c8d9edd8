"""One LightGBM booster with many outputs: training, and tempering it on rows that it did not see."""

from statistics import NormalDist
from typing import Any

import numpy as np

from features.frame import Floats
from models.lightgbm_library import PER_ROW, thinned, trained
from models.plain_lightgbm import lightgbm
from models.space import NONE, Parameters
from topics.records import QUANTILES

MIN_ROWS = 1_000
"""Rows needed to train on, and to temper with."""
ROUNDS = 40
PARAMETERS: dict[str, Any] = {
    "learning_rate": 0.06,
    "num_leaves": 15,
    "min_data_in_leaf": 1_000,
    "lambda_l2": 50.0,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.6,
    "bagging_freq": 1,
    "max_bin": 63,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,  # two threads on two busy cores are slower: each tree waits for both
    "verbosity": -1,
}
LEVELS = np.array(QUANTILES)
SHRINKS = np.linspace(0, 1, 11)


def base(y: Floats, normal: Floats) -> Floats:
    """Return the outputs [H, 1 + Q] before any tree: a mean of zero and the targets' quantiles."""
    columns = [column[~np.isnan(column)] for column in y.T]
    return np.array([[0.0, *(np.quantile(column, LEVELS) if len(column) else normal)] for column in columns])


def train(
    x: Floats,
    y: Floats,
    horizons: tuple[int, ...],
    start: Floats,
    seed: int,
    tuned: Parameters = NONE,
    recency: Floats | None = None,
    thin: int = 1,
) -> lightgbm.Booster:
    """Return a booster with H * (1 + Q) outputs, to be added to `start` [H, 1 + Q].

    Squared loss for the mean, pinball loss for the quantiles, all trees of a round on one set of bins. The pinball loss
    has no curvature: the normal density at the level stands in for it, a Newton step on the expected loss. A label of
    horizon h shares its path with h others and weighs 1 / h (uniqueness; Lopez de Prado 2018, ch. 4), so that the L2
    term shrinks long horizons more; an unknown one weighs nothing.

    `tuned` are LightGBM's parameters in place of those of `PARAMETERS`, and the `rounds`; `recency` [n] is how much a
    row weighs beside the others; the rows are a `thin`-th of those that the parameters are for. Raises ValueError with
    one line where LightGBM refuses.
    """
    weight = ~np.isnan(y) / np.array(horizons, dtype=np.float64)
    if recency is not None:
        weight *= recency[:, None]
    known = np.nan_to_num(y)[:, :, None]
    pdf = np.array([NormalDist().pdf(NormalDist().inv_cdf(level)) for level in LEVELS])
    deviation = np.sqrt(np.nanmean(y**2, axis=0))
    curvature = np.concatenate([np.ones((len(horizons), 1)), pdf / deviation[:, None]], axis=1)
    second = (weight[:, :, None] * curvature).reshape(len(x), -1)

    def objective(said: Floats, _: lightgbm.Dataset) -> tuple[Floats, Floats]:
        error = said.reshape(len(x), *start.shape) + start - known
        error[:, :, 1:] = (error[:, :, 1:] >= 0) - LEVELS
        return (weight[:, :, None] * error).reshape(len(x), -1), second

    own = {name: value for name, value in tuned.items() if name != "rounds"}
    library = thinned(PARAMETERS | own, PER_ROW, thin)
    data = lightgbm.Dataset(x, np.zeros(len(x)), params=library)
    rounds = int(tuned.get("rounds", ROUNDS))
    return trained(library, data, seed, rounds, objective=objective, num_class=start.size)


def temper(said: Floats, y: Floats, start: Floats) -> tuple[Floats, Floats]:
    """Return shrink and shift [H, 1 + Q] such that shift + shrink * said [n, H, 1 + Q] fits the unseen y [n, H].

    The mean is shrunk by the slope of y on it, between 0 and 1; the quantiles by the factor with the least pinball
    loss. Each quantile is then moved so that as many unseen targets lie below as its level says (Romano et al. 2019).
    """
    shrink, shift = np.zeros(start.shape), start.copy()
    for column in range(len(start)):
        rows = ~np.isnan(y[:, column])
        target, mean, spread = y[rows, column], said[rows, column, 0], said[rows, column, 1:]
        if len(target) < MIN_ROWS:
            continue
        shrink[column, 0] = slope(target, mean)
        losses = [_pinball(target, start[column, 1:] + factor * spread) for factor in SHRINKS]
        shrink[column, 1:] = SHRINKS[int(np.argmin(losses))]
        misses = target[:, None] - start[column, 1:] - shrink[column, 1:] * spread
        shift[column, 1:] += [np.quantile(misses[:, level], LEVELS[level]) for level in range(len(LEVELS))]
    return shrink, shift


def slope(y: Floats, said: Floats) -> float:
    """Return the least-squares slope of what came on what was said, between 0 and 1."""
    return min(max(float(said @ y) / max(float(said @ said), 1e-12), 0.0), 1.0)


def _pinball(target: Floats, quantiles: Floats) -> float:
    miss = target[:, None] - np.sort(quantiles, axis=1)
    return float(np.mean(np.maximum(LEVELS * miss, (LEVELS - 1) * miss)))
