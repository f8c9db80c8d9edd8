"""The command: its summary, its JSON, and one line for each mistake."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import SecretStr
from typer.testing import CliRunner

from cli.errors import UserError
from cli.replay import _trainings, replay
from settings import Settings
from storage.errors import StorageError

T = 1_600_000_020_000
M = 60_000


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(replay)
    return app


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "BTCUSDT.csv"
    lines = [f"{T + minute * M},10,12,9,11,5" for minute in (0, 1, 2, 2, 5)]
    path.write_text("\n".join(["time,open,high,low,close,volume", *lines, f"{T + 6 * M},1,0,0,0,0"]))
    return path


def test_a_dry_run_counts_as_json(app: typer.Typer, file: Path) -> None:
    result = CliRunner().invoke(app, [str(file), "--dry-run", "--json"])
    counts = json.loads(result.stdout)
    values = {name: counts[name] for name in ("rows", "bars", "duplicates", "gaps", "missing_intervals", "impossible")}
    assert values == {"rows": 6, "bars": 4, "duplicates": 1, "gaps": 1, "missing_intervals": 2, "impossible": 1}
    assert counts["symbols"] == {"BTCUSDT": 4}
    assert counts["sent"] == 0


def test_the_summary_names_what_was_found(app: typer.Typer, file: Path) -> None:
    output = CliRunner().invoke(app, [str(file), "--dry-run"]).stdout
    assert "1 (2 intervals missing)" in output
    assert "duplicates dropped" in output
    assert "2020-09-13 12:27:00 .. 2020-09-13 12:32:00" in output
    assert "ticks" not in output


def test_from_and_to_are_utc_where_no_zone_is_given(app: typer.Typer, file: Path) -> None:
    bounds = ["--from", "2020-09-13T12:28", "--to", "2020-09-13T14:29+02:00"]
    result = CliRunner().invoke(app, [str(file), "--dry-run", "--json", *bounds])
    assert json.loads(result.stdout)["bars"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--from", "yesterday"], "--from 'yesterday' is no time"),
        (["--interval", "minute"], "--interval"),
        (["--speed", "fast"], "--speed 'fast'"),
        (["--symbol", "bit coin", "--dry-run"], "bit coin"),
    ],
)
def test_a_mistake_is_one_line(app: typer.Typer, file: Path, options: list[str], message: str) -> None:
    result = CliRunner().invoke(app, [str(file), *options])
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)


def test_a_file_that_is_not_there_is_named(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["nowhere.csv", "--dry-run"])
    assert str(result.exception) == "nowhere.csv: no such file"


def _bars(folder: Path, name: str, bad: int, good: int = 20) -> Path:
    lines = [f"{T + minute * M},10,12,9,11,5" for minute in range(good)]
    lines += [f"{T + (good + at) * M},10,8,9,11,5" for at in range(bad)]
    path = folder / name
    path.write_text("\n".join(["time,open,high,low,close,volume", *lines]))
    return path


@pytest.mark.parametrize(
    ("bad", "good", "code", "words"),
    [
        (2, 20, 0, ""),
        (3, 20, 1, "13.0 % of the rows are impossible, more than the 10 % of FORETICK_IMPOSSIBLE_PERCENT"),
        (20, 0, 1, "no row could be used"),
    ],
)
def test_the_exit_code_says_whether_the_file_could_be_used(
    app: typer.Typer, tmp_path: Path, bad: int, good: int, code: int, words: str
) -> None:
    result = CliRunner().invoke(app, [str(_bars(tmp_path, "BTCUSDT.csv", bad, good)), "--dry-run"])
    assert result.exit_code == code
    assert words in result.stderr
    assert f"impossible, {bad} times: prices or volume cannot be" in result.stdout
    assert f"row {good + 1} of BTCUSDT.csv" in result.stdout


def test_a_span_without_rows_within_the_file_is_told(app: typer.Typer, file: Path) -> None:
    bounds = ["--from", "2020-09-13T12:30:30", "--to", "2020-09-13T12:31:30"]
    result = CliRunner().invoke(app, [str(file), "--dry-run", *bounds])
    assert str(result.exception) == (
        "no row is of the times asked for: the first row is of 2020-09-13 12:27:00, the last of 2020-09-13 12:33:00"
    )


def test_of_many_symbols_the_nearest_is_said(app: typer.Typer, tmp_path: Path) -> None:
    names = [f"{base}USDT" for base in ("BTC", "ETH", "XRP", "SOL", "ADA", "DOT", "LTC", "BCH", "TRX", "UNI", "DOGE")]
    rows = [f"{name},{T + minute * M},10,12,9,11,5" for minute in range(3) for name in names]
    path = tmp_path / "market.csv"
    path.write_text("\n".join(["symbol,time,open,high,low,close,volume", *rows]))
    result = CliRunner().invoke(app, [str(path), "--dry-run", "--symbol", "DOGUSDT"])
    assert str(result.exception) == "no file holds DOGUSDT; the nearest of 11 is DOGEUSDT"


def test_a_span_without_a_row_is_said(app: typer.Typer, file: Path) -> None:
    result = CliRunner().invoke(app, [str(_bars(file.parent, "ETHUSDT.csv", 0)), "--dry-run", "--from", "2024-01-01"])
    assert isinstance(result.exception, UserError)
    assert str(result.exception) == (
        "no row is of 2024-01-01 00:00:00 UTC or later: "
        "the first row is of 2020-09-13 12:27:00, the last of 2020-09-13 12:46:00"
    )


@pytest.mark.parametrize("price", ["2.2630123e-10", "7.1e-12", "0.000034", "0.9999", "104312.5"])
def test_a_dry_run_says_a_price_of_any_size(app: typer.Typer, tmp_path: Path, price: str) -> None:
    path = tmp_path / "SHIBBTC-1m.csv"
    rows = [f"{1_704_067_200 + 60 * minute},{','.join([price] * 4)},1e16" for minute in range(3)]
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *rows]))
    output = " ".join(CliRunner().invoke(app, [str(path), "--dry-run"]).stdout.split())
    assert f"open {price} high {price} low {price} close {price} volume 1e16" in output


def test_a_dry_run_says_what_a_file_was_taken_for_and_what_would_be_sent(app: typer.Typer, tmp_path: Path) -> None:
    path = tmp_path / "BTCUSD_M1.csv"
    rows = [f"2024.01.01,00:{minute:02},10,12,9,11,5,55.5" for minute in range(3)]
    path.write_text("\n".join(["# a note", "Date,Time,Open,High,Low,Close,Volume,RSI", *rows]))
    output = " ".join(CliRunner().invoke(app, [str(path), "--dry-run"]).stdout.split())
    for words in (
        "plain OHLCV, bars of 1m (by the file's name and the steps of its rows), of BTCUSD",
        "times: text, such as '2024.01.01'; UTC where a time names none",
        "columns: time is Date, clock is Time",
        "columns left out: RSI",
        "lines above the table: 1, the first '# a note'",
        "2024-01-01 00:00:00 open 10 high 12 low 9 close 11 volume 5",
        "2024-01-01 00:02:00 open 10 ",
    ):
        assert words in output


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        ({}, ["its bars may trigger a training, by schedule or drift; --no-retrain prevents it"]),
        ({"retrain_cron": ""}, ["its bars may trigger a training, by schedule or drift; --no-retrain prevents it"]),
        ({"retrain_cron": "", "retrain_on_drift": False}, []),
    ],
)
def test_what_a_replay_may_set_off_is_said_before(changed: dict[str, Any], lines: list[str]) -> None:
    messages: list[str] = []
    _trainings(Settings(**changed), T, True, messages.append)
    assert messages == lines


def test_without_the_database_no_training_can_be_kept_off() -> None:
    messages: list[str] = []
    with pytest.raises(StorageError, match="does not answer"):
        _trainings(Settings(database_url=SecretStr("postgresql://127.0.0.1:1/x")), T, False, messages.append)
    assert messages == []
