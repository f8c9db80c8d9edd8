"""A variable that is no setting is told, with the nearest; those that others set are let be."""

import re

import pytest
from pydantic import ValidationError

from settings import ROOT, Settings
from settings.secret_files import names
from settings.unknown_variables import unknown_variables

NAMES = tuple(names(Settings.model_fields))


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("FORETICK_MODLES", "there is no setting 'FORETICK_MODLES': the nearest is 'FORETICK_MODELS'"),
        ("foretick_modles", "there is no setting 'FORETICK_MODLES': the nearest is 'FORETICK_MODELS'"),
        (
            "FORETICK_KAFKA_PASWORD",
            "there is no setting 'FORETICK_KAFKA_PASWORD': the nearest is 'FORETICK_KAFKA_PASSWORD'",
        ),
        (
            "FORETICK_DASBOARD_PORT",
            "there is no setting 'FORETICK_DASBOARD_PORT': the nearest is 'FORETICK_DASHBOARD_PORT'",
        ),
        (  # Faust would take it
            "FORETICK_PROCESSING_GUARANTEE",
            "there is no setting 'FORETICK_PROCESSING_GUARANTEE': foretick config show lists them",
        ),
        ("FORETICK_TOKN", "there is no setting 'FORETICK_TOKN': the nearest is 'FORETICK_TOKEN'"),
        ("FORETICK_XYZ", "there is no setting 'FORETICK_XYZ': foretick config show lists them"),
    ],
)
def test_an_unknown_variable_is_told_with_the_nearest_known_one(variable: str, text: str) -> None:
    assert list(unknown_variables({"HOME": "/", variable: "secret"}, NAMES)) == [text]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        *(("FORETICK_" + name.upper(), "x") for name in NAMES),
        ("foretick_models", "ridge"),
        ("FORETICK_MODLES", ""),
        ("FORETICK_TOKEN", "x"),
        ("FORETICK_TEST_RESTARTS", "30"),
        ("FORETICK_CHAOS_CLOCK_FILE", "clock"),
        ("FORETICK_SERVICE_HOST", "10.0.0.1"),
        ("FORETICK_SERVICE_PORT", "8010"),
        ("FORETICK_API_SERVICE_PORT_HTTP", "8010"),
        ("FORETICK_PORT", "tcp://10.0.0.1:8010"),
        ("FORETICK_PORT_8010_TCP_ADDR", "10.0.0.1"),
        ("FORETICKER", "x"),
    ],
)
def test_known_settings_and_variables_of_other_programs_are_ignored(variable: str, value: str) -> None:
    assert list(unknown_variables({variable: value}, NAMES)) == []


def test_what_the_project_itself_sets_is_known() -> None:
    """The start script, the images, the chaos suite, the tests and the client."""
    files = [ROOT / "foretick", ROOT / "docker-compose.yml", *(ROOT / "docker").glob("Dockerfile")]
    files += [path for room in ("bench", "stack", "foretick_client") for path in (ROOT / room).rglob("*.py")]
    files += [*(ROOT / "bench").rglob("*.c")]
    named = {name for path in files for name in re.findall(r"\bFORETICK_[A-Z_]*[A-Z]\b", path.read_text())}
    assert len(named) > 30
    assert [name for name in sorted(named) if list(unknown_variables({name: "x"}, NAMES))] == []


def test_each_of_several_is_told() -> None:
    told = list(unknown_variables({"FORETICK_MODLES": "x", "FORETICK_BRAS": "x"}, NAMES))
    assert [text.partition(":")[0] for text in told] == [
        "there is no setting 'FORETICK_BRAS'",
        "there is no setting 'FORETICK_MODLES'",
    ]


def test_settings_refuse_an_unknown_variable_without_telling_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETICK_KAFKA_PASSWORD", "hunter2")
    monkeypatch.setenv("FORETICK_MODLES", "hunter3")
    with pytest.raises(ValidationError) as raised:
        Settings()
    assert "the nearest is 'FORETICK_MODELS'" in str(raised.value)
    assert "hunter" not in str(raised.value)
