"""Artifacts: what was saved is served; what changed since, or is not there, is refused in one line."""

from dataclasses import replace
from pathlib import Path

import pytest
from model_data import NAMES

from features.definition import DEFAULT, Definition
from features.frame import FeatureFrame
from models import registry
from models.forecaster import Forecaster
from models.gbm import GBM
from models.online import Online


def test_what_is_saved_is_served_in_the_order_of_the_table(fitted: dict[str, Forecaster], tmp_path: Path) -> None:
    paths = registry.save(tmp_path, DEFAULT, list(fitted.values()))
    assert registry.save(tmp_path, DEFAULT, list(fitted.values())) == paths
    loaded = registry.load_all(tmp_path, DEFAULT.fingerprint)
    assert [(item.name, item.version) for item in loaded] == [(item.name, item.version) for item in fitted.values()]
    assert not [path for path in tmp_path.rglob("*") if "draft" in path.name]
    registry.save(tmp_path, DEFAULT, [fitted["naive"]])
    assert [item.name for item in registry.load_all(tmp_path, DEFAULT.fingerprint)] == ["naive"]


def test_what_cannot_be_served_is_said_in_one_line(fitted: dict[str, Forecaster], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no models in service"):
        registry.load_all(tmp_path, DEFAULT.fingerprint)
    path = registry.save(tmp_path, DEFAULT, [fitted["naive"], fitted["gbm"]])[1]
    (tmp_path / "serving.json").write_text('{"oracle": "1"}')
    with pytest.raises(ValueError, match="no model 'oracle'; the models are naive, reversal"):
        registry.load_all(tmp_path, DEFAULT.fingerprint)
    (tmp_path / "serving.json").write_text("{")
    with pytest.raises(ValueError, match="not a list of models"):
        registry.load_all(tmp_path, DEFAULT.fingerprint)
    registry.save(tmp_path, DEFAULT, [fitted["naive"], fitted["gbm"]])
    definition = (path / "model.json").read_text()
    (path / "model.json").write_text(definition.replace("0.", "0.1", 1))
    with pytest.raises(ValueError, match="changed since"):
        registry.load_all(tmp_path, DEFAULT.fingerprint)
    (path / "model.json").write_text(definition)
    booster = path / "booster.txt"
    booster.write_text(booster.read_text().replace("leaf_value=", "leaf_value=1", 1))
    with pytest.raises(ValueError, match="SHA-256"):
        registry.load_all(tmp_path, DEFAULT.fingerprint)
    booster.unlink()
    with pytest.raises(ValueError, match="cannot be read"):
        registry.load_all(tmp_path, DEFAULT.fingerprint)


def test_models_of_other_features_are_refused_in_one_line(fitted: dict[str, Forecaster], tmp_path: Path) -> None:
    registry.save(tmp_path, DEFAULT, [fitted["naive"]])
    said = f"model 'naive' was fitted on features {DEFAULT.fingerprint}, but another are computed; run foretick train"
    with pytest.raises(ValueError, match=said):
        registry.load_all(tmp_path, "another")
    other = Definition(replace(DEFAULT.regimes, temper=0.3))
    with pytest.raises(ValueError, match=f"but {other.fingerprint} are computed"):
        registry.save(tmp_path, other, [fitted["naive"]])
    assert Definition.load(tmp_path) == DEFAULT


def test_features_that_a_model_needs_and_does_not_find_are_named() -> None:
    with pytest.raises(ValueError, match="rsi_14"):
        Online(tuple(name for name in NAMES if name != "rsi_14"))


def test_a_model_that_was_not_fitted_refuses_to_forecast(unseen: FeatureFrame) -> None:
    with pytest.raises(ValueError, match="was not fitted"):
        GBM(NAMES).step({}, unseen)
