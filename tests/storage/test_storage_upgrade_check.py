"""`foretick upgrade --check` tells what the next start will do, and what this version cannot go on with."""

import json
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from features.definition import DEFAULT
from models.registry import model_registry
from storage.schema import schema_state
from storage.timescale import MIGRATIONS, migrate

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("home")]

NAMES = sorted(path.stem for path in MIGRATIONS.glob("[0-9]*.sql"))


@pytest.fixture
def home(tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FORETICK_HOME", str(tmp_path))
    monkeypatch.setenv("FORETICK_DATABASE_URL", empty_database)
    return tmp_path


def check(*words: str) -> Result:
    return CliRunner().invoke(app, ["upgrade", "--check", *words])


def found(name: str) -> dict[str, str | None]:
    return next(one for one in json.loads(check("--json").stdout) if one["name"] == name)


def trained(home: Path, fingerprint: str = DEFAULT.fingerprint) -> None:
    """Put the naive model into service, fitted on features of that definition."""
    model = model_registry.classes(["naive"])["naive"](DEFAULT.names)
    model.fingerprint = fingerprint
    model_registry.store(home / "models", model)
    DEFAULT.save(home / "models")
    model_registry.serve(home / "models", {"naive": model.version})


def test_where_nothing_is_there_yet_all_is_made_at_the_next_start() -> None:
    assert (found("tables")["status"], found("tables")["detail"]) == ("ok", "there are none yet: `up` makes them")
    assert found("models")["detail"] == "there are none yet: `up` trains them on the sample"
    assert check().exit_code == 0


def test_tables_and_models_of_this_version_are_fine_and_stay_as_they_are(home: Path, empty_database: str) -> None:
    migrate(empty_database)
    trained(home)
    before = schema_state(empty_database)
    assert found("tables")["detail"] == f"those of this version, {len(NAMES)} migrations"
    assert found("models") == {
        "name": "models",
        "status": "ok",
        "detail": "the 1 in service fit: naive",
        "advice": None,
    }
    assert schema_state(empty_database) == before
    assert before.pending == before.unknown == ()


def test_migrations_to_come_are_listed_and_not_made(empty_database: str) -> None:
    migrate(empty_database, NAMES[:-2])
    tables = found("tables")
    assert tables["status"] == "warn"
    assert tables["detail"] == f"`up` migrates them: 2 of them, {NAMES[-2]} to {NAMES[-1]}"
    assert "backup" in (tables["advice"] or "")
    assert schema_state(empty_database).pending == tuple(NAMES[-2:])
    assert check().exit_code == 0


def test_tables_of_a_newer_version_are_refused(empty_database: str) -> None:
    migrate(empty_database)
    with psycopg.connect(empty_database) as connection:
        connection.execute("INSERT INTO schema_migrations (name) VALUES ('9001_from_the_future')")
    result = check()
    assert result.exit_code == 1
    assert "9001_from_the_future" in result.stdout.replace("\n", "")
    assert found("tables")["status"] == "fail"


def test_models_of_other_features_are_named_with_what_to_do(home: Path, empty_database: str) -> None:
    migrate(empty_database)
    trained(home, "of-before")
    models = found("models")
    assert models["status"] == "warn"
    assert (models["detail"] or "").startswith(
        "1 of 1 in service do not fit: model 'naive' was fitted on features of-before"
    )
    assert "foretick train FILE" in (models["advice"] or "")
    assert check().exit_code == 0


def test_an_artifact_that_was_changed_is_told(home: Path, empty_database: str) -> None:
    migrate(empty_database)
    trained(home)
    artifact = next((home / "models").glob("naive/*/model.json"))
    artifact.write_text(artifact.read_text().replace("naive", "other", 1))
    assert found("models")["status"] == "warn"


def test_a_database_that_is_away_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORETICK_DATABASE_URL", "postgresql://foretick:x@127.0.0.1:9/foretick")
    result = check()
    assert result.exit_code == 1
    assert "could not be read" in " ".join(result.stdout.split())


def test_without_check_it_says_what_makes_an_upgrade() -> None:
    result = CliRunner().invoke(app, ["upgrade"])
    assert result.exit_code != 0
    assert "`upgrade --check` checks what is here" in str(result.exception)
