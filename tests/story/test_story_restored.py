"""A small stack is backed up and restored into an empty home: the same rows and files, and `up` goes on from there."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from default_stack import Stack, up
from table_contents import contents

from settings import ROOT
from stack.backup.database import running

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1800)]

SETTINGS = {"FORETICK_SAMPLE_PACE": "max", "FORETICK_SAMPLE_RUN": "false", "FORETICK_MODELS": "ridge"}
SETTINGS["FORETICK_ALERTS_ALLOW_PRIVATE"] = "true"
DECISIONS = "SELECT model, number, action, champion FROM model_deployments ORDER BY 1, 2"
LATER = str(ROOT / "sample" / "BTCUSDT-1m.csv.gz")
KAFKA_DECIDES = {"public.alert_offsets", "public.dead_letters", "public.dead_letter_resends"}


@pytest.fixture
def restored() -> Iterator[Stack]:
    """A home that is not there yet."""
    folder = Path(tempfile.mkdtemp(prefix="foretick-restored-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
    stack = Stack(folder / "home", SETTINGS)
    yield stack
    stack.run("down")
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def files(home: Path) -> dict[str, str]:
    """Return a hash of each file that was trained, logged or is a secret."""
    paths = [
        *home.glob("models/**/*"),
        *home.glob("mlflow-artifacts/**/*"),
        home / "alerts.secrets",
        home / "tokens.json",
    ]
    return {
        path.relative_to(home).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.is_file() and path.suffix != ".lock"
    }


def tables(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, str]]:
    """Return what the database of a home holds, whose stack does not run."""
    monkeypatch.setenv("FORETICK_HOME", str(home))
    with running(home) as url:
        return {name: what for name, what in contents(url).items() if name not in KAFKA_DECIDES}


def _stored(stack: Stack) -> bool:
    status = json.loads(stack.run("status", "--json").stdout)
    return bool(status["steps"]["sample"]["state"] == "done" and not any(status["lag"].values()))


def test_a_restored_stack_has_what_was_backed_up_and_goes_on(
    restored: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with up(SETTINGS) as stack:
        stack.until("all is stored", lambda: _stored(stack), 180)
        rule = ("alerts", "add", "up", "--on", "prediction", "--when", "p_up above 0.9")
        assert stack.run(*rule).returncode == 0
        assert stack.run("alerts", "subscribe", "me", "--webhook", "http://127.0.0.1:9/hook").returncode == 0
        decisions = stack.sql(DECISIONS)
        assert stack.run("down").returncode == 0
        backup, secrets = str(tmp_path / "backup.zip"), str(tmp_path / "secrets.zip")
        made = stack.run("backup", backup, "--secrets", secrets)
        assert made.returncode == 0, made.stderr
        before, kept = tables(stack.home, monkeypatch), files(stack.home)
    assert before["public.prediction_rows"][0] > 1_000
    done = restored.run("restore", backup, "--secrets", secrets)
    assert done.returncode == 0, done.stderr
    assert tables(restored.home, monkeypatch) == before
    assert files(restored.home) == kept
    again = restored.run("restore", backup)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert restored.run("up", "--detach", "--no-sample").returncode == 0
    assert restored.sql(DECISIONS) == decisions  # the same versions serve, and none was put into service anew
    ((rows,),) = restored.sql("SELECT count(*) FROM predictions")
    restored.sql("DELETE FROM prediction_rows WHERE time > '2025-06-03' RETURNING 1")
    sent = restored.run("replay", LATER, "--from", "2025-06-02", "--no-retrain")
    assert sent.returncode == 0, sent.stderr
    champion = {model: version for model, _, _, version in decisions}["ridge"]
    query = "SELECT count(*) FROM predictions WHERE time > '2025-06-03' AND symbol = 'BTCUSDT' AND version = %s"
    restored.until("forecasts go on", lambda: restored.sql(query, champion)[0][0] > 100, 120)
    assert rows > 1_000
    assert "up" in restored.run("alerts", "list").stdout
