"""The settings file, seen from outside: what `foretick config` says of it, and that the stack goes by it."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from stacks import environment_of, running

from settings import ADDRESSES, ROOT, Settings
from settings.shown import HIDDEN
from stack import config_copy, system
from stack.component_table import components
from stack.servers import is_external

pytestmark = pytest.mark.slow

PASSWORD = "hunter2"  # noqa: S105 - of nobody


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the environment, which sets nothing else."""
    for name in [name for name in os.environ if name.startswith("FORETICK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    return tmp_path


def typed(home: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cli.main", *words]
    fields = environment_of(home) | {"PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, cwd=home, env=fields, capture_output=True, text=True, check=False)


def write(home: Path, text: str) -> Path:
    path = home / "foretick.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_the_version_is_that_of_pyproject_and_of_the_image(home: Path) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert typed(home, "--version").stdout == f"foretick {version}\n"
    assert f"image: foretick:{version}\n" in (ROOT / "docker-compose.yml").read_text()


def test_show_is_toml_with_units_and_origins_and_without_passwords(home: Path) -> None:
    path = write(
        home,
        f'\nlag_seconds = 7\nkafka_password = "{PASSWORD}"\nvenue_url = "http://me:{PASSWORD}@gateway"\n'
        f'database_url = "postgresql://me:{PASSWORD}@db:5432/x?password={PASSWORD}"\n',
    )
    (home / ADDRESSES).write_text(json.dumps({"redis_url": f"redis://default:{PASSWORD}@127.0.0.1:1/0"}))
    done = typed(home, "config", "show", FORETICK_GRACE_MS="5", FORETICK_MLFLOW_URI=f"http://{PASSWORD}@there")
    assert (done.returncode, done.stderr) == (0, "")
    assert PASSWORD not in done.stdout
    first, *lines = done.stdout.splitlines()
    assert first == f"# settings file: {path}"
    said = {line.split()[0]: line for line in lines if not line.startswith("#")}
    assert said["lag_seconds"].split() == ["lag_seconds", "=", "7.0", "#", "seconds;", "line", "2"]
    assert said["grace_ms"].endswith("# milliseconds; FORETICK_GRACE_MS")
    assert said["redis_url"].split(maxsplit=2)[2] == f'"redis://***@127.0.0.1:1/0"   # up ({ADDRESSES})'
    assert said["database_url"].endswith('"postgresql://***@db:5432/x?***"  # line 5')
    assert said["promote"].endswith("# default")
    values = tomllib.loads(done.stdout)
    assert values["kafka_password"] == HIDDEN
    assert {name for name in Settings.model_fields if name not in values} == {
        *("config", "kafka_open_port", "kafka_security", "kafka_ca", "metrics_port"),
    }


def test_show_as_json_has_every_setting(home: Path) -> None:
    path = write(home, f'kafka_password = "{PASSWORD}"\nlag_seconds = 7\n')
    done = typed(home, "config", "show", "--json")
    rows = {row["setting"]: row for row in json.loads(done.stdout)}
    assert list(rows) == list(Settings.model_fields)
    assert PASSWORD not in done.stdout
    assert rows["lag_seconds"] == {
        "setting": "lag_seconds",
        "value": 7.0,
        "unit": "seconds",
        "from": "file",
        "place": str(path),
        "line": 2,
    }


def test_check_tells_each_fault_in_a_line(home: Path) -> None:
    path = write(home, 'modles = "ridge"\nmodels = "rigde"\ngrace_ms = -1\n')
    done = typed(home, "config", "check", FORETICK_BRAS="x")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        "there is no setting 'FORETICK_BRAS': the nearest is 'FORETICK_BARS'",
        f"{path} line 1: there is no setting 'modles': the nearest is 'models'",
        f"{path} line 3: grace_ms: Input should be greater than or equal to 0",
    ]
    write(home, 'models = "rigde"\n\ntimeframes = "90s"\nfeatures = "rsi_15"\n')
    assert typed(home, "config", "check").stdout.splitlines() == [
        f"{path} line 1: models: there is no model 'rigde': the nearest is 'ridge'",
        f"{path} line 3: timeframes: timeframe 90s is no multiple of the bars' 1m",
        f"{path} line 4: features: there is no feature 'rsi_15': the nearest is 'rsi_14'",
    ]
    assert json.loads(typed(home, "config", "check", "--json").stdout)["faults"][0].startswith(str(path))


def test_check_says_what_holds_and_that_others_can_read_a_password(home: Path) -> None:
    home.chmod(0o755)
    path = write(home, f'kafka_password = "{PASSWORD}"\nmodels = ["ridge"]\n')
    done = typed(home, "config", "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "no fault; 2 settings in the file, 1 in variables",
        f"settings file: {path}",
    ]
    path.chmod(0o644)
    note = f"note: {path} holds kafka_password, and other users may read it: chmod 600 {path}"
    assert typed(home, "config", "check").stdout.splitlines()[0] == note
    home.chmod(0o700)
    assert "note" not in typed(home, "config", "check").stdout


@pytest.mark.parametrize("words", [("status",), ("up", "--detach"), ("config", "show")])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("modles = 1", " line 1: there is no setting 'modles': the nearest is 'models'"),
        ("\nmodels = 'ridge'\nlag_seconds = 0", " line 3: lag_seconds: Input should be greater than or equal to 1"),
        ("x = [", ": Invalid value (at end of document)"),
    ],
)
def test_each_command_refuses_a_faulty_file_in_one_line(home: Path, words: tuple[str, ...], text: str, line: str):
    path = write(home, text)
    done = typed(home, *words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"foretick: {path}{line}\n")
    assert list(home.iterdir()) == [path]


def test_the_schema_is_printed_whatever_the_file_says(home: Path) -> None:
    write(home, "x = [")
    made = json.loads(typed(home, "config", "schema").stdout)
    assert made["properties"]["lag_seconds"]["x-unit"] == "seconds"
    assert made["additionalProperties"] is False


def test_the_stack_uses_the_servers_and_ports_that_the_file_names(home: Path) -> None:
    write(home, 'redis_url = "redis://there:1/0"\nkafka = "there:2"\nkafka_user = "me"\ndashboard_port = 5017\n')
    settings = Settings()
    table = {component.name: component for component in components(settings)}
    assert [name for name in ("kafka", "postgres", "redis", "mlflow") if table[name].launch is None] == [
        "kafka",
        "redis",
    ]
    assert [name for name in ("kafka", "postgres", "redis", "mlflow") if is_external(name)] == ["kafka", "redis"]
    assert table["dashboard"].address == "http://127.0.0.1:5017"
    written = json.loads((home / ADDRESSES).read_text())
    assert (written["kafka"], written["kafka_user"], written["dashboard_port"]) == ("there:2", "me", 5017)


def test_every_component_reads_the_file_as_it_was_at_the_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(home, "lag_seconds = 7\n")
    table = components(Settings())
    ours = [component for component in table if component.name not in ("kafka", "postgres", "redis")]
    assert len(ours) > 8
    assert {component.environment.get("FORETICK_CONFIG") for component in ours} == {str(home / config_copy.COPY)}
    assert (home / config_copy.COPY).stat().st_mode & 0o777 == 0o600
    assert not config_copy.is_outdated(Settings())
    path.write_text("lag_seconds = [\n")
    for name, value in ours[-1].environment.items():
        monkeypatch.setenv(name, value)
    assert Settings().lag_seconds == 7


def test_a_file_that_is_made_later_is_not_read_by_a_component(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = {component.name: component for component in components(Settings())}
    write(home, "lag_seconds = 7\n")
    assert config_copy.is_outdated(Settings())
    monkeypatch.setenv("FORETICK_CONFIG", table["mlflow"].environment["FORETICK_CONFIG"])
    assert Settings().lag_seconds == 600


def test_a_server_that_the_file_names_is_not_installed(home: Path) -> None:
    assert system.named_servers() == set()
    write(home, 'redis_url = "redis://there"\n')
    assert system.named_servers() == {"redis_url"}
    write(home, "x = [")
    assert system.named_servers() == set()


@pytest.mark.services
def test_check_says_that_the_running_stack_has_another_file(home: Path) -> None:
    write(home, "lag_seconds = 7\n")
    with running(("redis",), home=home):
        assert "note" not in typed(home, "config", "check").stdout
        write(home, "lag_seconds = 8\n")
        assert typed(home, "config", "check").stdout.splitlines()[0] == (
            "note: the running stack was started with other settings in the file: foretick down, then foretick up"
        )
