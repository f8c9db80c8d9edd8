"""One LightGBM booster with many outputs: training, and shrinking it on rows that it did not see."""

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np

from features.frame import Floats
from models.forecaster import told
from models.search_space import NONE, Parameters
from models.trees.lightgbm_import import lightgbm
from models.trees.lightgbm_parameters import PER_ROW, judged_by, some, thinned, trained
from topics.records import QUANTILES

MIN_ROWS = 1_000
"""Rows needed to train on, and to fit the shrinkage on."""
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
    progress: Callable[[str], None] | None = None,
    unseen: tuple[Floats, Floats] | None = None,
) -> lightgbm.Booster:
    """Return a booster with H * (1 + Q) outputs, to be added to `start` [H, 1 + Q].

    Squared loss for the mean, pinball loss for the quantiles, all trees of a round on one set of bins. The pinball loss
    has no curvature: the normal density at the level is used instead, a Newton step on the expected loss. A label of
    horizon h shares its path with h others and weighs 1 / h (uniqueness; Lopez de Prado 2018, ch. 4), so that the L2
    term shrinks long horizons more; an unknown one weighs nothing.

    `tuned` are LightGBM's parameters instead of those of `PARAMETERS`, and the `rounds`; `recency` [n] are the rows'
    relative weights; the rows are a `thin`-th of those that the parameters are for. `progress` is called for each
    round, with its pinball loss on some of these rows and on the `unseen` x and y. Raises ValueError with one line if
    LightGBM refuses.
    """
    weight = ~np.isnan(y) / np.array(horizons, dtype=np.float64)
    if recency is not None:
        weight *= recency[:, None]
    known = np.nan_to_num(y)[:, :, None]
    pdf = np.array([NormalDist().pdf(NormalDist().inv_cdf(level)) for level in LEVELS])
    deviation = np.sqrt(np.nanmean(y**2, axis=0))
    curvature = np.concatenate([np.ones((len(horizons), 1)), pdf / deviation[:, None]], axis=1)
    second = (weight[:, :, None] * curvature).reshape(len(x), -1)

    def objective(output: Floats, _: lightgbm.Dataset) -> tuple[Floats, Floats]:
        error = output.reshape(len(x), *start.shape) + start - known
        error[:, :, 1:] = (error[:, :, 1:] >= 0) - LEVELS
        return (weight[:, :, None] * error).reshape(len(x), -1), second

    own = {name: value for name, value in tuned.items() if name != "rounds"}
    library = thinned(PARAMETERS | own, PER_ROW, thin)
    data = lightgbm.Dataset(x, np.zeros(len(x)), params=library)
    rounds = int(tuned.get("rounds", ROUNDS))
    judged = _judged(data, [(x, y), unseen], start, library, rounds, progress) if progress and unseen else {}
    return trained(library, data, seed, rounds, judged, objective=objective, num_class=start.size)


def _judged(
    data: lightgbm.Dataset,
    parts: list[tuple[Floats, Floats]],
    start: Floats,
    library: Parameters,
    rounds: int,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Return the arguments with which LightGBM reports the loss on training rows and on held-out rows; the trees are
    unchanged."""
    chosen = [some(*part) for part in parts]
    sets = [data.create_valid(x, np.zeros(len(x)), params=dict(library)) for x, _ in chosen]

    def loss(output: Floats, rows: lightgbm.Dataset) -> tuple[str, float, bool]:
        y = chosen[0 if rows is sets[0] else 1][1]
        quantiles = output.reshape(len(y), *start.shape)[:, :, 1:] + start[:, 1:]
        miss = y[:, :, None] - quantiles
        return "loss", float(np.nanmean(np.maximum(LEVELS * miss, (LEVELS - 1) * miss))), False

    def tell(number: int, taught: float, held_out: float) -> None:
        progress(told("round", number, rounds, taught, held_out))

    return judged_by(sets, tell, feval=loss)


def fit_shrinkage(output: Floats, y: Floats, start: Floats) -> tuple[Floats, Floats]:
    """Return shrink and shift [H, 1 + Q] such that shift + shrink * said [n, H, 1 + Q] fits the unseen y [n, H].

    The mean is shrunk by the slope of y on it, between 0 and 1; the quantiles by the factor with the least pinball
    loss. Each quantile is then moved so that as many unseen targets lie below as its level says (Romano et al. 2019).
    """
    shrinkage, shift = np.zeros(start.shape), start.copy()
    for column in range(len(start)):
        rows = ~np.isnan(y[:, column])
        target, mean, residual_quantiles = y[rows, column], output[rows, column, 0], output[rows, column, 1:]
        if len(target) < MIN_ROWS:
            continue
        shrinkage[column, 0] = shrinkage_of(target, mean)
        losses = [_pinball(target, start[column, 1:] + factor * residual_quantiles) for factor in SHRINKS]
        shrinkage[column, 1:] = SHRINKS[int(np.argmin(losses))]
        misses = target[:, None] - start[column, 1:] - shrinkage[column, 1:] * residual_quantiles
        shift[column, 1:] += [np.quantile(misses[:, level], LEVELS[level]) for level in range(len(LEVELS))]
    return shrinkage, shift


def shrinkage_of(y: Floats, output: Floats) -> float:
    """Return the least-squares slope of targets on outputs, between 0 and 1."""
    return min(max(float(output @ y) / max(float(output @ output), 1e-12), 0.0), 1.0)


def _pinball(target: Floats, quantiles: Floats) -> float:
    miss = target[:, None] - np.sort(quantiles, axis=1)
    return float(np.mean(np.maximum(LEVELS * miss, (LEVELS - 1) * miss)))
