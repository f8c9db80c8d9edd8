"""`foretick features`: the file holds what the fold gives, says what it is, and a mistake is one line."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import typer
from feature_bars import frame_of, walk
from typer.testing import CliRunner, Result

from cli.errors import UserError
from cli.features import features
from features.definition import DEFAULT, Definition
from features.step import FeatureStep
from features.table import NAMES
from sources.reading import bars as bars_module

BARS = {"BTCUSD": walk(700, seed=31), "ETHUSD": walk(500, seed=32)}
COLUMNS = ["time", "open", "high", "low", "close", "volume"]


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(features)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def _no_models(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{symbol}.csv" for symbol in BARS]
    for path in paths:
        BARS[path.stem][COLUMNS].to_csv(path, index=False)
    return paths


def expected(symbol: str) -> pd.DataFrame:
    step, bars = FeatureStep(), BARS[symbol][COLUMNS]
    _, feature_frame, _ = step.step(step.initial(), frame_of(bars))
    columns = pd.DataFrame(feature_frame.values, columns=list(NAMES))
    columns.insert(0, "close", feature_frame.close)
    columns.insert(0, "time", pd.to_datetime(bars["time"], unit="ms", utc=True).astype("datetime64[ms, UTC]"))
    columns.insert(0, "interval", "1m")
    columns.insert(0, "symbol", symbol)
    return columns


@pytest.mark.parametrize("block", [100, 65_536])
def test_the_file_holds_what_the_fold_gives(
    files: list[Path], tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bars_module, "BLOCK_ROWS", block)
    output = tmp_path / "F.parquet"
    result = run(*files, "-o", output, "--json")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["rows"] == {symbol: len(bars) for symbol, bars in BARS.items()}
    assert (summary["fingerprint"], summary["columns"]) == (DEFAULT.fingerprint, len(NAMES))
    match = pd.read_parquet(output)
    for symbol in BARS:
        rows = match[match["symbol"] == symbol].reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, expected(symbol), check_dtype=False, check_exact=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["BTCUSD.csv", "ETHUSD.csv", "F.parquet"]


def test_the_file_says_what_it_is(files: list[Path], tmp_path: Path) -> None:
    run(*files, "-o", tmp_path / "F.parquet")
    file = pq.ParquetFile(tmp_path / "F.parquet")
    assert file.schema_arrow.metadata[b"foretick.fingerprint"] == DEFAULT.fingerprint.encode()
    assert json.loads(file.schema_arrow.metadata[b"foretick.names"]) == list(NAMES)
    assert file.schema_arrow.metadata[b"foretick.version"]
    assert file.schema_arrow.names == ["symbol", "interval", "time", "close", *NAMES]
    assert str(file.schema_arrow.field("time").type) == "timestamp[ms, tz=UTC]"
    assert {str(file.schema_arrow.field(name).type) for name in ("close", *NAMES)} == {"double"}


def test_a_later_beginning_leaves_rows_out_and_changes_no_number(files: list[Path], tmp_path: Path) -> None:
    start, end = (pd.Timestamp(BARS["BTCUSD"]["time"][row], unit="ms").isoformat() for row in (300, 400))
    run(files[0], "-o", tmp_path / "F.parquet", "--from", start, "--to", end)
    result = pd.read_parquet(tmp_path / "F.parquet")
    np.testing.assert_array_equal(result[list(NAMES)].to_numpy(), expected("BTCUSD")[list(NAMES)].to_numpy()[300:400])


def test_the_definition_is_that_of_the_models_in_service(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = Definition(timeframes=("5m",))
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    served.save(tmp_path / "models")
    summary = json.loads(run(files[0], "-o", tmp_path / "F.parquet", "--json").stdout)
    assert (summary["fingerprint"], summary["columns"]) == (served.fingerprint, 2 * len(NAMES))
    assert "rsi_14@5m" in pq.ParquetFile(tmp_path / "F.parquet").schema_arrow.names


def test_one_symbol_of_several(files: list[Path], tmp_path: Path) -> None:
    run(*files, "-o", tmp_path / "F.parquet", "--symbol", "ETHUSD")
    assert set(pd.read_parquet(tmp_path / "F.parquet")["symbol"]) == {"ETHUSD"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--interval", "5m"], "no 5m bars there; the files hold 1m bars"),
        (["--interval", "five"], "--interval: interval 'five'"),
        (["--from", "2040-01-01"], "no bars from 2040-01-01 on"),
        (["--to", "2001-01-01"], "no row is earlier than 2001-01-01 00:00:00 UTC: the first row is of "),
        (["--from", "soon"], "--from 'soon' is no time"),
        (["--symbol", "DOGEUSD"], "no file holds DOGEUSD; they hold BTCUSD, ETHUSD"),
        (["-o", "{folder}/BTCUSD.csv"], "BTCUSD.csv is one of the files to read"),
        (["-o", "{folder}/nowhere/F.parquet"], "nowhere/F.parquet cannot be written: No such file or directory"),
        (["-o", "{folder}"], "is a folder: name a file in it"),
        (["{folder}/none.csv"], "none.csv: no such file"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_file(
    files: list[Path], tmp_path: Path, options: list[str], message: str
) -> None:
    result = run(*files, "-o", tmp_path / "F.parquet", *(option.format(folder=tmp_path) for option in options))
    assert isinstance(result.exception, UserError), result.output
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["BTCUSD.csv", "ETHUSD.csv"]


def test_a_file_of_no_known_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("nothing,here\n1,2\n")
    result = run(path, "-o", tmp_path / "F.parquet")
    assert isinstance(result.exception, UserError)
    assert "notes.txt" in str(result.exception)


def test_a_file_that_is_there_stays_when_the_new_one_fails(files: list[Path], tmp_path: Path) -> None:
    output = tmp_path / "F.parquet"
    output.write_text("before")
    run(*files, "-o", output, "--interval", "5m")
    assert output.read_text() == "before"
