"""XGBoost for the mean: squared loss of the standardised return, one booster a horizon."""

from typing import Any, ClassVar

import numpy as np
import xgboost

from features.frame import Floats
from models.boosted import Boosted, Inputs

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


class XGBoost(Boosted[xgboost.Booster]):
    """The mean by XGBoost."""

    name: ClassVar[str] = "xgboost"
    rounds: ClassVar[int] = 150

    def _train(self, x: Inputs, y: Floats, seed: int) -> xgboost.Booster:
        data = xgboost.QuantileDMatrix(x, y, max_bin=PARAMETERS["max_bin"], nthread=1)
        return xgboost.train({**PARAMETERS, "seed": seed}, data, self.rounds)

    def _said(self, booster: xgboost.Booster, x: Inputs) -> Floats:
        said: Floats = booster.inplace_predict(x).astype(np.float64)
        return said

    def _cut(self, booster: xgboost.Booster, rounds: int) -> xgboost.Booster:
        return booster[:rounds]

    def _text(self, booster: xgboost.Booster) -> str:
        return booster.save_raw("json").decode()

    def _booster(self, text: str) -> xgboost.Booster:
        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(text.encode()))
        return booster
