"""XGBoost for the mean: squared loss of the standardised return, one booster a horizon."""

from typing import Any, ClassVar, NamedTuple

import numpy as np
import xgboost

from features.frame import Floats
from models import xgboost_trees
from models.boosted import Boosted, Inputs
from models.trees import Trees

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


class Fitted(NamedTuple):
    """A booster, and its trees as compiled code reads them."""

    booster: xgboost.Booster
    trees: Trees

    @classmethod
    def of(cls, booster: xgboost.Booster) -> "Fitted":
        """Return the booster with its trees."""
        return cls(booster, xgboost_trees.read(_json(booster)))


class XGBoost(Boosted[Fitted]):
    """The mean by XGBoost."""

    name: ClassVar[str] = "xgboost"
    rounds: ClassVar[int] = 150

    def _train(self, x: Inputs, y: Floats, seed: int) -> Fitted:
        data = xgboost.QuantileDMatrix(x, y, max_bin=PARAMETERS["max_bin"], nthread=1)
        return Fitted.of(xgboost.train({**PARAMETERS, "seed": seed}, data, self.rounds))

    def _said(self, booster: Fitted, x: Inputs) -> Floats:
        said: Floats = booster.trees.predict(x.astype(np.float64))[:, 0]
        return said

    def _cut(self, booster: Fitted, rounds: int) -> Fitted:
        return Fitted.of(booster.booster[:rounds])

    def _text(self, booster: Fitted) -> str:
        return _json(booster.booster)

    def _booster(self, text: str) -> Fitted:
        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(text.encode()))
        return Fitted.of(booster)


def _json(booster: xgboost.Booster) -> str:
    return booster.save_raw("json").decode()
