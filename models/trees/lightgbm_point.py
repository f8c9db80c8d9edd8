"""LightGBM for the mean: squared loss of the standardised return, one booster a horizon."""

from typing import Any, ClassVar, NamedTuple

import numpy as np

from features.frame import Floats
from models import search_space
from models.search_space import Real, Space
from models.structure import Tree
from models.trees import tree_records
from models.trees.boosted import Boosted, Inputs, ProgressRows
from models.trees.compiled import Trees
from models.trees.lightgbm_import import lightgbm
from models.trees.lightgbm_parameters import NOBODY, PER_ROW, judged_by, some, thinned, trained, trees

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
    SPACE: ClassVar[Space] = {**LIBRARY_SPACE, "clip": search_space.CLIP, "half_life": search_space.HALF_LIFE}

    def _train(self, x: Inputs, y: Floats, weight: Floats, seed: int, progress: ProgressRows | None = None) -> Fitted:
        own = {name: value for name, value in self.tuned.items() if name in LIBRARY_SPACE}
        parameters = thinned(self.library | own, PER_ROW, self.thin)
        data = lightgbm.Dataset(x, y, weight=None if (weight == 1).all() else weight, params=parameters)
        judged = NOBODY
        if progress is not None:
            sets = [data.create_valid(*some(*rows), params=parameters) for rows in ((x, y), (progress.x, progress.y))]
            judged = judged_by(sets, progress.tell)
        booster = trained(parameters, data, seed, self.rounds, judged)
        return Fitted(booster, Trees.of(booster))

    def _predict(self, booster: Fitted, x: Inputs) -> Floats:
        output: Floats = booster.trees.predict(x.astype(np.float64))[:, 0]
        return output

    def _truncate(self, booster: Fitted, rounds: int) -> Fitted:
        return self._booster(booster.booster.model_to_string(num_iteration=rounds))

    def _gain(self, booster: Fitted) -> Floats:
        gain: Floats = booster.booster.feature_importance("gain")
        return gain

    def _shap(self, booster: Fitted, x: Inputs) -> Floats:
        result = booster.booster.predict(x.astype(np.float64), pred_contrib=True, num_threads=1)
        return np.array(result[0], dtype=np.float64)

    def _records(self, booster: Fitted) -> list[Tree]:
        return tree_records.of_lightgbm(booster.booster)

    def _text(self, booster: Fitted) -> str:
        text: str = booster.booster.model_to_string()
        return text

    def _booster(self, text: str) -> Fitted:
        booster = lightgbm.Booster(model_str=text)
        return Fitted(booster, Trees.of(booster))
