"""What a model says that it consists of is what it forecasts by: trees, coefficients, layers."""

from collections.abc import Mapping
from pathlib import Path

import catboost
import lightgbm
import msgspec
import numpy as np
import pytest
import torch
import xgboost
from model_data import NAMES
from torch import nn

from features.frame import FeatureFrame
from models.combine.ensemble import Ensemble
from models.explain.explainer import explain
from models.explain.summary import KEPT, Summary, summarise
from models.forecaster import Forecaster
from models.networks.network import Network
from models.networks.nn import architecture
from models.networks.nn.net import Net
from models.registry.zoo import ZOO
from models.structure import Structure, Tree
from models.trees import catboost_json
from models.trees.catboost_point import PARAMETERS
from models.trees.tree_records import of_lightgbm, of_xgboost
from topics.records import HORIZONS, QUANTILES

KINDS = {
    "naive": "coefficients",
    "reversal": "coefficients",
    "ar": "coefficients",
    "ridge": "coefficients",
    **dict.fromkeys(("har", "har_week", "harq", "har_semivariance", "har_jumps"), "coefficients"),
    "garch": "coefficients",
    "egarch": "coefficients",
    "online": "coefficients",
    "rls": "coefficients",
    "gbm": "forests",
    "lightgbm": "forests",
    "lightgbm_market": "forests",
    "lightgbm_volatility": "forests",
    "lightgbm_har": "forests",
    "xgboost": "forests",
    "catboost": "forests",
    "transformer": "layers",
    "lstm": "layers",
}


def walked(tree: Tree, row: np.ndarray) -> float:
    """Return the value of the leaf that a row falls into, by the record alone."""
    node = 0
    while tree.feature[node] >= 0:
        value = row[tree.feature[node]]
        right = tree.unknown_right[node] if np.isnan(value) else value > tree.threshold[node]
        node = (tree.right if right else tree.left)[node]
    return tree.value[node]


def rows(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((600, 4)).astype(np.float32).astype(np.float64)
    y = np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + 0.1 * rng.standard_normal(600)
    x[rng.random(x.shape) < 0.1] = np.nan
    return x, y


def test_lightgbm_trees_sum_to_its_prediction() -> None:
    x, y = rows(1)
    booster = lightgbm.train({"num_leaves": 9, "verbosity": -1, "num_threads": 1}, lightgbm.Dataset(x, y), 7)
    trees = of_lightgbm(booster)
    assert [sum(walked(tree, row) for tree in trees) for row in x] == pytest.approx(booster.predict(x), abs=1e-9)
    assert [tree.rows[0] for tree in trees] == [600.0] * 7
    gains = np.zeros(4)
    for tree in trees:
        feature, gain = np.array(tree.feature), np.array(tree.gain)
        np.add.at(gains, feature[feature >= 0], gain[feature >= 0])
    assert gains == pytest.approx(booster.feature_importance("gain"), rel=1e-4)


def test_xgboost_trees_sum_to_its_prediction() -> None:
    x, y = rows(2)
    data = xgboost.QuantileDMatrix(x, y, nthread=1)
    booster = xgboost.train({"max_leaves": 9, "grow_policy": "lossguide", "base_score": 0.0, "nthread": 1}, data, 7)
    trees = of_xgboost(booster.save_raw("json").decode())
    expected = booster.predict(xgboost.DMatrix(x, nthread=1))
    assert [sum(walked(tree, row) for tree in trees) for row in x] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("depth", [0, 3])
def test_catboost_trees_sum_to_its_prediction_and_their_gains_to_the_variance_of_each(
    depth: int, tmp_path: Path
) -> None:
    x, y = rows(3)
    x = x.astype(np.float32)
    booster = catboost.CatBoost(PARAMETERS | {"depth": max(depth, 1), "iterations": 7, "l2_leaf_reg": 1.0})
    booster.fit(catboost.Pool(x, y if depth else np.zeros(len(y))))
    booster.save_model(str(tmp_path / "booster.json"), format="json")
    trees = catboost_json.records(catboost_json.plain((tmp_path / "booster.json").read_bytes()))
    assert len(trees) == (7 if depth else len(trees))
    values = np.array([[walked(tree, row) for tree in trees] for row in x]).reshape(len(x), -1)
    assert values.sum(axis=1) == pytest.approx(booster.predict(x), abs=1e-12)
    assert [tree.rows[0] for tree in trees] == [600.0] * len(trees)
    assert [sum(tree.gain) for tree in trees] == pytest.approx(600 * values.var(axis=0), rel=1e-9)


@pytest.mark.parametrize("name", ZOO)
def test_every_model_shows_its_parts(name: str, fitted_zoo: Mapping[str, Forecaster]) -> None:
    structure = fitted_zoo[name].structure()
    assert msgspec.json.decode(msgspec.json.encode(structure), type=Structure) == structure
    kinds = [kind for kind in ("coefficients", "forests", "layers") if getattr(structure, kind)]
    assert kinds == [KINDS[name]] if name in KINDS else len(kinds) <= 1
    for table in structure.coefficients:
        assert np.array(table.values).shape == (len(table.rows), len(table.columns))
        assert np.isfinite(table.values).all()
    for forest in structure.forests:
        assert all(-1 <= feature < len(forest.inputs) for tree in forest.trees for feature in tree.feature)


def test_boosted_outputs_are_named_in_their_order(fitted_zoo: Mapping[str, Forecaster]) -> None:
    outputs = [forest.output for forest in fitted_zoo["gbm"].structure().forests]
    assert len(outputs) == len(HORIZONS) * (1 + len(QUANTILES))
    assert outputs[:2] == ["mean, 1 bar ahead", "quantile 5 %, 1 bar ahead"]
    names = [forest.output for forest in fitted_zoo["lightgbm_market"].structure().forests]
    assert names[0] == "market, 1 bar ahead"
    assert names[len(HORIZONS)] == "residual, 1 bar ahead"


@pytest.mark.parametrize("name", ["transformer", "lstm"])
def test_a_networks_layers_have_all_of_its_parameters(name: str, fitted_zoo: Mapping[str, Forecaster]) -> None:
    model = fitted_zoo[name]
    structure = model.structure()
    names = [layer.name for layer in structure.layers]
    assert all(set(layer.takes) <= set(names[:place]) for place, layer in enumerate(structure.layers))
    taken = {one for layer in structure.layers for one in layer.takes}
    assert set(names) - taken == {"head"}, "only the head's output leaves the net"
    count = sum(int(np.prod(one.shape)) for one in structure.weights)
    assert sum(layer.parameters for layer in structure.layers) == count
    assert structure.facts["parameters"] == f"{count:,}"
    assert all(sum(one.counts) == np.prod(one.shape) for one in structure.weights)


class TinyNet(Net):
    """A net whose flow is known: the row goes around the first layer, and a parameter is added."""

    masks = 1

    def __init__(self) -> None:
        super().__init__()
        self.first, self.head = nn.Linear(3, 2), nn.Linear(2, 1)
        self.shift = nn.Parameter(torch.ones(2))

    def encode(self, window: torch.Tensor, static: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.first(window).mean(dim=1) + static, static

    def thinned(self, encoded: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return (encoded + self.shift) * mask, encoded


def test_the_inputs_of_a_layer_are_found_through_sums() -> None:
    layers = {layer.name: layer for layer in architecture.layers(TinyNet(), (5, 3), 2)}
    assert {name: set(layer.takes) for name, layer in layers.items()} == {
        "window": set(),
        "row": set(),
        "shift": set(),
        "first": {"window"},
        "head": {"first", "row", "shift"},
    }
    assert {name: (layer.shape, layer.parameters) for name, layer in layers.items()} == {
        "window": ([5, 3], 0),
        "row": ([2], 0),
        "shift": ([2], 2),
        "first": ([5, 2], 8),
        "head": ([1], 3),
    }


def test_a_combination_says_what_it_weighs_by() -> None:
    structure = Ensemble(("log_return_1", "regime_calm", "regime_turbulent")).structure()
    assert structure.facts["weights by"] == "regime_calm, regime_turbulent"
    assert "Nothing is fitted" in structure.note


@pytest.mark.parametrize("name", ["ridge", "lightgbm", "lstm"])
def test_a_summary_ends_with_the_explanation_of_the_last_row(
    name: str, fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    model, frame = fitted_zoo[name], unseen[2_000:2_300]
    summary = summarise(model, frame, 15, 3)
    one = explain(model, model.initial(), frame, 15)
    parts = {part.name: part.contribution for part in one.contributions}
    assert summary.times[-1] == summary.newest == one.time
    assert len(summary.times) == len(summary.parts[0]) == len(summary.values[0]) == 3
    assert len(summary.inputs) == min(KEPT, len(summary.inputs) + summary.left_out)
    assert sorted(summary.sizes, reverse=True) == summary.sizes
    for place, name_of in enumerate(summary.inputs):
        assert summary.parts[place][-1] == pytest.approx(parts.get(name_of, 0.0), abs=1e-6)
    assert summary.looked == one.looked()
    assert msgspec.json.decode(msgspec.json.encode(summary), type=Summary) == msgspec.convert(
        msgspec.to_builtins(summary), Summary
    )


def test_a_summary_without_a_forecast_says_why(fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame) -> None:
    assert "nothing to explain" in summarise(fitted_zoo["naive"], unseen[:300], 15, 5).note
    with pytest.raises(ValueError, match="has no horizon 7"):
        summarise(fitted_zoo["ridge"], unseen[:300], 7, 5)
    with pytest.raises(ValueError, match="too few bars"):
        summarise(fitted_zoo["ridge"], unseen[:2], 15, 5)
    assert Network.explained_rows < ZOO["ridge"].explained_rows
    assert len(NAMES) > KEPT
