"""What every model of the table must hold: it inherits these tests by standing there."""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_data import NAMES

import models
from features.frame import FeatureFrame
from models.ewma_volatility import MIN_RETURNS
from models.forecaster import Forecaster, Forecasts
from models.json_type import JSON
from models.registry.zoo import ZOO

FIELDS = ("mean", "scale", "quantiles", "p_up")
every_model = pytest.mark.parametrize("name", ZOO)


def through_json(state: JSON) -> JSON:
    return msgspec.json.decode(msgspec.json.encode(state))


def in_parts(model: Forecaster, frame: FeatureFrame, cuts: list[int]) -> Forecasts:
    """Forecast the frame cut there, with the state through JSON at each cut."""
    state, parts = model.initial(), []
    for first, end in zip([0, *cuts], [*cuts, len(frame)], strict=True):
        if end > first:
            state, forecasts = model.step(through_json(state), frame[first:end])
            parts.append(forecasts)
    return Forecasts(*(np.concatenate([getattr(part, field) for part in parts]) for field in FIELDS))


def same(one: Forecasts, other: Forecasts, rows: slice = slice(None)) -> bool:
    """Return whether the forecasts are bit for bit the same."""
    return all(getattr(one, field)[rows].tobytes() == getattr(other, field)[rows].tobytes() for field in FIELDS)


def whole(model: Forecaster, frame: FeatureFrame) -> Forecasts:
    return model.step(model.initial(), frame)[1]


@pytest.mark.slow
@every_model
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 600), max_size=6).map(sorted))
def test_cutting_anywhere_changes_no_bit(
    name: str, fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame, cuts: list[int]
) -> None:
    frame = unseen[:600]
    assert same(whole(fitted_zoo[name], frame), in_parts(fitted_zoo[name], frame, cuts))


@pytest.mark.slow
@every_model
def test_rows_one_by_one_give_the_bits_of_a_batch(
    name: str, fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    frame = unseen[:300]
    assert same(whole(fitted_zoo[name], frame), in_parts(fitted_zoo[name], frame, list(range(1, 300))))


@every_model
def test_the_future_deleted_changes_nothing_before_it(
    name: str, fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    everything = whole(fitted_zoo[name], unseen[:2_000])
    for end in (50, 700, 1_999):
        assert same(everything, whole(fitted_zoo[name], unseen[:end]), slice(0, end))


@every_model
def test_a_poisoned_label_changes_no_forecast_before_its_own_bar(
    name: str, fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    frame, bar = unseen[:2_000], 1_200
    poisoned = frame.close.copy()
    poisoned[bar:] *= np.exp(np.random.default_rng(0).normal(0, 0.1, len(poisoned) - bar))
    other = FeatureFrame(
        symbol=frame.symbol,
        interval=frame.interval,
        fingerprint=frame.fingerprint,
        time=frame.time,
        close=poisoned,
        values=frame.values,
    )
    one, two = whole(fitted_zoo[name], frame), whole(fitted_zoo[name], other)
    assert same(one, two, slice(0, bar))
    assert not same(one, two, slice(bar, None))  # the poison does reach what may see it


@every_model
def test_the_step_leaves_the_state_that_it_was_given(
    name: str, fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    state, _ = fitted_zoo[name].step(fitted_zoo[name].initial(), unseen[:500])
    before = msgspec.json.encode(state)
    fitted_zoo[name].step(state, unseen[500:900])
    assert msgspec.json.encode(state) == before


@every_model
def test_what_is_not_known_yet_is_nan_and_what_is_known_is_a_distribution(
    name: str, fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame
) -> None:
    forecasts = whole(fitted_zoo[name], unseen[:1_000])
    for field in FIELDS:
        assert np.isnan(getattr(forecasts, field)[:MIN_RETURNS]).all()
    unknown = np.isnan(forecasts.mean)
    assert (np.isnan(forecasts.scale) == unknown).all()
    assert (np.isnan(forecasts.quantiles) == unknown[:, :, None]).all()
    assert (np.isnan(forecasts.p_up) == unknown).all()
    assert not unknown[300:].any()
    assert (forecasts.scale[300:] > 0).all()
    assert ((forecasts.p_up[300:] >= 0) & (forecasts.p_up[300:] <= 1)).all()
    assert (np.diff(forecasts.quantiles[300:], axis=2) >= 0).all()


@every_model
def test_saved_and_loaded_it_is_the_same_model(
    name: str, fitted_zoo: Mapping[str, Forecaster], unseen: FeatureFrame, tmp_path: Path
) -> None:
    fitted_zoo[name].save(tmp_path)
    loaded = ZOO[name].load(tmp_path)
    assert loaded.version == fitted_zoo[name].version
    assert loaded.fingerprint == fitted_zoo[name].fingerprint == unseen.fingerprint
    assert same(whole(loaded, unseen[:500]), whole(fitted_zoo[name], unseen[:500]))


@pytest.mark.slow
@every_model
def test_the_same_seed_and_data_give_the_same_version_and_other_data_another(
    name: str, fitted_zoo: Mapping[str, Forecaster], training_frames: list[FeatureFrame]
) -> None:
    again = ZOO[name](NAMES)
    again.fit(training_frames, seed=3)
    assert again.version == fitted_zoo[name].version
    again.fit(training_frames[:1], seed=3)
    assert again.version != fitted_zoo[name].version


@every_model
def test_what_is_no_artifact_of_the_model_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="run foretick train") as missing:
        ZOO[name].load(tmp_path)
    (tmp_path / "model.json").write_text('{"model": "another"}')
    with pytest.raises(ValueError, match="'another'"):
        ZOO[name].load(tmp_path)
    (tmp_path / "model.json").write_text("no json")
    with pytest.raises(ValueError, match="not an artifact") as broken:
        ZOO[name].load(tmp_path)
    assert "\n" not in str(missing.value) + str(broken.value)


def test_every_class_that_can_be_fitted_stands_in_the_table() -> None:
    results = set()
    for found_module in pkgutil.walk_packages(models.__path__, "models."):
        module = importlib.import_module(found_module.name)
        classes = [
            item for _, item in inspect.getmembers(module, inspect.isclass) if item.__module__ == module.__name__
        ]
        results |= {item for item in classes if issubclass(item, Forecaster) and not inspect.isabstract(item)}
    assert results == set(ZOO.values())


@every_model
def test_the_zoo_has_it_under_its_own_name(name: str) -> None:
    assert ZOO[name].name == name
