"""What is typed wrongly, seen from outside: one line on standard error, exit code 2 or 3, and nothing left behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from stacks import environment_of

from cli.main import app
from cli.tune import PRUNERS
from learning.tuning import study
from models.registry.names import NAMES, check
from models.registry.zoo import COMBINERS, ZOO
from settings import ROOT

pytestmark = pytest.mark.slow

BTC = str(ROOT / "sample" / "BTCUSDT-1m.csv.gz")
ETH = BTC.replace("BTC", "ETH")
HOLDS = "the first row is of 2025-05-04 15:33:00, the last of 2025-06-03 15:31:00"
RIDGE = "there is no model 'rigde': the nearest is 'ridge'"
PRUNER = "--pruner: there is no pruner 'medain': the nearest is 'median'"
INTERVAL = "--interval: interval '1x' is not a whole number followed by s, m, h or d (such as 1m)"
BERLIN = "the nearest is Europe/Berlin: write Europe/Berlin, +05:30 or UTC"
ZONE = f"--zone: there is no time zone 'Europe/Berln'; {BERLIN}"
NOTHING = "--to 2025-05-01 is not later than --from 2025-06-01: there is nothing between them"
SYMBOL = "no file holds BTCUSD; they hold BTCUSDT, ETHUSDT"
VENUE = "ccxt streams no venue 'binanc'; did you mean binance, binanceus, binanceusdm?"
FOLDER = f"{ROOT}/sample is a folder: name the files in it, such as {ROOT}/sample/*.csv.gz"


def typed(home: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command on a terminal of 80 columns."""
    command = [sys.executable, "-m", "cli.main", *words]
    fields = environment_of(home) | {"COLUMNS": "80", **environment}
    return subprocess.run(command, cwd=ROOT, env=fields, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", ["up --detach", "down", "status", "topics list", "replay x.csv", "alerts list"])
@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("MODELS", "naive,rigde", f"FORETICK_MODELS: {RIDGE}"),
        ("MODLES", "ridge", "there is no setting 'FORETICK_MODLES': the nearest is 'FORETICK_MODELS'"),
    ],
)
def test_every_command_looks_at_the_settings_first(
    tmp_path: Path, command: str, name: str, value: str, text: str
) -> None:
    done = typed(tmp_path / "home", *command.split(), **{f"FORETICK_{name}": value})
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"foretick: {text}\n")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("FEATURES", "rsi_14,rsi_15", "there is no feature 'rsi_15': the nearest is 'rsi_14'"),
        ("FEATURES", "rsi_14@5m", "there is no feature 'rsi_14@5m': '5m' is none of the timeframes"),
        ("BARS", "tik-500", "interval 'tik-500': there is no kind of bars 'tik': the nearest is 'tick'"),
        ("TIMEFRAMES", "90s", "timeframe 90s is no multiple of the bars' 1m"),
        ("UNIVERSE", "BTCUSDT", "a market needs two symbols: BTCUSDT,ETHUSDT"),
        ("LOG_FORMAT", "jsn", "Input should be 'text' or 'json'"),
    ],
)
def test_a_setting_with_an_unknown_name_or_value_is_told_in_one_line(
    tmp_path: Path, name: str, value: str, text: str
) -> None:
    done = typed(tmp_path / "home", "up", **{f"FORETICK_{name}": value})
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"foretick: FORETICK_{name}: {text}\n")
    assert not (tmp_path / "home").exists()


def test_help_is_given_whatever_is_set(tmp_path: Path) -> None:
    done = typed(tmp_path, "up", "--help", FORETICK_MODELS="rigde")
    assert done.returncode == 0
    assert "Install what is missing" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("train", BTC, "--model", "rigde"), f"--model: {RIDGE}"),
        (("tune", "rigde", BTC), RIDGE),
        (("tune", "ridge", BTC, "--pruner", "medain"), PRUNER),
        (("pipeline", "run", "--model", "rigde"), f"--model: {RIDGE}"),
        (("replay", f"{ROOT}/sample"), FOLDER),
        (("replay", f"{ROOT}/sample", "--dry-run"), FOLDER),
        (("train", f"{ROOT}/sample"), FOLDER),
        (("tune", "ridge", f"{ROOT}/sample"), FOLDER),
        (("pipeline", "run", f"{ROOT}/sample"), FOLDER),
        (("features", f"{ROOT}/sample", "-o", "/nowhere/F.parquet"), FOLDER),
        (("evaluate", f"{ROOT}/sample"), FOLDER),
        (("evaluate", BTC, "--model", "rigde"), f"--model: {RIDGE}"),
        (("explain", "BTCUSDT/1m/2025-06-01T12:00/gbm", f"{ROOT}/sample"), FOLDER),
        (("train", BTC.replace("USDT", "UDST")), f"{BTC.replace('USDT', 'UDST')}: no such file; the nearest is {BTC}"),
        (("train", BTC, "--interval", "1x"), INTERVAL),
        (("replay", BTC, "--zone", "Europe/Berln"), ZONE),
        *(
            ((*command, "--from", "2025-06-01", "--to", "2025-05-01"), NOTHING)
            for command in (("replay", BTC), ("train", BTC), ("features", BTC, "-o", "/nowhere/F.parquet"))
        ),
        *(
            ((*command, "--to", "2020-01-01"), f"no row is earlier than 2020-01-01 00:00:00 UTC: {HOLDS}")
            for command in (("replay", BTC, "--dry-run", "--json"), ("train", BTC))
        ),
        *(
            ((*command, "--from", "2030-01-01"), f"no row is of 2030-01-01 00:00:00 UTC or later: {HOLDS}")
            for command in (("replay", BTC, "--dry-run", "--json"), ("train", BTC))
        ),
        (("replay", BTC, ETH, "--dry-run", "--json", "--symbol", "BTCUSD"), SYMBOL),
        (("live", "binanc", "BTC/USDT"), VENUE),
        (("topics", "skip", "predictons", "0", "1"), "there is no topic 'predictons': the nearest is 'predictions'"),
        (("topics", "tail", "predictons"), "there is no topic 'predictons': the nearest is 'predictions'"),
    ],
)  # fmt: skip
def test_a_mistake_in_what_is_typed_is_one_line(tmp_path: Path, words: tuple[str, ...], text: str) -> None:
    done = typed(tmp_path / "home", *words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"foretick: {text}\n")
    assert not (tmp_path / "home").exists()


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A file system onto which nothing can be written."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,mode=0755", "tmpfs", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.mark.parametrize(
    "words", [("up", "--detach"), ("train", BTC), ("tune", "ridge", BTC), ("pipeline", "run", BTC)]
)
def test_a_home_that_cannot_be_written_is_one_line(read_only: Path, words: tuple[str, ...]) -> None:
    done = typed(read_only / "home", *words)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(f"foretick: {read_only}")
    assert done.stderr.endswith("; FORETICK_HOME names another folder\n")
    assert done.stderr.count("\n") == 1


def test_a_checkout_that_cannot_be_written_is_one_line(read_only: Path) -> None:
    subprocess.run(["mount", "-o", "remount,rw", str(read_only)], check=True)
    script = read_only / "foretick"
    script.write_bytes((ROOT / "foretick").read_bytes())
    (read_only / "requirements").mkdir()
    for name in ("requirements/default.lock", "pyproject.toml"):
        (read_only / name).write_text("")
    subprocess.run(["mount", "-o", "remount,ro", str(read_only)], check=True)
    done = subprocess.run(["sh", str(script), "status"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        f"foretick: {read_only} cannot be written: the environment is made in it; copy it to where you may write\n"
    )


def test_the_same_option_has_the_same_name_everywhere() -> None:
    commands: list[Any] = [typer.main.get_command(app)]
    options: dict[str, set[str]] = {}
    while commands:
        command = commands.pop()
        commands += getattr(command, "commands", {}).values()
        for one in command.params if not hasattr(command, "commands") else ():
            options.setdefault(command.name, set()).update(one.opts)
    spans = {name for name, results in options.items() if results & {"--from", "--to"}}
    assert spans == {"replay", "train", "features"}
    assert all({"--from", "--to"} <= options[name] for name in spans)
    assert {name for name, results in options.items() if "--until" in results} == {
        "train",
        "features",
        "mute",
    }  # as it was
    assert {name for name, results in options.items() if "--most" in results and "-n" not in results} == set()
    for name in ("evaluate", "train", "run"):
        assert "--model" in options[name]


def test_the_listed_model_names_are_those_of_the_zoo() -> None:
    assert (*ZOO, *COMBINERS) == NAMES
    assert study.PRUNERS == PRUNERS
    check(NAMES)
