"""The compiled learner and trees against the libraries whose arithmetic they repeat: not a bit may differ."""

import json
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st
from river import linear_model, optim, preprocessing

from models.linear import sgd
from models.linear.sgd import Learner, Walk
from models.trees import catboost_json, catboost_point, xgboost_json
from models.trees.compiled import Trees
from models.trees.xgboost_point import PARAMETERS

HORIZONS = (1, 5)
INPUTS = 4


class River:
    """What `Learner` and `Walk` do, with river's own objects."""

    def __init__(self) -> None:
        self.scaler = preprocessing.StandardScaler()
        self.regressions: list[Any] = []
        for horizon in HORIZONS:
            rate = optim.schedulers.InverseScaling(sgd.LEARNING_RATE / horizon**0.5, sgd.POWER)
            self.regressions.append(linear_model.LinearRegression(optim.SGD(rate), l2=sgd.L2, intercept_lr=rate))

    def walk(self, x: np.ndarray, labels: np.ndarray) -> list[list[float]]:
        """Return what each regression says of each row, once it has learnt the labels that matured before."""
        seen: list[dict[int, float]] = []
        lines = []
        for row, values in enumerate(x.tolist()):
            for column, horizon in enumerate(HORIZONS):
                if row >= horizon and not np.isnan(labels[row - horizon, column]):
                    self.regressions[column].learn_one(seen[row - horizon], float(labels[row - horizon, column]))
            inputs = dict(enumerate(values))
            self.scaler.learn_one(inputs)
            scaled = self.scaler.transform_one(inputs)
            seen.append({name: min(max(value, -sgd.CLIP), sgd.CLIP) for name, value in scaled.items()})
            lines.append([regression.predict_one(seen[-1]) for regression in self.regressions])
        return lines


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_learner_has_the_bits_of_river(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.clip(rng.standard_t(3, size=(900, INPUTS)), -12, 12) * [1, 1e-6, 1e6, 0]  # nothing beyond `FARTHEST`
    labels = np.clip(rng.standard_t(3, size=(900, len(HORIZONS))), -sgd.CLIP, sgd.CLIP)
    labels[rng.random(labels.shape) < 0.05] = np.nan
    student = Learner(HORIZONS, sgd.fresh(INPUTS, len(HORIZONS)))
    at = np.arange(900)[:, None] + np.array(HORIZONS)
    walk = Walk(np.empty((0, INPUTS + len(HORIZONS))), x, labels, at)
    walk.advance(student, 900)
    river = River()
    expected = np.array(river.walk(x, labels))
    spoke = ~np.isnan(walk.queue(0)[:, INPUTS:])
    assert spoke.sum() > 600
    assert np.array_equal(walk.queue(0)[:, INPUTS:][spoke], expected[spoke])
    for weights, regression in zip(student.weights, river.regressions, strict=True):
        assert weights.tolist() == [*(regression.weights[name] for name in range(INPUTS)), regression.intercept]


@pytest.mark.parametrize("unknown", [0.0, 0.2])
@pytest.mark.parametrize("leaves", [2, 15, 32])
def test_the_trees_have_the_bits_of_lightgbm(unknown: float, leaves: int) -> None:
    rng = np.random.default_rng(leaves)
    x = rng.normal(size=(3_000, 6))
    x[rng.random(x.shape) < unknown] = np.nan
    y = np.nansum(x[:, :3], axis=1) * np.nan_to_num(x[:, 3]) + np.isnan(x[:, 4])
    parameters = {
        "num_leaves": leaves,
        "min_data_in_leaf": 5,
        "verbosity": -1,
        "objective": "multiclass",
        "num_class": 3,
    }
    booster = lightgbm.train(parameters, lightgbm.Dataset(x, np.digitize(y, [-0.5, 0.5])), 15)
    unseen = rng.normal(size=(500, 6))
    unseen[rng.random(unseen.shape) < 0.2] = np.nan  # also where training never met an unknown value
    unseen[0] = 0.0
    trees = Trees.of(booster)
    for row, (first, feature) in enumerate(zip(trees.edge_starts, trees.feature, strict=False), start=1):
        unseen[row:400:12, feature] = trees.edges[first]  # what equals a threshold goes left
    expected = booster.predict(unseen, raw_score=True)
    assert np.array_equal(trees.predict(unseen), expected)
    assert np.array_equal(np.concatenate([trees.predict(unseen[row : row + 1]) for row in range(500)]), expected)


@pytest.mark.parametrize("unknown", [0.0, 0.2])
@pytest.mark.parametrize("leaves", [2, 15, 32])
def test_the_trees_have_the_bits_of_xgboost(unknown: float, leaves: int) -> None:
    rng = np.random.default_rng(leaves)
    x = np.round(rng.normal(size=(3_000, 6)), 2).astype(np.float32)  # few values: rows that equal a threshold
    x[rng.random(x.shape) < unknown] = np.nan
    y = np.nansum(x[:, :3], axis=1) * np.nan_to_num(x[:, 3]) + np.isnan(x[:, 4])
    parameters = PARAMETERS | {"max_leaves": leaves, "min_child_weight": 5}
    booster = xgboost.train(parameters, xgboost.DMatrix(x, y, nthread=1), 40)
    unseen = np.round(rng.normal(size=(500, 6)), 2).astype(np.float32)
    unseen[rng.random(unseen.shape) < 0.2] = np.nan
    unseen[0] = 0.0
    expected = booster.inplace_predict(unseen)[:, None]
    trees = xgboost_json.read(booster.save_raw("json").decode())
    assert np.unique(expected).size > leaves
    assert np.array_equal(trees.predict(unseen.astype(np.float64)), expected)
    alone = [trees.predict(unseen[row : row + 1].astype(np.float64)) for row in range(500)]
    assert np.array_equal(np.concatenate(alone), expected)


def test_an_xgboost_model_that_is_no_sum_of_its_trees_is_refused() -> None:
    x = np.random.default_rng(0).normal(size=(200, 2))
    for parameters in ({"base_score": 0.5}, {"objective": "multi:softprob", "num_class": 3, "base_score": 0.0}):
        booster = xgboost.train({**parameters, "nthread": 1}, xgboost.DMatrix(x, np.arange(200) % 3), 2)
        with pytest.raises(ValueError, match="several outputs, or a base score"):
            xgboost_json.read(booster.save_raw("json").decode())


@pytest.mark.parametrize("unknown", [0.0, 0.2])
@pytest.mark.parametrize("depth", [1, 5])
def test_the_trees_sum_as_catboost_does_to_rounding(unknown: float, depth: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(depth)
    x = np.round(rng.normal(size=(3_000, 6)), 2).astype(np.float32)  # few values: rows that equal a threshold
    x[rng.random(x.shape) < unknown] = np.nan
    y = np.nansum(x[:, :3], axis=1) * np.nan_to_num(x[:, 3]) + np.isnan(x[:, 4])
    booster = catboost.CatBoost(catboost_point.PARAMETERS | {"depth": depth, "iterations": 40, "rsm": 1.0})
    booster.fit(catboost.Pool(x, y))
    booster.save_model(str(tmp_path / "booster.json"), format="json")
    text = catboost_json.plain((tmp_path / "booster.json").read_bytes())
    trees = catboost_json.read(text)
    unseen = np.round(rng.normal(size=(500, 6)), 2).astype(np.float32)
    unseen[rng.random(unseen.shape) < 0.2] = np.nan
    for row, (first, feature) in enumerate(zip(trees.edge_starts, trees.feature, strict=False), start=1):
        unseen[row:400:12, feature] = trees.edges[first]  # what equals a threshold goes left
    expected = booster.predict(unseen)
    assert np.unique(expected).size > 2**depth
    assert trees.predict(unseen.astype(np.float64))[:, 0] == pytest.approx(expected, abs=1e-12)
    read = catboost_point.Fitted.of(text)
    assert read.booster.predict(unseen) == pytest.approx(expected, abs=1e-12)
    shorter = catboost_point.Fitted.of(catboost_json.plain(text.encode(), 10))
    assert shorter.trees.predict(unseen.astype(np.float64))[:, 0] == pytest.approx(
        booster.predict(unseen, ntree_end=10), abs=1e-12
    )


def test_a_catboost_model_that_is_no_sum_of_its_trees_is_refused() -> None:
    tree = {"leaf_values": [0.0, 1.0], "splits": [{"split_type": "OneHotFeature"}]}
    for model, message in (
        ({"scale_and_bias": [1, [0.5]]}, "a bias other than 0"),
        ({"oblivious_trees": [tree | {"leaf_values": [0.0] * 6}]}, "several outputs"),
        ({"oblivious_trees": [tree]}, "splits by 'OneHotFeature', not by a threshold"),
    ):
        whole = {"scale_and_bias": [1, [0.0]], "oblivious_trees": []} | model
        with pytest.raises(ValueError, match=message):
            catboost_json.read(json.dumps(whole))


def test_a_tree_that_is_too_large_is_refused() -> None:
    x = np.random.default_rng(0).normal(size=(2_000, 2))
    parameters = {"num_leaves": 64, "min_data_in_leaf": 5, "verbosity": -1}
    with pytest.raises(ValueError, match="64 leaves, not at most 32"):
        Trees.of(lightgbm.train(parameters, lightgbm.Dataset(x, x[:, 0]), 1))
