"""LightGBM: one booster whose outputs are, for every horizon, the mean and all quantiles of the standardised return."""

import hashlib
from pathlib import Path
from statistics import NormalDist
from typing import ClassVar, Self

import lightgbm
import numpy as np

from features.frame import FeatureFrame, Floats
from models import artifact, labels, volatility
from models.distribution import odds_up, spread
from models.forecaster import JSON, Forecasts
from models.inputs import scale_free
from topics.records import HORIZONS, QUANTILES

BOOSTER = "booster.txt"
ROUNDS = 40
CLIP = 4.0
MAX_ROWS = 60_000
PARAMETERS = {
    "learning_rate": 0.08,
    "num_leaves": 15,
    "min_data_in_leaf": 500,
    "lambda_l2": 50.0,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.6,
    "bagging_freq": 1,
    "max_bin": 63,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}
THREADS = 2


def train(x: Floats, y: Floats, base: Floats, seed: int) -> lightgbm.Booster:
    outputs = base.size
    weight = (~np.isnan(y)).astype(np.float64)  # [n, H]
    known = np.nan_to_num(y)
    levels = np.array(QUANTILES)
    density = np.array([NormalDist().pdf(NormalDist().inv_cdf(level)) for level in QUANTILES])
    std = np.nanstd(y, axis=0)

    def gradient(said: Floats, _: lightgbm.Dataset) -> tuple[Floats, Floats]:
        said = said.reshape(len(x), len(base), -1) + base  # [n, H, 1 + Q]
        error = said - known[:, :, None]
        grad = error.copy()
        grad[:, :, 1:] = (error[:, :, 1:] >= 0) - levels
        hess = np.empty_like(grad)
        hess[:, :, 0] = 1.0
        hess[:, :, 1:] = density / std[:, None]
        grad *= weight[:, :, None]
        hess *= weight[:, :, None]
        return grad.reshape(len(x), outputs), hess.reshape(len(x), outputs)

    data = lightgbm.Dataset(x, np.zeros(len(x)), params={"max_bin": 63, "verbosity": -1}, free_raw_data=True)
    return lightgbm.train({**PARAMETERS, "objective": gradient, "num_class": outputs, "seed": seed, "num_threads": THREADS}, data, ROUNDS)
