"""Runs and curves read back from the real MLflow, as a page shows them while a training goes on."""

import socket
from collections.abc import Iterator

import numpy as np
import pytest
from stacks import Servers

from learning.errors import TrackingError
from learning.tracking.log_training import FitLog
from learning.tracking.mlflow_reader import MlflowReader, curve_of, lower_is_better
from learning.tracking.tracker import Tracker

ROUND = "round {} of 40, 05 bars ahead: loss 0.{:03d}000, held out 0.{:03d}500"
HELD_OUT = "rounds 05 bars ahead/loss held out"


@pytest.fixture
def reader(mlflow_server: Servers) -> MlflowReader:
    return MlflowReader(mlflow_server.mlflow_uri)


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.services
def test_the_rounds_of_a_booster_are_read_while_they_go_on(mlflow_server: Servers, reader: MlflowReader) -> None:
    tracker = Tracker(mlflow_server.mlflow_uri)
    with tracker.run("pipeline 1", "pipeline") as above, tracker.run("gbm 1", "train", parent=above) as run:
        fit = FitLog(run, every_s=0.0)
        for number in range(1, 4):
            fit.told(ROUND.format(number, 900 - number, 900 - number))
        assert run.run_id is not None
        found = next(one for one in reader.runs() if one.run_id == run.run_id)
        assert (found.running, found.kind, found.parent, found.name) == (True, "train", above.run_id, "gbm 1")
        assert found.metrics[HELD_OUT] == 0.8975
        curve = reader.curve(run.run_id, HELD_OUT)
        assert curve.step.tolist() == [1, 2, 3]
        assert curve.last == 0.8975
    ended = next(one for one in reader.runs() if one.run_id == run.run_id)
    assert not ended.running
    assert ended.ended_at is not None


@pytest.mark.services
def test_trials_are_not_listed_and_what_is_not_there_is_empty(mlflow_server: Servers, reader: MlflowReader) -> None:
    with Tracker(mlflow_server.mlflow_uri).run("gbm trial 1", "trial") as run:
        run.metric("skill", 0.1, 1)
    assert run.run_id not in {one.run_id for one in reader.runs()}
    assert not len(reader.curve("0" * 32, "skill").step)


@pytest.mark.services
def test_a_long_curve_is_read_in_pages(
    mlflow_server: Servers, reader: MlflowReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learning.tracking.mlflow_reader.PAGE_POINTS", 100)
    with Tracker(mlflow_server.mlflow_uri).run("long", "train") as run:
        run.curves({"epochs/loss held out": [(step, 1.0 / step) for step in range(1, 251)]})
    assert run.run_id is not None
    curve = reader.curve(run.run_id, "epochs/loss held out")
    np.testing.assert_array_equal(curve.step, np.arange(1, 251))


def test_a_server_that_refuses_or_is_silent_is_said_without_its_password(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learning.tracking.mlflow_reader.PATIENCE_S", 0.2)
    for address in ("http://me:s3cret@127.0.0.1:1", silent.replace("//", "//me:s3cret@"), "nowhere", "file:///etc"):
        with pytest.raises(TrackingError) as raised:
            MlflowReader(address).runs()
        assert "s3cret" not in str(raised.value)


def test_of_a_step_that_was_logged_twice_the_later_value_counts() -> None:
    curve = curve_of({2: 0.5, 1: 0.9}.items())
    assert (curve.step.tolist(), curve.value.tolist()) == ([1, 2], [0.9, 0.5])
    assert curve_of([]).last is None


@pytest.mark.parametrize(
    ("metric", "lower"),
    [
        ("epochs/loss held out", True),
        ("by split: pinball loss against naive percent/05 bars ahead", True),
        ("by split: squared error against naive percent/05 bars ahead", True),
        ("IC/05 bars ahead", False),
        ("skill", False),
    ],
)
def test_of_losses_and_errors_less_is_better(metric: str, lower: bool) -> None:
    assert lower_is_better(metric) is lower
