"""XGBoost for the mean: squared loss of the standardised return, one booster a horizon."""

from typing import Any, ClassVar, NamedTuple

import numpy as np
import xgboost

from features.frame import Floats
from models import search_space
from models.search_space import Choice, Integer, Real, Space
from models.structure import Tree
from models.trees import tree_records, xgboost_json
from models.trees.boosted import Boosted, Inputs, ProgressRows
from models.trees.compiled import LEAVES, Trees
from models.trees.lightgbm_parameters import Tell, some, thinned

PARAMETERS: dict[str, Any] = {
    "objective": "reg:squarederror",
    "tree_method": "hist",
    "grow_policy": "lossguide",
    "max_leaves": 31,
    "max_depth": 0,
    "eta": 0.05,
    "min_child_weight": 1_000,
    "lambda": 75.0,
    "colsample_bytree": 0.35,
    "subsample": 0.6,
    "max_bin": 63,
    "base_score": 0.0,
    "nthread": 1,
}
SETS = ("taught", "held_out")
PER_ROW = ("min_child_weight", "lambda", "alpha")
LIBRARY_SPACE: Space = {  # LightGBM's, under XGBoost's names; fewer trees learn faster
    "max_leaves": Integer(7, LEAVES, PARAMETERS["max_leaves"], log=True),
    "min_child_weight": Integer(200, 5_000, PARAMETERS["min_child_weight"], log=True),
    "lambda": Real(1.0, 1_000.0, PARAMETERS["lambda"], log=True),
    "alpha": Real(0.0, 300.0, 0.0),
    "colsample_bytree": Real(0.15, 0.6, PARAMETERS["colsample_bytree"]),
    "subsample": Real(0.4, 0.8, PARAMETERS["subsample"]),
    "max_bin": Choice((63, 127), PARAMETERS["max_bin"]),
    "eta": Real(0.01, 0.1, PARAMETERS["eta"], log=True),
}


class Fitted(NamedTuple):
    """A booster, and its trees as compiled code reads them."""

    booster: xgboost.Booster
    trees: Trees

    @classmethod
    def of(cls, booster: xgboost.Booster) -> "Fitted":
        """Return the booster with its trees."""
        return cls(booster, xgboost_json.read(_json(booster)))


class _Told(xgboost.callback.TrainingCallback):
    """Reports the squared errors of each round."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002 - XGBoost's signature
        """Report, and continue the training."""
        self._tell(epoch + 1, *(evals_log[name]["rmse"][-1] ** 2 for name in SETS))
        return False


class XGBoost(Boosted[Fitted]):
    """The mean by XGBoost."""

    name: ClassVar[str] = "xgboost"
    rounds: ClassVar[int] = 150
    SPACE: ClassVar[Space] = {**LIBRARY_SPACE, "clip": search_space.CLIP, "half_life": search_space.HALF_LIFE}

    def _train(self, x: Inputs, y: Floats, weight: Floats, seed: int, progress: ProgressRows | None = None) -> Fitted:
        own = {name: value for name, value in self.tuned.items() if name in LIBRARY_SPACE}
        parameters = thinned(PARAMETERS | own, PER_ROW, self.thin)
        reporter = None if (weight == 1).all() else weight
        data = xgboost.QuantileDMatrix(x, y, weight=reporter, max_bin=parameters["max_bin"], nthread=1)
        judged: dict[str, Any] = {}
        if progress is not None:
            rows = (some(x, y), some(progress.x, progress.y))
            sets = [(xgboost.DMatrix(*part, nthread=1), name) for part, name in zip(rows, SETS, strict=True)]
            judged = {"evals": sets, "callbacks": [_Told(progress.tell)], "verbose_eval": False}
        return Fitted.of(xgboost.train({**parameters, "seed": seed}, data, self.rounds, **judged))

    def _predict(self, booster: Fitted, x: Inputs) -> Floats:
        output: Floats = booster.trees.predict(x.astype(np.float64))[:, 0]
        return output

    def _truncate(self, booster: Fitted, rounds: int) -> Fitted:
        return Fitted.of(booster.booster[:rounds])

    def _gain(self, booster: Fitted) -> Floats:
        result = booster.booster.get_score(importance_type="total_gain")  # of inputs that are split on
        return np.array([result.get(f"f{column}", 0.0) for column in range(len(self.columns))])

    def _shap(self, booster: Fitted, x: Inputs) -> Floats:
        result = booster.booster.predict(xgboost.DMatrix(x, nthread=1), pred_contribs=True)
        return np.array(result[0], dtype=np.float64)

    def _records(self, booster: Fitted) -> list[Tree]:
        return tree_records.of_xgboost(_json(booster.booster))

    def _text(self, booster: Fitted) -> str:
        return _json(booster.booster)

    def _booster(self, text: str) -> Fitted:
        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(text.encode()))
        return Fitted.of(booster)


def _json(booster: xgboost.Booster) -> str:
    return booster.save_raw("json").decode()
