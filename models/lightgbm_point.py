"""LightGBM for the mean: squared loss of the standardised return, one booster a horizon."""

from typing import Any, ClassVar, NamedTuple

import lightgbm
import numpy as np

from features.frame import Floats
from models.boosted import Boosted, Inputs
from models.trees import Trees

PARAMETERS: dict[str, Any] = {
    "objective": "regression",
    "learning_rate": 0.03,
    "num_leaves": 31,
    "min_data_in_leaf": 1_000,
    "lambda_l2": 75.0,
    "feature_fraction": 0.35,
    "bagging_fraction": 0.6,
    "bagging_freq": 1,
    "max_bin": 63,
    "deterministic": True,
    "force_col_wise": True,
    "num_threads": 1,  # two threads on two busy cores are slower: each tree waits for both
    "verbosity": -1,
}


class Fitted(NamedTuple):
    """A booster, and its trees as compiled code reads them."""

    booster: lightgbm.Booster
    trees: Trees


class LightGBM(Boosted[Fitted]):
    """The mean by LightGBM."""

    name: ClassVar[str] = "lightgbm"
    parameters: ClassVar[dict[str, Any]] = PARAMETERS

    def _train(self, x: Inputs, y: Floats, seed: int) -> Fitted:
        data = lightgbm.Dataset(x, y, params=self.parameters)
        booster = lightgbm.train({**self.parameters, "seed": seed}, data, self.rounds)
        return Fitted(booster, Trees.of(booster))

    def _said(self, booster: Fitted, x: Inputs) -> Floats:
        said: Floats = booster.trees.predict(x.astype(np.float64))[:, 0]
        return said

    def _cut(self, booster: Fitted, rounds: int) -> Fitted:
        return self._booster(booster.booster.model_to_string(num_iteration=rounds))

    def _text(self, booster: Fitted) -> str:
        text: str = booster.booster.model_to_string()
        return text

    def _booster(self, text: str) -> Fitted:
        booster = lightgbm.Booster(model_str=text)
        return Fitted(booster, Trees.of(booster))
