"""A secret setting may be in a file of its own: what counts before it, and how a fault in it is told."""

import json
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from settings import ADDRESSES, Settings
from settings.origins import is_chosen, lines, origins
from settings.secret_files import secrets

SECRET = tuple(secrets(Settings.model_fields))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the environment, which sets nothing else."""
    for name in [name for name in os.environ if name.upper().startswith("FORETICK_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("FORETICK_HOME", str(folder))
    return folder


def test_each_password_and_each_address_with_one_is_secret() -> None:
    assert sorted(SECRET) == ["database_url", "kafka_password", "mlflow_uri", "redis_url"]


@pytest.mark.parametrize("name", SECRET)
def test_a_secret_is_the_text_of_its_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    monkeypatch.setenv(f"FORETICK_{name.upper()}_FILE", str(tmp_path / "secret"))
    settings = Settings()
    assert getattr(settings, name).get_secret_value() == "hunter2"
    assert str(origins(settings)[name]) == f"FORETICK_{name.upper()}_FILE"
    assert is_chosen(name)
    assert "hunter2" not in repr(settings)


def test_the_variable_counts_before_its_file_and_the_file_before_the_settings_file_and_up(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ADDRESSES).write_text(json.dumps(dict.fromkeys(SECRET, "up")))
    (home / "foretick.toml").write_text("".join(f'{name} = "toml"\n' for name in SECRET if name != "mlflow_uri"))
    (tmp_path / "secret").write_text("file")
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(f"FORETICK_{name}_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("FORETICK_DATABASE_URL", "variable")
    settings = Settings()
    assert {name: getattr(settings, name).get_secret_value() for name in SECRET} == {
        "database_url": "variable",
        "redis_url": "file",
        "kafka_password": "toml",
        "mlflow_uri": "up",
    }
    assert str(origins(settings)["database_url"]) == "FORETICK_DATABASE_URL"


def test_a_variable_that_names_no_file_is_empty_and_sets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETICK_REDIS_URL_FILE", "")
    assert Settings().redis_url == Settings.model_fields["redis_url"].default


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("{}/absent", "{}/absent: No such file or directory"),
        ("{}", "{}: Is a directory"),
        ("{}/empty", "{}/empty is empty"),
        ("{}/bytes", "{}/bytes is no UTF-8 text"),
        ("empty", "empty is to begin with / or ~, as each process has another current folder"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_line(
    path: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"hunter2\xff")
    monkeypatch.setenv("FORETICK_REDIS_URL_FILE", path.format(tmp_path))
    with pytest.raises(ValidationError) as raised:
        Settings()
    assert lines(raised.value) == [f"FORETICK_REDIS_URL_FILE: {text.format(tmp_path)}"]


def test_a_setting_that_is_no_secret_has_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "port").write_text("1")
    monkeypatch.setenv("FORETICK_API_PORT_FILE", str(tmp_path / "port"))
    with pytest.raises(ValidationError, match="there is no setting 'FORETICK_API_PORT_FILE'"):
        Settings()
