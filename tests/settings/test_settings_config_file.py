"""The settings file: which one is read, what counts before it, and how a fault in it is told."""

import json
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from settings import ADDRESSES, Settings
from settings.config_file import ConfigFileError, make_absolute
from settings.origins import is_chosen, label, lines, origins, settings_file


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the environment, which sets nothing else."""
    for name in [name for name in os.environ if name.upper().startswith("FORETICK_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("FORETICK_HOME", str(folder))
    return folder


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path, text: str) -> list[str]:
    """Return the lines for a file, without its path."""
    write(path, text)
    with pytest.raises(ValidationError) as raised:
        Settings()
    return [line.replace(f"{path} ", "") for line in lines(raised.value)]


def test_the_file_in_the_home_is_read(home: Path) -> None:
    write(home / "foretick.toml", 'lag_seconds = 7\nmodels = ["ridge", "har"]\nsample = false\n')
    settings = Settings()
    assert (settings.lag_seconds, settings.models, settings.sample) == (7.0, ("ridge", "har"), False)


def test_the_environment_counts_before_the_file_and_the_file_before_what_up_wrote(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ADDRESSES).write_text(json.dumps({"dashboard_port": 1, "api_port": 1, "redis_url": "redis://up"}))
    write(home / "foretick.toml", "dashboard_port = 2\napi_port = 2\n")
    monkeypatch.setenv("FORETICK_API_PORT", "3")
    settings = Settings()
    assert (settings.dashboard_port, settings.api_port) == (2, 3)
    places = {name: origin for name, origin in origins(settings).items() if origin.kind != "default"}
    assert {name: str(origin) for name, origin in places.items()} == {
        "home": "FORETICK_HOME",
        "redis_url": f"up ({ADDRESSES})",
        "dashboard_port": f"{home / 'foretick.toml'} line 1",
        "api_port": "FORETICK_API_PORT",
    }


def test_an_empty_variable_leaves_what_the_file_says(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / "foretick.toml", "lag_seconds = 7\n")
    monkeypatch.setenv("FORETICK_LAG_SECONDS", "")
    assert Settings().lag_seconds == 7


def test_no_file_of_the_current_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "foretick.toml", 'kafka = "of.somebody.else:9092"\nmodles = 1\n')
    write(tmp_path / ".env", "FORETICK_KAFKA=of.somebody.else:9092\n")
    monkeypatch.chdir(tmp_path)
    assert Settings().kafka == Settings.model_fields["kafka"].default
    assert settings_file().path is None


def test_the_file_that_is_named_is_read_instead_of_the_home_s(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home / "foretick.toml", "lag_seconds = 7\ngrace_ms = 1\n")
    monkeypatch.setenv("FORETICK_CONFIG", str(write(tmp_path / "other.toml", "lag_seconds = 8\n")))
    assert (Settings().lag_seconds, Settings().grace_ms) == (8, 2_000)


def test_a_named_file_may_name_the_home_and_what_up_wrote_is_looked_for_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORETICK_HOME")
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / ADDRESSES).write_text(json.dumps({"api_port": 99}))
    monkeypatch.setenv("FORETICK_CONFIG", str(write(tmp_path / "x.toml", f'home = "{tmp_path}/there"\n')))
    assert (Settings().home, Settings().api_port) == (tmp_path / "there", 99)


def test_a_path_may_begin_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "own.toml", 'kafka_ca = "~/ca.pem"\n')
    monkeypatch.setenv("FORETICK_CONFIG", "~/own.toml")
    assert Settings().kafka_ca == tmp_path / "ca.pem"


def test_another_kafka_of_the_file_is_not_told_the_password_of_ours(home: Path) -> None:
    written = {"kafka": "127.0.0.1:1", "kafka_user": "foretick", "kafka_password": "x", "kafka_security": "SASL_SSL"}
    (home / ADDRESSES).write_text(json.dumps(written))
    write(home / "foretick.toml", 'kafka = "other:9092"\n')
    assert Settings().broker.client() == {"bootstrap_servers": "other:9092", "security_protocol": "PLAINTEXT"}
    assert is_chosen("kafka")
    assert not is_chosen("redis_url")
    assert origins(Settings())["kafka_user"].kind == "default"


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ('universe = "BTCUSDT:2,eth/usdt"', {"BTCUSDT": 2.0, "ETHUSDT": 1.0}),
        ('universe = ["BTCUSDT:2", "ETHUSDT"]', {"BTCUSDT": 2.0, "ETHUSDT": 1.0}),
        ('[universe]\nBTCUSDT = 2\n"eth/usdt" = 0.5', {"BTCUSDT": 2.0, "ETHUSDT": 0.5}),
        ("universe = {}", {}),
    ],
)
def test_a_universe_is_a_table_a_list_or_a_text(home: Path, text: str, weights: dict[str, float]) -> None:
    write(home / "foretick.toml", text)
    assert Settings().universe == weights


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\nmodles = 1", "line 2: there is no setting 'modles': the nearest is 'models'"),
        ("Models = 1", "line 1: there is no setting 'Models': the nearest is 'models'"),
        ("FORETICK_MODELS = 1", "line 1: there is no setting 'FORETICK_MODELS': the nearest is 'models'"),
        ("[nothing]\nx = 1", "line 1: there is no setting 'nothing': foretick config show lists them"),
        ("grace_ms = 1\n[kafka]\nuser = 'me'", "line 2: kafka is no table: write kafka_user = …"),
        ("kafka.user = 'me'", "line 1: kafka is no table: write kafka_user = …"),
        ("restarted_at = [1.0]", "line 1: restarted_at is set by the supervisor for one process"),
        ("config = '/x'", "line 1: config names the file itself: set FORETICK_CONFIG"),
        ("home = '/x'", "line 1: home cannot be set in the home's own file: set FORETICK_HOME, or name this file by"),
        ("kafka_ca = 'ca.pem'", "line 1: kafka_ca is a path: in the file it begins with / or ~, as each process has"),
        ("# a\n'dashboard_port' = 99999", "line 2: dashboard_port: Input should be less than or equal to 65535"),
        ("log_format = 'jsn'", "line 1: log_format: Input should be 'text' or 'json'"),
        ("models = 5", "line 1: models: must be a list of texts, or one text with commas"),
        ("models = [5]", "line 1: models: must be a list of texts, or one text with commas"),
        ("bars = ['5m']", "line 1: bars: '5m' is an interval of time: FORETICK_INTERVAL names"),
        ("universe = ['BTC']", "line 1: universe: a market needs two symbols: BTCUSDT,ETHUSDT"),
        ("[universe]\nBTC = 1\nETH = 0", "line 1: universe: the weight of ETH = 0 is no number above 0"),
        ("[universe]\nBTC = 1\nETH = true", "line 1: universe: the weight of ETH = True is no number above 0"),
        ("kafka = 2025-06-01", "line 1: kafka: Input should be a valid string"),
        (
            'venue_url = """\nlag_seconds = 5\n"""\nlag_seconds = 0.5',
            "line 4: lag_seconds: Input should be greater than or equal to 1",
        ),
    ],
)
def test_a_fault_is_told_with_its_line(home: Path, text: str, line: str) -> None:
    (told,) = faults(home / "foretick.toml", text)
    assert told.startswith(line)


def test_all_faults_are_told_at_once_those_of_the_environment_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETICK_MODLES", "hunter2")
    monkeypatch.setenv("FORETICK_GRACE_MS", "hunter3")
    told = faults(home / "foretick.toml", "kafka_pasword = 'hunter4'\nlag_seconds = 'hunter5'\napi_rate = 0\n")
    assert [line.partition(":")[0] for line in told] == [
        "there is no setting 'FORETICK_MODLES'",
        "line 1",
        "line 3",
        "line 2",
        "FORETICK_GRACE_MS",
    ]
    assert "hunter" not in " ".join(told)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"x = [\n", "Invalid value"),
        (b"a = 1\na = 2\n", "Cannot overwrite a value (at line 2"),
        (b"models = 'r\xff'", "can't decode byte 0xff"),
    ],
)
def test_what_is_no_toml_is_told_in_one_line_with_the_file(home: Path, content: bytes, text: str) -> None:
    (home / "foretick.toml").write_bytes(content)
    with pytest.raises(ConfigFileError) as raised:
        Settings()
    assert str(raised.value).startswith(f"{home / 'foretick.toml'}: ")
    assert text in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["absent.toml", "."])
def test_a_named_file_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("FORETICK_CONFIG", str(tmp_path / name))
    with pytest.raises(ConfigFileError, match=r"^FORETICK_CONFIG: .* is no file$"):
        Settings()


def test_a_named_file_is_the_same_for_a_process_in_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "x.toml", "lag_seconds = 8\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORETICK_CONFIG", "x.toml")
    make_absolute(os.environ)
    monkeypatch.chdir("/")
    assert Settings().lag_seconds == 8


def test_a_fault_is_labelled_by_where_the_value_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(home / "foretick.toml", "\nmodels = 'ridge'\n")
    assert (label("models"), label("features")) == (f"{path} line 2: models", "FORETICK_FEATURES")
    monkeypatch.setenv("foretick_models", "har")
    assert label("models") == "FORETICK_MODELS"
    assert origins(Settings())["models"].place == "foretick_models"
