"""A run that somebody stops: it ends after its next message, keeps the reason, and can be resumed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from learning_bars import new_database
from pydantic import SecretStr
from stacks import Servers

from learning import pipeline
from learning.pipeline import complete
from learning.runs.lease import RunLease
from learning.runs.queue import Runs
from learning.runs.records import Options
from learning.runs.stop import RunStopped, stopping
from learning.runs.work import Work
from settings import Settings
from storage.errors import StorageError
from storage.timescale import migrate

pytestmark = pytest.mark.services

NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def url(servers: Servers) -> Iterator[str]:
    with new_database(servers.database_url) as made:
        migrate(made)
        yield made


def test_a_run_that_is_stopped_ends_with_the_reason_and_can_be_resumed(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, database_url=SecretStr(url), mlflow_uri=SecretStr(NOBODY), models=("naive",))
    runs, told = Runs(url), 0

    def train(work: Work) -> None:
        nonlocal told
        for epoch in range(1, 4):
            with work.lease.step("train", f"model {epoch}"):
                told += 1
                work.on_message(f"epoch {epoch} of 3: loss 1.000000, held out 1.000000")
            if told == 2:
                runs.stop(work.lease.run.run_id, "it does not <learn>", "dashboard")

    monkeypatch.setattr(pipeline, "STEPS", {"train": train})
    monkeypatch.setattr(stopping, "__defaults__", (0.0,))
    with runs.begun("by hand", "user", None, Options(models=["naive"])) as lease:
        report = complete(settings, lease)
    assert told == 3
    assert (report.run.state, report.run.error) == ("failed", "train: stopped by dashboard: it does not <learn>")
    assert [step.state for step in report.steps] == ["done", "done", "stopped"]
    with pytest.raises(ValueError, match="has ended: failed"):
        runs.stop(report.run.run_id, "again", "dashboard")
    with runs.resumed(report.run.run_id) as lease:
        assert lease.run.stop_reason is None
        assert complete(settings, lease).run.state == "done"


def test_a_run_that_waits_is_stopped_too_and_one_that_is_unknown_is_not(url: str) -> None:
    runs = Runs(url)
    run_id = runs.request("to see", "user", None)
    assert run_id is not None
    runs.stop(run_id, "no need", "dashboard")
    with runs.taken() as lease:
        assert lease is not None
        told: list[str] = []
        with pytest.raises(RunStopped, match="dashboard: no need"):
            stopping(lease, told.append)("load")
        assert told == ["load"]
    with pytest.raises(ValueError, match="no run 'other'"):
        runs.stop("other", "why", "dashboard")


def test_the_database_is_not_asked_at_every_message(url: str) -> None:
    class Counting(RunLease):
        asked = 0

        def stop_requested(self) -> str | None:
            self.asked += 1
            return None

    with Runs(url).begun("by hand", "user", None, Options()) as lease:
        counting = Counting(lease._connection, url, lease.run)
        tell = stopping(counting, lambda _: None, every_s=60.0)
        for _ in range(100):
            tell("round")
        assert counting.asked == 1


def test_of_a_run_it_is_known_whether_anybody_works_on_it(url: str) -> None:
    runs = Runs(url)
    assert runs.overview(None).run is None
    with runs.begun("by hand", "user", None, Options()) as lease:
        overview = runs.overview(None)
        assert overview.run is not None
        assert (overview.run.run_id, overview.at_work) == (lease.run.run_id, True)
    overview = runs.overview("no such run")
    assert overview.run is not None
    assert (overview.run.state, overview.at_work) == ("running", False)
    with pytest.raises(StorageError):
        Runs("postgresql://me@127.0.0.1:1/nowhere").overview(None)
