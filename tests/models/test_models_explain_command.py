"""`foretick explain`: from files, from what the stack stored, from a fold's folder; and one line for each mistake."""

import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import numpy as np
import psycopg
import pytest
import typer
from model_data import MINUTE, START, market
from psycopg import sql
from rich.console import Console
from stacks import drop_database
from storing import store
from typer.testing import CliRunner, Result

from cli.errors import UserError
from cli.explain import explain
from cli.explanation_tables import show
from evaluation import walk_forward
from evaluation.splits import Split
from features.definition import DEFAULT, Definition
from features.step import FeatureStep
from models import training
from models.baselines.ar import AR
from models.baselines.naive import Naive
from models.explain.explanation import Contribution, Explanation
from models.registry import model_registry
from models.serving.predictor import Predictor
from models.trees.gbm import GBM
from sources.reading.bars import read_bars
from storage.timescale import migrate
from topics.catalog import FEATURES, PREDICTIONS
from topics.records import Features, Prediction

pytestmark = pytest.mark.slow

ROWS = 7_000
T = START + 6_500 * MINUTE


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven thousand minutes of one coin, and one bar missing."""
    bars = market("COINUSDT", ROWS, 6, -0.2)
    path = tmp_path_factory.mktemp("explain") / "COINUSDT-1m.csv"
    columns = np.column_stack([bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume])
    with path.open("w") as out:
        out.write("time,open,high,low,close,volume\n")
        out.writelines(
            f"{int(row[0])},{','.join(repr(float(value)) for value in row[1:])}\n"
            for row in columns
            if row[0] != T + MINUTE
        )
    return path


@pytest.fixture(scope="module")
def home(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which three models serve."""
    result = tmp_path_factory.mktemp("home")
    definition, fitted = training.train(read_bars([file], "1m", share=0.8), 0)
    model_registry.save(result / "models", definition, fitted)
    return result


@pytest.fixture
def app(home: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv("FORETICK_HOME", str(home))
    app = typer.Typer()
    app.command()(explain)
    return app


def asked(app: typer.Typer, *words: object) -> Result:
    return CliRunner().invoke(app, [*map(str, words)], env={"COLUMNS": "120"})


def test_the_tables_parts_add_up_to_the_mean_that_it_names(app: typer.Typer, file: Path) -> None:
    lines = asked(app, f"COINUSDT/1m/{T}/gbm", file, "--top", 5).stdout.splitlines()
    assert lines[0].startswith("gbm ")
    assert "COINUSDT 1m at 2023-11-19 10:34:00, 1 bar ahead" in lines[0]
    output = float(lines[0].split("mean ")[1].split(" bp")[0])
    numbers = [float(re.findall(r"[+-]\d+\.\d{4}", line)[-1]) for line in lines[2:-1]]
    assert len(numbers) == 8  # the base, five inputs, the others, the total
    assert numbers[-1] == output != 0
    assert sum(numbers[:-1]) == pytest.approx(output, abs=5e-4)
    assert "others" in lines[8]
    assert lines[-1] == "the model's state is from the 2,880 bars before"


def test_time_is_iso_or_epoch_ms_and_a_line_of_the_topic_will_do(app: typer.Typer, file: Path) -> None:
    printed = asked(app, f"COINUSDT/1m/{T}/gbm", file, "--json", "--horizon", 5).stdout
    assert asked(app, "COINUSDT/1m/2023-11-19T10:34/gbm", file, "--json", "--horizon", 5).stdout == printed
    line = msgspec.json.encode(
        Prediction(
            symbol="COINUSDT", interval="1m", time=T, model="gbm", version="v", fingerprint="f", price=1.0, forecasts=[]
        )
    ).decode()
    assert asked(app, line, file, "--json", "--horizon", 5).stdout == printed
    result = json.loads(printed)
    assert (result["time"], result["horizon"], result["published"]) == (T, 5, [])
    total = result["base"] + sum(part["contribution"] for part in result["contributions"])
    assert total * result["unit"] == pytest.approx(result["mean"], rel=1e-9)


def test_a_model_without_drift_says_so(app: typer.Typer, file: Path) -> None:
    assert "naive forecasts no drift" in asked(app, f"COINUSDT/1m/{T}/naive", file).stdout


def test_a_mean_of_zero_is_no_directional_forecast_and_the_default_is_a_horizon_that_has_one(
    app: typer.Typer, file: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = Definition.load(home / "models")
    served = model_registry.load_all(home / "models", definition.fingerprint)
    model = next(one for one in served if isinstance(one, GBM))
    model.shrinkage[:, 0] = [0.0, 0.5, 0.0, 0.5]
    model_registry.save(tmp_path / "models", definition, served)
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    lines = asked(app, f"COINUSDT/1m/{T}/gbm", file, "--horizon", 1).stdout.splitlines()
    assert re.search(r"1 bar ahead of [\d.]+: mean 0 bp, scale ", lines[0])
    assert lines[1] == (
        "no directional forecast at this horizon: the mean of gbm is 0 there; it has one at --horizon 5 and 60"
    )
    assert lines[2:] == ["the model's state is from the 2,880 bars before"]
    usual = asked(app, f"COINUSDT/1m/{T}/gbm", file).stdout.splitlines()
    assert "5 bars ahead" in usual[0]
    assert float(usual[0].split("mean ")[1].split(" bp")[0]) != 0
    assert len(usual) > 15
    document = json.loads(asked(app, f"COINUSDT/1m/{T}/gbm", file, "--horizon", 1, "--json").stdout)
    assert (document["mean"], document["contributions"]) == (0.0, [])
    assert document["note"] == lines[1]


@pytest.mark.parametrize(
    ("prediction", "options", "message"),
    [
        ("COINUSDT/gbm", [], "names no prediction: give SYMBOL/INTERVAL/TIME/MODEL"),
        ("{}", [], "is no prediction"),
        ("COINUSDT/1m/noon/gbm", [], "TIME 'noon' is no time"),
        (f"COINUSDT/1m/{T}/oracle", [], "no model 'oracle'; the models are naive, reversal"),
        (f"COINUSDT/1m/{T}/ridge", [], "'ridge' is not in service"),
        (f"COINUSDT/1m/{T + MINUTE}/gbm", [], "no 1m bar of COINUSDT at 2023-11-19 10:35:00; the one before it is at"),
        (f"COINUSDT/5m/{T}/gbm", [], "the files hold 1m bars"),
        (f"OTHER/1m/{T}/gbm", [], "no bars of OTHER, but COINUSDT"),
        (f"COINUSDT/1m/{T}/gbm", ["--horizon", "7"], "no horizon 7"),
        (f"COINUSDT/1m/{T}/gbm", ["--warm-up", "10"], "has no forecast at this bar"),
        (
            f"COINUSDT/1m/{T}/gbm",
            ["--models", "/nowhere"],
            "no forecasts of model 'gbm' by foretick evaluate; it has none",
        ),
        (f"COINUSDT/1m/{T}/stacking", ["--models", "/nowhere"], "'stacking' combines models"),
        ("COINUSDT/1m/253402300800000/gbm", [], "from 1970 to 9999"),
    ],
)
def test_a_mistake_is_one_line(app: typer.Typer, file: Path, prediction: str, options: list[str], message: str) -> None:
    result = asked(app, prediction, file, *options)
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)


def test_without_files_or_a_stack_the_way_out_is_named(app: typer.Typer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETICK_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    result = asked(app, f"COINUSDT/1m/{T}/gbm")
    assert isinstance(result.exception, UserError)
    assert "start it by ./foretick up, or give files of bars" in str(result.exception)
    assert "secret" not in str(result.exception)


def test_a_forecast_of_an_evaluation_is_explained_by_its_folds_folder(
    app: typer.Typer, file: Path, tmp_path: Path
) -> None:
    bars = read_bars([file], "1m")
    fold = Split("2023-11", START, START + 6_000 * MINUTE, START + ROWS * MINUTE)
    prepared = walk_forward.prepare(bars, {}, fold, tmp_path, 0)
    walk_forward.run(prepared, {"naive": Naive, "ar": AR}, 0, 1)
    folder = tmp_path / "2023-11"
    result = asked(app, f"COINUSDT/1m/{T}/ar", file, "--models", folder, "--json", "--warm-up", ROWS, "--horizon", 5)
    match = json.loads(result.stdout)
    kept = prepared.done()
    row = int(np.searchsorted(kept.frames[0].time, T))
    assert match["mean"] == kept.load("ar").mean[row, 1]
    assert {part["name"] for part in match["contributions"]} >= {"log_return_1", "log_return_60"}
    missing = asked(app, f"COINUSDT/1m/{T}/ridge", file, "--models", folder)
    assert "no forecasts of model 'ridge' by foretick evaluate; it has ar, naive" in str(missing.exception)
    (folder / "features.json").unlink()
    undefined = asked(app, f"COINUSDT/1m/{T}/ar", file, "--models", folder)
    assert "no features.json: run foretick evaluate again, which reuses finished work" in str(undefined.exception)


def test_a_network_shows_where_it_looked_and_a_volatility_its_factor() -> None:
    about: dict[str, Any] = {
        "version": "v", "symbol": "A", "interval": "1m", "time": T, "horizon": 5, "price": 1.0, "unit": 2e-3,
    }  # fmt: skip
    parts = (Contribution("one", 0.5, -0.3), Contribution("other", float("nan"), 0.1))
    attention = {"encoder": [[[1.0] * 9] * 9] * 4, "thinned": [[[0.5, *[0.0] * 7, 0.5]]] * 4}
    network = Explanation(
        model="transformer",
        mean=-2e-4,
        scale=2e-3,
        quantity="mean",
        base=0.1,
        total=-0.1,
        contributions=parts,
        attention=attention,
        **about,
    )
    out = StringIO()
    show(Console(file=out, width=100), network, 1, 10, ())
    rows = {line.split("  ")[0].strip(): line.split() for line in out.getvalue().splitlines()}
    assert rows["63 to 56 bars back"][-2] == rows["the bar's own features"][-2] == "50.0%"
    assert rows["7 to 0 bars back"][-1] == "0.0%"
    assert "-6.0000" in rows["one"]  # -0.3 of 20 bp
    assert "+2.0000" in rows["1 others"]
    scale = Explanation(
        model="lightgbm_volatility",
        mean=0.0,
        scale=2e-3 * np.exp(-0.1),
        quantity="log variance",
        base=0.0,
        total=-0.2,
        contributions=parts,
        **about,
    )
    show(Console(file=out, width=100), scale, 2, 10, ())
    assert "20.000 bp, times exp(total / 2) = 0.905" in out.getvalue()
    for price, words in ((2.2630123e-10, "2.2630123e-10"), (3.4e-5, "0.000034"), (104_312.5, "104312.5")):
        show(Console(file=out, width=100), replace(network, price=price), 1, 10, ())
        assert f"bars ahead of {words}: mean" in out.getvalue()


@pytest.mark.services
def test_what_the_stack_stored_is_explained_beside_what_it_published(
    app: typer.Typer, file: Path, home: Path, servers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = Definition.load(home / "models")
    step = FeatureStep(definition)
    frame = step.features(step.initial(), read_bars([file], "1m")[0])[1]
    end = int(np.searchsorted(frame.time, T)) + 1
    rows = frame[end - 3_000 : end]
    predictor = Predictor(model_registry.load_all(home / "models", definition.fingerprint), definition.names)
    _, predictions = predictor.step(predictor.initial("COINUSDT"), rows)
    older = Features(
        symbol="COINUSDT",
        interval="1m",
        time=int(rows.time[0]) - MINUTE,
        close=1.0,
        fingerprint=DEFAULT.fingerprint,
        values=[0.0],
    )

    records = {FEATURES: [older, *rows.records()], PREDICTIONS: predictions[-30:]}
    name = "explained"
    url = urlsplit(servers.database_url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            migrate(url)
            store(url, records)
            monkeypatch.setenv("FORETICK_DATABASE_URL", url)
            result = json.loads(asked(app, f"COINUSDT/1m/{T}/online", "--json", "--warm-up", 5_000).stdout)
            shown = asked(app, f"COINUSDT/1m/{T}/online", "--warm-up", 200).stdout
            late = asked(app, f"COINUSDT/1m/{T + MINUTE}/online")
            none = asked(app, f"OTHER/1m/{T}/online")
            old = asked(app, f"COINUSDT/1m/{older.time}/online")
        finally:
            drop_database(connection, name)
    prediction = next(one for one in predictions[-3:] if one.model == "online")
    assert prediction.time == T
    assert result["mean"] == prediction.forecasts[0].mean
    assert result["published"] == [{"version": prediction.version, "mean": result["mean"]}]
    assert f"published by version {prediction.version}: a mean of {result['mean'] * 1e4:+.4f} bp" in shown
    assert "from the 200 bars before" in shown
    assert "the one before it is at 2023-11-19 10:34:00" in str(late.exception)
    assert "no 1m bar of OTHER at or before" in str(none.exception)
    assert f"are of definition {DEFAULT.fingerprint}" in str(old.exception)
