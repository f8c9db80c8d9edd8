"""Tuned models: what may be tuned, what is refused, and that a model of defaults is the one that it ever was."""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path

import msgspec
import numpy as np
import pytest
from model_data import NAMES
from test_models_contract import same, through_json, whole

from features.frame import FeatureFrame
from models import search_space, training
from models.forecaster import Forecaster, Forecasts
from models.linear import online, rls
from models.networks import windows
from models.registry import parameters
from models.registry.zoo import ZOO
from models.search_space import Choice, Integer, Real, Value

TUNABLE = {name: model for name, model in ZOO.items() if model.SPACE}
every_tunable = pytest.mark.parametrize("name", TUNABLE)
COLUMNS = tuple(dict.fromkeys(chain(windows.STATIC, online.INPUTS, rls.MARKET)))
VERSIONS = {
    "naive": "1c2532d7bd18",
    "reversal": "43f93f45ca75",
    "ar": "8cabfd93d8d0",
    "ridge": "286c9b6be5c2",
    "har": "d2c50d25bc79",
    "garch": "9d328850445c",
    "online": "4270e2f2e719",
    "rls": "7716e87219fd",
    "gbm": "f12a698583c7",
    "lightgbm": "9ed17bea9a7b",
    "lightgbm_market": "9c500e3b3ea1",
    "lightgbm_volatility": "767972a6074c",
    "lightgbm_har": "44ef0a1477d9",
    "xgboost": "a25df54ee2a7",
    "transformer": "fa16061e3d15",
    "lstm": "6f9272b62595",
}
"""Of the unfitted models on `COLUMNS`: what is not tuned leaves no trace in them, as before there were parameters."""
LEAF_ROWS = ("min_data_in_leaf", "min_child_weight")
"""With the default no tree of these few rows grows large enough for the other parameters to tell."""

FEW_ROWS: dict[str, Value] = {"min_data_in_leaf": 400, "min_child_weight": 400, "num_leaves": 7, "max_leaves": 7}


def another(kind: search_space.Kind) -> Value:
    """Return a value that is not the default, far from it."""
    if isinstance(kind, Choice):
        return next(option for option in reversed(kind.options) if option != kind.default)
    return kind.low if kind.default - kind.low > kind.high - kind.default else kind.high


def elsewhere(model: type[Forecaster]) -> dict[str, Value]:
    return {name: FEW_ROWS.get(name, another(kind)) for name, kind in model.SPACE.items()}


@pytest.fixture(scope="module")
def elsewhere_fitted(training_frames: list[FeatureFrame]) -> dict[str, Forecaster]:
    """Every tunable model with each parameter far from its default."""
    fitted = {}
    for name, model in TUNABLE.items():
        fitted[name] = model(NAMES, parameters=elsewhere(model))
        fitted[name].fit(training_frames, seed=3)
    return fitted


def test_all_models_but_four_can_be_tuned() -> None:
    untunable = {"naive", "reversal", "garch", "egarch"}
    assert set(TUNABLE) == set(ZOO) - untunable


@every_tunable
def test_the_default_is_in_the_space_and_is_what_the_model_does(name: str) -> None:
    for kind in TUNABLE[name].SPACE.values():
        assert kind.taken(kind.default) == kind.default
        assert kind.taken(another(kind)) is not None


@pytest.mark.parametrize("name", VERSIONS)
def test_the_version_of_an_untuned_model_is_as_it_was_before_parameters(name: str) -> None:
    assert ZOO[name](COLUMNS).version == VERSIONS[name]


@every_tunable
def test_a_model_of_given_defaults_is_the_untuned_one(name: str) -> None:
    model = TUNABLE[name]
    given = model(NAMES, parameters=search_space.defaults(model.SPACE))
    assert given.version == model(NAMES).version
    assert given.tuned == {}


@every_tunable
def test_each_parameter_is_part_of_the_version(name: str) -> None:
    model = TUNABLE[name]
    versions = [model(NAMES, parameters={key: value}).version for key, value in elsewhere(model).items()]
    assert len({model(NAMES).version, *versions}) == 1 + len(versions)


@every_tunable
def test_tuned_it_forecasts_otherwise_and_loaded_it_is_the_same(
    name: str,
    elsewhere_fitted: Mapping[str, Forecaster],
    fitted_zoo: Mapping[str, Forecaster],
    unseen: FeatureFrame,
    tmp_path: Path,
) -> None:
    tuned, frame = elsewhere_fitted[name], unseen[:600]
    forecasts = whole(tuned, frame)
    assert tuned.version != fitted_zoo[name].version
    assert not same(forecasts, whole(fitted_zoo[name], frame))
    assert np.isfinite(forecasts.quantiles[300:]).all()
    tuned.save(tmp_path)
    loaded = TUNABLE[name].load(tmp_path)
    assert loaded.version == tuned.version
    assert loaded.tuned == elsewhere(TUNABLE[name])
    state, first = loaded.step(loaded.initial(), frame[:250])
    second = loaded.step(through_json(state), frame[250:])[1]
    assert forecasts.mean.tobytes() == np.concatenate([first.mean, second.mean]).tobytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["ar", "ridge", "har", "harq", "online", "rls", "gbm", "lightgbm", "xgboost", "catboost"]
)
def test_each_parameter_alone_reaches_the_fit_or_the_forecast(
    name: str, training_frames: list[FeatureFrame], unseen: FeatureFrame
) -> None:
    small = {key: kind.low for key, kind in TUNABLE[name].SPACE.items() if key in LEAF_ROWS}

    def said(parameters: dict[str, Value]) -> Forecasts:
        model = TUNABLE[name](NAMES, parameters=small | parameters)
        model.fit(training_frames[:1], seed=3)
        return whole(model, unseen[:3_000])

    before = said({})
    for key, value in elsewhere(TUNABLE[name]).items():
        assert not same(said({key: value}), before), key


def test_what_is_no_parameter_or_no_value_is_refused_in_one_line() -> None:
    gbm = TUNABLE["gbm"]
    for wrong, text in (
        ({"leaves": 7}, "model 'gbm' has no parameter 'leaves'; it has num_leaves, "),
        ({"num_leaves": 64}, "num_leaves of model 'gbm' is 64; it must be a whole number from 7 to 32"),
        ({"num_leaves": 7.5}, "must be a whole number"),
        ({"num_leaves": True}, "must be a whole number"),
        ({"lambda_l2": 0.5}, "lambda_l2 of model 'gbm' is 0.5; it must be a number from 1 to 1000"),
        ({"lambda_l2": float("nan")}, "must be a number"),
        ({"max_bin": 64}, "max_bin of model 'gbm' is 64; it must be one of 63, 127"),
        ({"extra_trees": 1}, "must be one of False, True"),
    ):
        with pytest.raises(ValueError, match=text) as refused:
            gbm(NAMES, parameters=wrong)
        assert "\n" not in str(refused.value)
    with pytest.raises(ValueError, match="model 'naive' has no parameter 'half_life'; it has none"):
        ZOO["naive"](NAMES, parameters={"half_life": 3})


def test_a_whole_number_is_a_number_and_the_version_does_not_tell_them_apart() -> None:
    one, other = (TUNABLE["gbm"](NAMES, parameters={"lambda_l2": value}) for value in (100, 100.0))
    assert one.version == other.version


def test_parameter_kinds_describe_their_values() -> None:
    assert str(Integer(1, 5, 3)) == "a whole number from 1 to 5"
    assert str(Real(1e-4, 0.1, 0.01)) == "a number from 0.0001 to 0.1"
    assert str(Choice(("none", 60), "none")) == "one of none, 60"


def test_the_file_of_parameters_keeps_each_models_own(tmp_path: Path) -> None:
    assert parameters.read(tmp_path) == {}
    parameters.write(tmp_path, "gbm", {"num_leaves": 7, "extra_trees": True})
    path = parameters.write(tmp_path, "ridge", {"half_life": "none", "clip": 3.5})
    parameters.write(tmp_path, "gbm", {"num_leaves": 9})
    assert parameters.read(tmp_path) == {"gbm": {"num_leaves": 9}, "ridge": {"half_life": "none", "clip": 3.5}}
    assert msgspec.json.decode(path.read_bytes())["gbm"] == {"num_leaves": 9}
    path.write_text('{"gbm": 3}')
    with pytest.raises(ValueError, match=r"parameters.json: no parameters by model .*; correct or remove it"):
        parameters.read(tmp_path)


@pytest.mark.slow
def test_training_gives_each_model_its_parameters(training_frames: list[FeatureFrame]) -> None:
    from features.definition import DEFAULT

    served = training.fit(TUNABLE["ridge"], DEFAULT, training_frames, 0, {"clip": 3.0})
    untuned = training.fit(TUNABLE["ridge"], DEFAULT, training_frames, 0)
    assert served.version != untuned.version
