"""The trainer process: killed in mid-training it goes on with the same run; of two, one does a run, and once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from learning_bars import DAY, FIRST
from pipelines import MODELS, deployments, persisted, steps, train
from stacks import Servers, environment_of, kafka_environment

from learning.deployment.announce import announce
from learning.runs.lease import MOST_ATTEMPTS
from learning.runs.queue import Runs
from learning.runs.records import Options, PipelineRun
from learning.trainer import NICE
from settings import ROOT, Settings

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(3_000)]
PATIENCE_S = 900.0
"""A bound for what takes seconds on an idle machine."""
Trainer = "subprocess.Popen[bytes]"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "models"
    train(folder)
    return folder


@pytest.fixture
def settings(servers: Servers, tmp_path: Path, trained: Path) -> Iterator[Settings]:
    with persisted(servers, tmp_path, trained) as result:
        announce(result)
        yield result


@contextmanager
def trainer(settings: Settings, **changed: str) -> Iterator[Trainer]:
    """Run the trainer as a process of its own."""
    environment = {
        **environment_of(settings.home),
        **kafka_environment(settings),
        "FORETICK_DATABASE_URL": settings.database_url.get_secret_value(),
        "FORETICK_MLFLOW_URI": settings.mlflow_uri.get_secret_value(),
        "FORETICK_RETRAIN_CRON": "never",
        **changed,
    }
    log = settings.home / "trainer.log"
    with log.open("a") as file:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "learning.trainer"], cwd=ROOT, env=environment, stdout=file, stderr=file
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(condition: Callable[[], bool], settings: Settings, *processes: Trainer) -> None:
    """Wait for a condition while the processes live."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        text = (settings.home / "trainer.log").read_text()[-2_000:]
        assert time.monotonic() < end, text
        assert all(process.poll() is None for process in processes), text
        time.sleep(0.02)


def the_run(settings: Settings, state: str, at_all: int = 1) -> PipelineRun | None:
    """Return the newest run where it is in that state, and no more are there."""
    runs = Runs(settings.database_url.get_secret_value()).listed()
    assert len(runs) <= at_all
    return runs[0] if runs and runs[0].state == state else None


def training(settings: Settings, run_id: str, attempts: int = 1) -> bool:
    """Return whether gbm is being trained, after the others have been."""
    step = steps(settings, run_id).get(("train", "gbm"))
    return step is not None and step.state == "running" and step.attempts == attempts


def test_killed_in_mid_training_it_goes_on_with_the_run_and_fits_no_finished_model_again(settings: Settings) -> None:
    run_id = Runs(settings.database_url.get_secret_value()).request("by hand", "user", FIRST + 8 * DAY)
    assert run_id is not None
    with trainer(settings) as first:
        until(lambda: training(settings, run_id), settings, first)
        process = psutil.Process(first.pid)
        assert process.nice() == NICE
        assert process.rlimit(psutil.RLIMIT_DATA)[0] == settings.trainer_memory_mb * 2**20
        first.send_signal(signal.SIGTERM)
        assert first.wait(PATIENCE_S) == 128 + signal.SIGTERM
    assert steps(settings, run_id)["train", "gbm"].state == "stopped"
    before = steps(settings, run_id)

    with trainer(settings) as second:
        until(lambda: training(settings, run_id), settings, second)
        os.kill(second.pid, signal.SIGKILL)
        second.wait()
    assert the_run(settings, "running") is not None

    with trainer(settings) as third:
        until(lambda: the_run(settings, "done") is not None, settings, third)
    after = steps(settings, run_id)
    for model in ("naive", "ridge"):
        assert after["train", model] == before["train", model]
    assert (after["train", "gbm"].state, after["train", "gbm"].attempts) == ("done", 2)
    assert [row[0] for row in deployments(settings) if row[4] == "pipeline"] == list(MODELS)


@pytest.fixture
def only_naive(servers: Servers, tmp_path: Path, trained: Path) -> Iterator[Settings]:
    """A run long ago, and a model that is trained in no time: what matters here is who trains, and when."""
    with persisted(servers, tmp_path, trained, ("naive",)) as result:
        announce(result)
        with Runs(result.database_url.get_secret_value()).begun("long ago", "test", FIRST, Options()) as lease:
            lease.finish()
        yield result


@pytest.mark.long
def test_of_two_trainers_one_does_what_is_due_and_does_it_once(only_naive: Settings) -> None:
    settings, daily = only_naive, {"FORETICK_RETRAIN_CRON": "0 3 * * *"}
    runs = Runs(settings.database_url.get_secret_value())
    with trainer(settings, **daily) as one, trainer(settings, **daily) as other:
        until(lambda: [run.state for run in runs.listed()] == ["done", "done"], settings, one, other)
        time.sleep(1.0)  # for the other to take what is not there to be taken
    newest = the_run(settings, "done", 2)
    assert newest is not None
    assert (newest.requested_by, newest.why) == ("cron", "0 3 * * *: 2025-05-05 03:00 has passed")
    values = steps(settings, newest.run_id)
    assert {step.attempts for step in values.values()} == {1}
    assert [row[0] for row in deployments(settings) if row[4] == "pipeline"] == ["naive"]


def test_drift_of_a_model_starts_a_training(only_naive: Settings) -> None:
    settings, runs = only_naive, Runs(only_naive.database_url.get_secret_value())
    with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as connection:
        connection.execute(
            'INSERT INTO drift (model, version, kind, detector, time, statistic, "limit", interval, detail) '
            "VALUES ('naive', 'v1', 'errors', 'adwin', to_timestamp(%s), 3, 2, '1m', '')",
            (FIRST / 1_000 + 86_400,),
        )
    with trainer(settings) as one:
        until(lambda: len(runs.listed()) == 2, settings, one)
    newest = runs.listed()[0]
    assert (newest.requested_by, newest.why) == ("drift", "errors of naive v1: adwin 3 beyond 2 at 2025-05-05 15:33")


def test_memory_that_is_too_small_is_told_in_one_line_and_the_run_is_given_up(settings: Settings) -> None:
    runs = Runs(settings.database_url.get_secret_value())
    run_id = runs.request("by hand", "user", FIRST + 8 * DAY)
    assert run_id is not None
    for _ in range(MOST_ATTEMPTS + 1):  # OpenBLAS ends the process, and the supervisor starts it again
        with trainer(settings, FORETICK_TRAINER_MEMORY_MB="512") as one:
            until(lambda: the_run(settings, "failed") is not None or one.poll() is not None, settings)
    run = the_run(settings, "failed")
    assert run is not None
    assert run.error is not None
    assert "needs more than FORETICK_TRAINER_MEMORY_MB, which is 512" in run.error
    failed = {step.error for step in steps(settings, run_id).values() if step.error}  # whichever needs it first
    assert failed == {"needs more than FORETICK_TRAINER_MEMORY_MB, which is 512"}
