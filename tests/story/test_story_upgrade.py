"""An earlier version is stopped in mid-stream, and this one goes on with its Kafka, tables, models and rules."""

import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from default_stack import Stack
from stored_market import SAMPLE_BARS, SYMBOLS, everything_is_stored

from settings import ROOT

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(2400)]

EARLIER = "71dfbc26b3a795b522340f45d86e43988e0fbd4c"
"""A commit of 2026-11-29, by its pyproject.toml version 0.1.0 as well: none has been released."""
SETTINGS = {"FORETICK_SAMPLE_PACE": "max", "FORETICK_RETRAIN_CRON": "never", "FORETICK_RETRAIN_ON_DRIFT": "false"}
SETTINGS["FORETICK_ALERTS_ALLOW_PRIVATE"] = "true"
EACH = len(SYMBOLS) * SAMPLE_BARS
FORECASTS = (
    "SELECT symbol, time, horizon, model, version, mean, q05, q95, p_up, price FROM predictions ORDER BY 1, 2, 3, 4"
)


@pytest.fixture
def earlier() -> Iterator[Stack]:
    """The earlier version in a checkout of its own, with a home that is not there yet."""
    folder = Path(tempfile.mkdtemp(prefix="foretick-upgrade-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
    tree = subprocess.run(["git", "archive", EARLIER], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(tree)) as archive:
        archive.extractall(folder / "earlier", filter="data")
    stack = Stack(folder / "home", SETTINGS, checkout=folder / "earlier")
    yield stack
    Stack(stack.home, SETTINGS).run("down")
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def test_a_running_stream_is_upgraded(earlier: Stack) -> None:
    began = earlier.run("up", "--detach")
    assert began.returncode == 0, f"{began.stdout}{began.stderr}"
    rule = earlier.run("alerts", "add", "rises", "--on", "prediction", "--when", "p_up above 0.9")
    assert rule.returncode == 0, rule.stderr
    assert earlier.run("alerts", "subscribe", "me", "--webhook", "http://127.0.0.1:9/hook").returncode == 0
    said = earlier.until("there are forecasts", lambda: earlier.sql(f"{FORECASTS} LIMIT 1000"), 300)
    ((stored,),) = earlier.sql("SELECT count(*) FROM predictions")
    assert earlier.run("down").returncode == 0
    assert stored < 12 * EACH, "it was to be stopped in mid-stream"

    now = Stack(earlier.home, SETTINGS)
    done = now.run("up", "--detach")
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    now.until("all is stored", lambda: everything_is_stored(now, SAMPLE_BARS), 600)
    later = {row[:5]: row[5:] for row in now.sql(FORECASTS)}
    assert all(later[row[:5]] == row[5:] for row in said), "a forecast that was stored is another"
    assert now.sql("SELECT count(*) FROM dead_letters") == [(0,)]
    assert "rises" in now.run("alerts", "list").stdout
    result = now.foretick("status")
    assert all(one["good"] for one in result["components"].values()), now.said()
