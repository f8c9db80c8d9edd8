"""`foretick train`: from files to models in service."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from model_data import MINUTE, market

from cli.errors import UserError
from cli.train import train
from features.definition import DEFAULT, Definition
from models.registry import model_registry, parameters
from models.registry.names import DEFAULT_MODELS
from settings import ROOT
from sources.reading.bars import read_bars


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven thousand minutes as a Binance-like csv."""
    bars = market("COINUSDT", 7_000, 6, -0.2)
    path = tmp_path_factory.mktemp("train") / "COINUSDT-1m.csv"
    columns = np.column_stack([bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume])
    with path.open("w") as out:
        out.write("time,open,high,low,close,volume\n")
        out.writelines(f"{int(row[0])},{','.join(repr(float(value)) for value in row[1:])}\n" for row in columns)
    return path


def test_train_puts_every_model_into_service(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    train([file], rows_until=None, interval=None, seed=0, as_json=True)
    folder = tmp_path / "models"
    definition = Definition.load(folder)
    assert definition != DEFAULT
    served = model_registry.load_all(folder, definition.fingerprint)
    printed = msgspec.json.decode(capsys.readouterr().out)
    assert {model.name: model.version for model in served} == {
        name: model["version"] for name, model in printed["models"].items()
    }
    assert [model.name for model in served] == list(DEFAULT_MODELS)
    assert printed["features"].pop("seconds") > 0
    assert printed["features"] == {"version": definition.fingerprint, "path": str(folder / "features.json")}
    assert printed["rows"] == {"COINUSDT": 7_000}


@pytest.mark.slow
def test_after_the_warm_up_the_stream_compiles_nothing(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    train([file], rows_until=None, interval=None, seed=0, as_json=True)

    def codes(*options: str) -> list[dict[str, int]]:
        command = [sys.executable, str(Path(__file__).with_name("warmed_up.py")), str(tmp_path / "models"), str(file)]
        done = subprocess.run([*command, *options], cwd=ROOT, stdout=subprocess.PIPE, check=True)
        results: list[dict[str, int]] = json.loads(done.stdout)
        return results

    before, after = codes()
    assert after == before
    before, after = codes("--without")
    assert after != before


def test_the_end_of_the_training_rows_is_left_out(file: Path) -> None:
    frame = read_bars([file], "1m")[0]
    assert len(read_bars([file], "1m", share=0.5)[0]) == pytest.approx(3_500, abs=1)
    end = int(frame.time[0]) + 100 * MINUTE
    assert read_bars([file], "1m", until=end)[0].time.tolist() == frame.time[:100].tolist()


def test_a_users_mistake_is_one_line(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    with pytest.raises(UserError, match="no such file"):
        train([tmp_path / "absent.csv"], rows_until=None, interval=None, seed=0, as_json=True)
    with pytest.raises(UserError, match="the files hold 1m bars"):
        train([file], rows_until=None, interval="5m", seed=0, as_json=True)
    with pytest.raises(UserError, match="is no time"):
        train([file], end="soon", rows_until=None, interval=None, seed=0, as_json=True)
    with pytest.raises(UserError, match="are needed"):
        train([file], end="2023-11-15", rows_until=None, interval=None, seed=0, as_json=True)
    assert not (tmp_path / "models").exists()


def test_tuned_parameters_are_trained_with_unless_the_defaults_are_asked_for(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    folder = tmp_path / "models"

    def trained(default_parameters: bool) -> dict[str, Any]:
        options: dict[str, Any] = {
            "rows_until": None,
            "interval": None,
            "model": ["ar"],
            "as_json": True,
        }
        train([file], seed=0, default_parameters=default_parameters, **options)
        printed: dict[str, Any] = msgspec.json.decode(capsys.readouterr().out)
        return printed

    untuned = trained(default_parameters=False)
    parameters.write(folder, "ar", {"clip": 3.0})
    tuned, default = trained(default_parameters=False), trained(default_parameters=True)
    assert (untuned["tuned"], tuned["tuned"], default["tuned"]) == ([], ["ar"], [])
    versions = [printed["models"]["ar"]["version"] for printed in (default, untuned, tuned)]
    assert versions[0] == versions[1] != versions[2]
    origin = model_registry.provenance(folder, "ar", tuned["models"]["ar"]["version"])
    assert origin is not None
    assert origin.parameters == {"clip": 3.0}
    parameters.write(folder, "ar", {"clip": 9.0})
    with pytest.raises(UserError, match=r"clip of model 'ar' is 9.0; it must be a number from 3 to 6"):
        trained(default_parameters=False)
