"""The model that learns while it forecasts: one linear regression (river) a horizon, on a queue of labels that mature."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from river import linear_model, optim, preprocessing

from features.frame import FeatureFrame, Floats
from models import artifact, volatility
from models.forecaster import JSON, Forecasts
from models.inputs import columns, scale_free
from models.labels import mature
from models.naive import normal_up, spread_of
from topics.records import HORIZONS, QUANTILES
from topics.units import interval_ms

INPUTS = (
    "log_return_1",
    "log_return_5",
    "log_return_15",
    "log_return_60",
    "ema_gap_12",
    "ema_gap_26",
    "rsi_14",
    "stochastic_k_14",
    "zscore_60",
    "zscore_200",
)
CLIP = 4.0
"""Targets and standardised inputs are clipped to +- this."""
LEARNING_RATE = 1e-3
L2 = 1e-4


class Learner:
    """A scaler and a regression a horizon, as river objects, for as long as a frame lasts."""

    def __init__(self, inputs: tuple[str, ...], state: JSON) -> None:
        self.inputs = inputs
        scaler, self.regressions = state["scaler"], []
        self.scaler = preprocessing.StandardScaler._from_state(
            dict.fromkeys(inputs, scaler["count"]),
            dict(zip(inputs, scaler["means"], strict=True)),
            dict(zip(inputs, scaler["variances"], strict=True)),
        )
        for weights in state["weights"]:
            regression = linear_model.LinearRegression(optim.SGD(LEARNING_RATE), l2=L2, intercept_init=weights[-1])
