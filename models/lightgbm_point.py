"""LightGBM for the mean: squared loss of the standardised return, one booster a horizon."""

from typing import Any, ClassVar, NamedTuple

import numpy as np

from features.frame import Floats
from models import space
from models.boosted import Boosted, Inputs
from models.lightgbm_library import PER_ROW, thinned, trained, trees
from models.plain_lightgbm import lightgbm
from models.space import Real, Space
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
LIBRARY_SPACE: Space = {
    **trees(PARAMETERS),
    "learning_rate": Real(0.01, 0.06, PARAMETERS["learning_rate"], log=True),
}


class Fitted(NamedTuple):
    """A booster, and its trees as compiled code reads them."""

    booster: lightgbm.Booster
    trees: Trees


class LightGBM(Boosted[Fitted]):
    """The mean by LightGBM."""

    name: ClassVar[str] = "lightgbm"
    library: ClassVar[dict[str, Any]] = PARAMETERS
    SPACE: ClassVar[Space] = {**LIBRARY_SPACE, "clip": space.CLIP, "half_life": space.HALF_LIFE}

    def _train(self, x: Inputs, y: Floats, weight: Floats, seed: int) -> Fitted:
        own = {name: value for name, value in self.tuned.items() if name in LIBRARY_SPACE}
        parameters = thinned(self.library | own, PER_ROW, self.thin)
        data = lightgbm.Dataset(x, y, weight=None if (weight == 1).all() else weight, params=parameters)
        booster = trained(parameters, data, seed, self.rounds)
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
