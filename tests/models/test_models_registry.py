"""Artifacts: what was saved is served; what changed since, or is not there, is refused in one line."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from model_data import NAMES, market

from features.definition import DEFAULT, Definition
from features.frame import FeatureFrame
from models.forecaster import Forecaster
from models.linear.online import Online
from models.registry import model_registry, provenance
from models.registry.provenance import FILE, Provenance
from models.trees.gbm import GBM


@pytest.mark.slow
def test_what_is_saved_is_served_in_the_order_of_the_table(fitted: Mapping[str, Forecaster], tmp_path: Path) -> None:
    paths = model_registry.save(tmp_path, DEFAULT, list(fitted.values()))
    assert model_registry.save(tmp_path, DEFAULT, list(fitted.values())) == paths
    loaded = model_registry.load_all(tmp_path, DEFAULT.fingerprint)
    assert [(item.name, item.version) for item in loaded] == [(item.name, item.version) for item in fitted.values()]
    assert not [path for path in tmp_path.rglob("*") if "draft" in path.name]
    model_registry.save(tmp_path, DEFAULT, [fitted["naive"]])
    assert [item.name for item in model_registry.load_all(tmp_path, DEFAULT.fingerprint)] == ["naive"]


def test_what_cannot_be_served_is_said_in_one_line(fitted: Mapping[str, Forecaster], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no models in service"):
        model_registry.load_all(tmp_path, DEFAULT.fingerprint)
    path = model_registry.save(tmp_path, DEFAULT, [fitted["naive"], fitted["gbm"]])[1]
    (tmp_path / "serving.json").write_text('{"oracle": "1"}')
    with pytest.raises(ValueError, match="there is no model 'oracle': there are naive, reversal"):
        model_registry.load_all(tmp_path, DEFAULT.fingerprint)
    (tmp_path / "serving.json").write_text("{")
    with pytest.raises(ValueError, match="not a list of models"):
        model_registry.load_all(tmp_path, DEFAULT.fingerprint)
    model_registry.save(tmp_path, DEFAULT, [fitted["naive"], fitted["gbm"]])
    definition = (path / "model.json").read_text()
    before, shift = definition.split('"shift"')
    (path / "model.json").write_text(f'{before}"shift"{shift.replace("0.", "0.1", 1)}')
    with pytest.raises(ValueError, match="changed since"):
        model_registry.load_all(tmp_path, DEFAULT.fingerprint)
    (path / "model.json").write_text(definition)
    booster = path / "booster.txt"
    booster.write_text(booster.read_text().replace("leaf_value=", "leaf_value=1", 1))
    with pytest.raises(ValueError, match="SHA-256"):
        model_registry.load_all(tmp_path, DEFAULT.fingerprint)
    booster.unlink()
    with pytest.raises(ValueError, match="cannot be read"):
        model_registry.load_all(tmp_path, DEFAULT.fingerprint)


@pytest.mark.parametrize("version", ["/etc", "..", "../naive/0123456789ab", "0123456789ab\n", "0123456789AB", "", "v1"])
def test_a_version_is_never_a_path(version: str, fitted: Mapping[str, Forecaster], tmp_path: Path) -> None:
    """An absolute path as the champion was accepted, and hung a thread of the worker."""
    model_registry.save(tmp_path, DEFAULT, [fitted["naive"]])
    for asked in (
        lambda: model_registry.load(tmp_path, "naive", version, DEFAULT.fingerprint),
        lambda: model_registry.provenance(tmp_path, "naive", version),
        lambda: model_registry.provenance(tmp_path, "../naive", "0123456789ab"),
    ):
        with pytest.raises(ValueError, match="does not match"):
            asked()


def test_models_of_other_features_are_refused_in_one_line(fitted: Mapping[str, Forecaster], tmp_path: Path) -> None:
    model_registry.save(tmp_path, DEFAULT, [fitted["naive"]])
    text = f"model 'naive' was fitted on features {DEFAULT.fingerprint}, but another are computed; run foretick train"
    with pytest.raises(ValueError, match=text):
        model_registry.load_all(tmp_path, "another")
    other = Definition(replace(DEFAULT.regimes, temper=0.3))
    with pytest.raises(ValueError, match=f"but {other.fingerprint} are computed"):
        model_registry.save(tmp_path, other, [fitted["naive"]])
    assert Definition.load(tmp_path) == DEFAULT


def test_features_that_a_model_needs_and_does_not_find_are_named() -> None:
    with pytest.raises(ValueError, match="rsi_14"):
        Online(tuple(name for name in NAMES if name != "rsi_14"))


def test_a_model_that_was_not_fitted_refuses_to_forecast(unseen: FeatureFrame) -> None:
    with pytest.raises(ValueError, match="was not fitted"):
        GBM(NAMES).step({}, unseen)


ORIGIN = Provenance(
    first=1,
    last=86_400_000,
    rows=100,
    symbols=["COIN"],
    data_sha256="0" * 64,
    fingerprint=DEFAULT.fingerprint,
    seed=3,
    parameters={"rounds": 40},
)


def test_a_version_is_stored_out_of_service_and_tells_where_it_comes_from(
    fitted: Mapping[str, Forecaster], tmp_path: Path
) -> None:
    naive, gbm = fitted["naive"], fitted["gbm"]
    model_registry.save(tmp_path, DEFAULT, [naive])
    path = model_registry.store(tmp_path, gbm, ORIGIN)
    assert model_registry.serving(tmp_path) == {"naive": naive.version}
    assert model_registry.load(tmp_path, "gbm", gbm.version, DEFAULT.fingerprint).version == gbm.version == path.name
    assert model_registry.versions(tmp_path, "gbm") == [gbm.version]
    assert model_registry.provenance(tmp_path, "gbm", gbm.version) == ORIGIN
    assert model_registry.provenance(tmp_path, "naive", naive.version) is None
    model_registry.store(tmp_path, gbm)
    assert model_registry.provenance(tmp_path, "gbm", gbm.version) == ORIGIN
    (path / FILE).write_text("{")
    with pytest.raises(ValueError, match="not a version's provenance"):
        model_registry.provenance(tmp_path, "gbm", gbm.version)
    with pytest.raises(ValueError, match="no model 'oracle'"):
        model_registry.load(tmp_path, "oracle", "1", DEFAULT.fingerprint)


def test_a_version_is_expired_once_its_data_ended_too_long_ago() -> None:
    assert not ORIGIN.expired(ORIGIN.last + 2 * 86_400_000, 2.0)
    assert ORIGIN.expired(ORIGIN.last + 2 * 86_400_000 + 1, 2.0)


def test_the_data_has_the_same_hash_in_any_order_and_another_where_one_number_differs() -> None:
    first, second = market("ONE", 50, 1), market("TWO", 60, 2)
    result = provenance.of([first, second], "f", 3)
    assert (result.first, result.last, result.rows) == (int(first.time[0]), int(second.time[-1]), 110)
    assert provenance.data_sha256([second, first]) == result.data_sha256
    changed = first.with_columns(close=first.close * 1.0000001)
    assert provenance.data_sha256([changed, second]) != result.data_sha256
