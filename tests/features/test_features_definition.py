"""What the features are made by: through a file unchanged, and another fingerprint for other content."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from feature_bars import frame_of, walk

from features import hmm, regimes
from features.definition import DEFAULT, Definition
from features.step import FeatureState, FeatureStep
from features.table import NAMES

OTHER = Definition(replace(regimes.DEFAULT, temper=0.2))


def test_a_definition_survives_its_file(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    fitted = hmm.fit([random.normal(0, [0.4, 0.9], (30_000, 2))])
    definition = Definition(fitted, ("5m", "1h"))
    assert definition.save(tmp_path / "models") == tmp_path / "models" / "features.json"
    loaded = Definition.load(tmp_path / "models")
    assert loaded == definition
    assert loaded.fingerprint == definition.fingerprint
    assert loaded.regimes.array().tobytes() == fitted.array().tobytes()
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["features.json"]


def test_without_a_file_it_is_the_default(tmp_path: Path) -> None:
    assert Definition.load(tmp_path) == DEFAULT
    assert DEFAULT.names == NAMES


def test_a_file_that_is_none_is_said_in_one_line(tmp_path: Path) -> None:
    path = DEFAULT.save(tmp_path)
    text = path.read_text()
    for broken in (
        "{",
        "{}}",
        text.replace("0.97", "0.98"),
        text.replace("0.15", '"high"'),
        text.replace("0.35", "null"),
    ):
        path.write_text(broken)
        with pytest.raises(
            ValueError, match=r"features\.json: not a definition of the features .*; run foretick train"
        ):
            Definition.load(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ValueError, match="cannot be read"):
        Definition.load(tmp_path)


def test_the_fingerprint_follows_the_content() -> None:
    assert Definition().fingerprint == DEFAULT.fingerprint
    results = {definition.fingerprint for definition in (DEFAULT, OTHER, Definition(timeframes=("5m",)))}
    assert len(results) == 3


def test_the_columns_that_are_wanted_are_those_of_all_and_the_regimes_beside_them() -> None:
    frame = frame_of(walk(300, seed=2))
    some = FeatureStep(Definition(columns=("rsi_14", "sma_12@5m"), timeframes=("5m",)))
    every = FeatureStep(Definition(timeframes=("5m",)))
    _, few, few_regimes = some.step(some.initial(), frame)
    _, all_of_them, regimes_of_all = every.step(every.initial(), frame)
    assert some.names == ("rsi_14", *regimes.COLUMNS, "sma_12@5m")
    np.testing.assert_array_equal(few.values, all_of_them.values[:, [every.names.index(name) for name in some.names]])
    assert few_regimes == regimes_of_all
    assert few_regimes
    assert some.fingerprint != every.fingerprint


def test_a_column_that_nobody_computes_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no feature 'rsi_15': the nearest is"):
        Definition(columns=("rsi_14", "rsi_15"))


def test_features_and_states_are_of_their_definition() -> None:
    frame = frame_of(walk(300, seed=2))
    step, other = FeatureStep(), FeatureStep(OTHER)
    state, features, _ = step.step(step.initial(), frame)
    _, others, _ = other.step(other.initial(), frame)
    assert (features.fingerprint, others.fingerprint) == (DEFAULT.fingerprint, OTHER.fingerprint)
    differing = [name for k, name in enumerate(NAMES) if features.values[-1, k] != others.values[-1, k]]
    assert differing == list(regimes.COLUMNS)
    with pytest.raises(ValueError, match=f"'{DEFAULT.fingerprint}', not '{OTHER.fingerprint}'"):
        FeatureState.loads(state.dumps(), other.initial())
