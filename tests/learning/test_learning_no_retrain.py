"""What a replay or a training sets off can be had without: `replay --no-retrain` and `train --as-challenger`."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from learning_bars import DAY, FIRST, persist, replayed
from pipelines import deployments, persisted, train
from stacks import Servers, environment_of, kafka_environment

from learning.deployment.announce import announce
from learning.runs.queue import Runs
from learning.trainer import Trainer
from models.registry import model_registry
from settings import ROOT, Settings
from stack.sample import FILES

pytestmark = [pytest.mark.services, pytest.mark.slow]
HOUR = 3_600_000
MAY = "its bars may trigger a training, by schedule or drift; --no-retrain prevents it"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "models"
    train(folder)
    return folder


@pytest.fixture
def settings(servers: Servers, tmp_path: Path, trained: Path) -> Iterator[Settings]:
    with persisted(servers, tmp_path, trained, ("naive", "ridge")) as result:
        announce(result)
        yield result


def foretick(settings: Settings, *words: str, **fields: str) -> "subprocess.CompletedProcess[str]":
    environment: Mapping[str, str] = {
        **environment_of(settings.home),
        **kafka_environment(settings),
        "FORETICK_DATABASE_URL": settings.database_url.get_secret_value(),
        "COLUMNS": "80",
        **fields,
    }
    command = [sys.executable, "-m", "cli.main", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def runs_of(settings: Settings) -> Runs:
    return Runs(settings.database_url.get_secret_value())


@pytest.mark.parametrize("lease", [False, True])
def test_a_replay_makes_a_run_due_only_without_no_retrain(settings: Settings, lease: bool) -> None:
    """The trainer looks, a day of bars comes late, the trainer looks again: only without --no-retrain is a run due."""
    trainer, url = (
        Trainer(settings.model_copy(update={"retrain_cron": "0 3 * * *"})),
        str(settings.database_url.get_secret_value()),
    )
    assert not trainer.once()
    end = FIRST + 9 * DAY
    if lease:
        runs_of(settings).pass_over(end - 1, "1m", "replay", "no training")
    persist(url, *replayed(end))
    trainer._ask()
    queued = runs_of(settings).unfinished()
    assert [run.requested_by for run in queued] == ([] if lease else ["cron"])
    if lease:
        persist(url, *replayed(end + 2 * DAY))  # later than what was passed over: the schedule goes on from there
        trainer._ask()
        assert [run.requested_by for run in runs_of(settings).unfinished()] == ["cron"]


def test_a_replay_of_bars_before_the_newest_run_records_no_run(settings: Settings) -> None:
    runs_of(settings).pass_over(FIRST + DAY, "1m", "replay", "no training")
    assert runs_of(settings).listed() == []


@pytest.mark.long
def test_a_replay_says_what_it_may_set_off_and_can_be_told_not_to(settings: Settings) -> None:
    bounds = ("--from", "2025-05-20T00:00", "--to", "2025-05-20T01:00", "--json")
    first = foretick(settings, "replay", str(FILES[0]), *bounds)
    assert (first.returncode, json.loads(first.stdout)["sent"]) == (0, 60), first.stderr
    assert MAY in first.stderr
    assert runs_of(settings).listed() == []
    second = foretick(settings, "replay", str(FILES[0]), *bounds, "--restart", "--no-retrain")
    assert second.returncode == 0, second.stderr
    assert "no training is triggered by bars up to 2025-05-20 00:59 UTC" in second.stderr
    assert MAY not in second.stderr
    (run,) = runs_of(settings).listed()
    assert (run.state, run.requested_by, run.bar_time) == ("done", "replay", FIRST - FIRST % DAY + 16 * DAY + HOUR - 1)
    nothing = {"FORETICK_RETRAIN_CRON": "never", "FORETICK_RETRAIN_ON_DRIFT": "false"}
    never = foretick(settings, "replay", str(FILES[0]), *bounds, "--restart", **nothing)
    assert (never.returncode, "training" in never.stderr) == (0, False)


def test_without_a_database_nothing_is_replayed(settings: Settings) -> None:
    done = foretick(
        settings, "replay", str(FILES[0]), "--no-retrain", FORETICK_DATABASE_URL="postgresql://127.0.0.1:1/x"
    )
    assert (done.returncode, done.stdout) == (2, "")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("foretick: --no-retrain: postgresql://127.0.0.1:1/x does not answer")
    assert last.endswith("is it running? foretick up")


@pytest.mark.long
def test_a_training_challenges_where_that_is_asked_for(settings: Settings) -> None:
    folder = settings.home / "models"
    before = model_registry.serving(folder)
    words = ("train", str(FILES[0]), "--to", "2025-05-10", "--model", "ridge", "--no-track")
    done = foretick(settings, *words, "--as-challenger", "--json")
    assert done.returncode == 0, done.stderr
    version = json.loads(done.stdout)["models"]["ridge"]["version"]
    assert json.loads(done.stdout)["taken"] == "they challenge the champions: foretick models list"
    assert version != before["ridge"]
    assert model_registry.serving(folder) == before
    assert ("ridge", "challenge", before["ridge"], [version], "foretick train") in deployments(settings)
    assert [row[0] for row in deployments(settings) if row[1] == "challenge"] == ["ridge"]
    announce(settings)  # the next `up`
    assert model_registry.serving(folder) == before
    again = foretick(settings, *words, "--as-challenger")
    assert again.returncode == 0, again.stderr
    assert "unchanged versions: ridge (challenger)" in " ".join(again.stdout.split())

    refused = foretick(settings, "train", str(FILES[0]), "--model", "har", "--as-challenger")
    assert (refused.returncode, refused.stderr) == (
        2,
        "foretick: model 'har' has no champion to challenge, in service are naive, ridge: train it without "
        "--as-challenger\n",
    )
    replaces = foretick(settings, *words)
    assert replaces.returncode == 0
    assert "replaces the champions at the worker's next start; --as-challenger: tested" in replaces.stderr
    assert model_registry.serving(folder)["ridge"] != before["ridge"]
