"""`foretick lookahead`: what it prints of the sample, and its exit code where a column uses later bars."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import typer

import cli.lookahead as command
from cli.errors import UserError
from settings import Settings
from stack import sample


def run(monkeypatch: pytest.MonkeyPatch, home: Path, **options: Any) -> None:
    monkeypatch.setenv("FORETICK_HOME", str(home))
    values = {"features": None, "model": None, "bars": 2_000, "interval": None, "wide": False, "as_json": False}
    command.lookahead(sample.FILES, **values | options)


def test_the_features_of_the_sample_use_no_later_bars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, tmp_path, features=["rsi_14", "obv"])
    printed = capsys.readouterr().out
    assert "BTCUSDT, features: 2 columns of 2,000 bars" in printed
    assert "none uses later bars" in printed
    assert "1 depend on the first bar to the end" in printed
    assert "rsi_14 last" in printed
    assert "obv" in printed


@pytest.mark.slow
def test_the_forecasts_of_models_in_service_use_no_later_bars(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sample.train(Settings(home=tmp_path, models=("har", "online")))
    run(monkeypatch, tmp_path, features=["rsi_14"], model=["har", "online"])
    printed = capsys.readouterr().out
    assert printed.count("none uses later bars") == 6
    assert "BTCUSDT, online: 12 columns of 2,000 bars" in printed


def test_a_column_that_uses_later_bars_is_named_and_the_exit_code_is_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = [("mine", ("centred",), lambda frame: np.convolve(frame.close, np.ones(5) / 5, "same")[:, None])]
    monkeypatch.setattr(command, "_columns", lambda *_: columns)
    with pytest.raises(typer.Exit) as ended:
        run(monkeypatch, tmp_path)
    assert ended.value.exit_code == 1
    assert "1 use later bars" in capsys.readouterr().out
    with pytest.raises(typer.Exit):
        run(monkeypatch, tmp_path, as_json=True)
    document = msgspec.json.decode(capsys.readouterr().out)
    assert [one["sees_the_future"] for one in document] == [True, True]
    assert document[0]["futures"][0]["column"] == "centred"
    assert document[0]["futures"][0]["rows"] == 16


def test_a_model_that_is_not_in_service_and_an_unknown_feature_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match=r"rsi_15.*rsi_14"):
        run(monkeypatch, tmp_path, features=["rsi_15"])
    with pytest.raises(UserError, match="--model ensemble: a combination of models sees only their forecasts"):
        run(monkeypatch, tmp_path, model=["ensemble"])
    with pytest.raises(UserError, match=r"no models in service .*; run foretick train"):
        run(monkeypatch, tmp_path, model=["ridge"])
