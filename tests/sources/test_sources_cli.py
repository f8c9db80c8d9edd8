"""The command: its summary, its JSON, and one line for each mistake."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.errors import UserError
from cli.replay import replay

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
    found = {name: counts[name] for name in ("rows", "bars", "duplicates", "gaps", "missing_intervals", "impossible")}
    assert found == {"rows": 6, "bars": 4, "duplicates": 1, "gaps": 1, "missing_intervals": 2, "impossible": 1}
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
        (["--symbol", "bit coin", "--dry-run"], "BIT COIN"),
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
