"""CatBoost for the mean: squared loss of the standardised return, one booster a horizon."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, NamedTuple

import catboost
import numpy as np

from features.frame import Floats
from models import search_space
from models.search_space import Choice, Integer, Real, Space
from models.structure import Tree
from models.trees import catboost_json
from models.trees.boosted import Boosted, Inputs, ProgressRows
from models.trees.compiled import Trees
from models.trees.lightgbm_parameters import Tell, some, thinned

PARAMETERS: dict[str, Any] = {  # LightGBM's, under CatBoost's names
    "loss_function": "RMSE",
    "depth": 5,  # of oblivious trees: 32 leaves
    "learning_rate": 0.03,
    "l2_leaf_reg": 75.0,
    "rsm": 0.35,
    "bootstrap_type": "Bernoulli",
    "subsample": 0.6,
    "border_count": 63,
    "boosting_type": "Plain",
    "boost_from_average": False,
    "allow_const_label": True,
    "thread_count": 1,
    "logging_level": "Silent",
    "allow_writing_files": False,
}
PER_ROW = ("l2_leaf_reg",)
LIBRARY_SPACE: Space = {
    "depth": Integer(3, 5, PARAMETERS["depth"]),  # more leaves than compiled code reads are not tried
    "l2_leaf_reg": Real(1.0, 1_000.0, PARAMETERS["l2_leaf_reg"], log=True),
    "rsm": Real(0.15, 0.6, PARAMETERS["rsm"]),
    "subsample": Real(0.4, 0.8, PARAMETERS["subsample"]),
    "random_strength": Real(0.0, 5.0, 1.0),
    "border_count": Choice((63, 127), PARAMETERS["border_count"]),
    "learning_rate": Real(0.01, 0.06, PARAMETERS["learning_rate"], log=True),
}
FILE = "booster.json"


class Fitted(NamedTuple):
    """A booster's text, the booster, and its trees as compiled code reads them."""

    text: str
    booster: catboost.CatBoost
    trees: Trees

    @classmethod
    def of(cls, text: str) -> "Fitted":
        """Return the booster of a text that `catboost_json.plain` made."""
        with TemporaryDirectory() as folder:  # CatBoost reads JSON from files alone
            path = Path(folder, FILE)
            path.write_text(text, encoding="utf-8")
            booster = catboost.CatBoost().load_model(str(path), format="json")
        return cls(text, booster, catboost_json.read(text))


class _Told:
    """Reports the squared errors of each round."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def after_iteration(self, info: Any) -> bool:
        """Report, and continue the training."""
        self._tell(info.iteration, *(info.metrics[name]["RMSE"][-1] ** 2 for name in ("learn", "validation")))
        return True


class CatBoost(Boosted[Fitted]):
    """The mean by CatBoost."""

    name: ClassVar[str] = "catboost"
    SPACE: ClassVar[Space] = {**LIBRARY_SPACE, "clip": search_space.CLIP, "half_life": search_space.HALF_LIFE}

    def _train(self, x: Inputs, y: Floats, weight: Floats, seed: int, progress: ProgressRows | None = None) -> Fitted:
        own = {name: value for name, value in self.tuned.items() if name in LIBRARY_SPACE}
        parameters = thinned(PARAMETERS | own, PER_ROW, self.thin)
        booster = catboost.CatBoost({**parameters, "iterations": self.rounds, "random_seed": seed})
        judged: dict[str, Any] = {}
        if progress is not None:
            held_out = catboost.Pool(*some(progress.x, progress.y), thread_count=1)
            judged = {"eval_set": held_out, "use_best_model": False, "callbacks": [_Told(progress.tell)]}
        reporter = None if (weight == 1).all() else weight
        booster.fit(catboost.Pool(x, y, weight=reporter, thread_count=1), **judged)
        with TemporaryDirectory() as folder:  # and writes JSON to files alone
            path = Path(folder, FILE)
            booster.save_model(str(path), format="json")
            return Fitted.of(catboost_json.plain(path.read_bytes()))

    def _predict(self, booster: Fitted, x: Inputs) -> Floats:
        output: Floats = booster.trees.predict(x.astype(np.float64))[:, 0]
        return output

    def _truncate(self, booster: Fitted, rounds: int) -> Fitted:
        return Fitted.of(catboost_json.plain(booster.text.encode(), rounds))

    def _gain(self, booster: Fitted) -> Floats:
        gains = np.zeros(len(self.columns))
        for tree in self._records(booster):
            for feature, gain in zip(tree.feature, tree.gain, strict=True):
                if feature >= 0:
                    gains[feature] += gain
        return gains

    def _shap(self, booster: Fitted, x: Inputs) -> Floats:
        pool = catboost.Pool(x, thread_count=1)
        result = booster.booster.get_feature_importance(pool, type="ShapValues", thread_count=1)
        return np.array(result[0], dtype=np.float64)

    def _records(self, booster: Fitted) -> list[Tree]:
        return catboost_json.records(booster.text)

    def _text(self, booster: Fitted) -> str:
        return booster.text

    def _booster(self, text: str) -> Fitted:
        return Fitted.of(text)
