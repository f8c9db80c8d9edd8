"""The page of the settings, their schema, and their units."""

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pydantic import ValidationError

from settings import ROOT, Settings
from settings.config_file import OF_PROCESSES
from settings.page import SECTIONS, page
from settings.schema import schema
from settings.units import unit

PAGE = ROOT / "docs" / "settings.md"
MADE = schema()


def test_the_page_is_the_one_that_the_settings_make() -> None:
    assert PAGE.read_text() == page(), "write it anew: .venv/bin/python -m settings.page > docs/settings.md"


def test_each_setting_is_on_the_page_once_with_what_it_is() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `FORETICK_")]
    for name, field in Settings.model_fields.items():
        (row,) = [line for line in rows if line.startswith(f"| `FORETICK_{name.upper()}` |")]
        assert len(field.description or "") > 10
        assert f"| `{name}` |" in row or name in OF_PROCESSES
    assert sum(map(len, SECTIONS.values())) == len(Settings.model_fields)


def test_each_amount_has_a_unit() -> None:
    kinds = {name: str(field.annotation) for name, field in Settings.model_fields.items()}
    amounts = [name for name, kind in kinds.items() if re.search("int|float", kind) and not re.search("_ports?$", name)]
    assert [name for name in amounts if not unit(Settings.model_fields[name])] == ["universe"]
    assert unit(Settings.model_fields["kafka"]) == ""


def test_the_example_of_the_page_is_valid(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(), flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "foretick.toml").write_text(text)
    settings = Settings(home=tmp_path)
    assert settings.models == ("ridge", "lightgbm", "har")
    assert (settings.universe, settings.dashboard_port) == ({"BTCUSDT": 2.0, "ETHUSDT": 1.0}, 5016)
    assert problems(tomllib.loads(text)) == []


def problems(document: dict[str, Any]) -> list[str]:
    return [error.message for error in jsonschema_rs.Draft202012Validator(MADE).iter_errors(document)]


@pytest.mark.parametrize(
    ("document", "valid"),
    [
        ({}, True),
        ({"bars": ["tick-500"], "timeframes": "5m,15m", "universe": {"BTC": 1, "ETH": 0.5}}, True),
        ({"kafka_security": "SASL_SSL", "kafka_password": "x", "kafka_ca": "/etc/ca.pem"}, True),
        ({"kafka_security": "TLS"}, False),
        ({"modles": "ridge"}, False),
        ({"dashboard_port": 99_999}, False),
        ({"lag_seconds": 0.5}, False),
        ({"promote": "perhaps"}, False),
        ({"universe": {"BTC": 0, "ETH": 1}}, False),
        *(({name: 1}, False) for name in OF_PROCESSES),
    ],
)
def test_the_schema_agrees_with_what_is_read(
    tmp_path: Path, document: dict[str, Any], valid: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("FORETICK_")]:
        monkeypatch.delenv(name)
    lines = [f"{name} = {toml_of(value)}\n" for name, value in document.items()]
    (tmp_path / "foretick.toml").write_text("".join(lines))
    assert (problems(document) == []) is valid
    try:
        Settings(home=tmp_path)
        read = True
    except ValidationError:
        read = False
    assert read is valid


def toml_of(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {toml_of(one)}' for key, one in value.items())}}}"
    return json.dumps(value)


def test_the_schema_holds_no_folder_of_this_machine_and_all_defaults_are_valid() -> None:
    assert str(ROOT) not in json.dumps(MADE)
    assert str(ROOT) not in PAGE.read_text()
    assert problems({name: value["default"] for name, value in MADE["properties"].items() if "default" in value}) == []
    jsonschema_rs.meta.validate(MADE)
