"""What the training page reads of MLflow."""

import time

import pytest
from stacks import Servers

from dashboard.training.sources import MlflowSource, Wanted
from learning.tracking.mlflow_reader import Curve, MlflowReader
from learning.tracking.tracker import Tracker

LOSS, MEMORY = "epochs/loss held out", "system/process memory MB"


class CountingReader(MlflowReader):
    """Notes which curves were asked for."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.asked: list[str] = []
        self.added: list[str] = []

    def longer(self, run_id: str, metric: str, curve: Curve, last: int) -> Curve | None:
        self.added.append(metric)
        return super().longer(run_id, metric, curve, last)

    def curve(self, run_id: str, metric: str) -> Curve:
        self.asked.append(metric)
        return super().curve(run_id, metric)


@pytest.mark.services
def test_a_curve_is_read_again_when_another_value_was_logged_even_an_equal_one(mlflow_server: Servers) -> None:
    reader = CountingReader(mlflow_server.mlflow_uri)
    source = MlflowSource(reader)
    with Tracker(mlflow_server.mlflow_uri).run("counted", "train") as run:
        assert run.run_id is not None
        wanted = Wanted(runs=(run.run_id,), metrics=(LOSS, MEMORY))
        run.metric(LOSS, 0.5, 1)
        run.metric(MEMORY, 100.0, 1)
        source.read(wanted)
        run.metric(LOSS, 0.5, 2)
        curves = source.read(wanted).curves
        source.read(wanted)
    assert (reader.asked, reader.added) == ([LOSS, MEMORY], [LOSS])
    assert curves[run.run_id, LOSS].step.tolist() == [1, 2]
    assert curves[run.run_id, MEMORY].step.tolist() == [1]


@pytest.mark.services
def test_a_curve_that_grows_is_the_one_that_is_read_whole(mlflow_server: Servers) -> None:
    """Whatever is logged: several steps, one again with another value, one late, none of a number, and the end."""
    reader = CountingReader(mlflow_server.mlflow_uri)
    source = MlflowSource(reader)
    with Tracker(mlflow_server.mlflow_uri).run("grows", "train") as run:
        assert run.run_id is not None
        wanted = Wanted(runs=(run.run_id,), metrics=(LOSS,))

        def read() -> list[list[float]]:
            curve = source.read(wanted).curves[wanted.runs[0], LOSS]
            return [curve.step.tolist(), curve.value.tolist()]

        run.metric(LOSS, 0.5, 1)
        assert read() == [[1], [0.5]]
        run.curves({LOSS: [(2, 0.4), (3, 0.3), (5, 0.2)]})
        assert read() == [[1, 2, 3, 5], [0.5, 0.4, 0.3, 0.2]]
        time.sleep(0.01)  # the later of two values of a step is the one with the later time [ms]
        run.metric(LOSS, 0.1, 5)
        assert read()[1] == [0.5, 0.4, 0.3, 0.1]
        run.metric(LOSS, 0.05, 6)
        assert read()[1] == [0.5, 0.4, 0.3, 0.1, 0.05]
        run.metric(LOSS, 0.25, 4)
        run.metric(LOSS, 0.04, 7)
        read()
    ended = read()
    assert ended == [[1, 2, 3, 4, 5, 6, 7], [0.5, 0.4, 0.3, 0.25, 0.1, 0.05, 0.04]]
    assert reader.added == [LOSS] * 3


@pytest.mark.services
def test_a_run_that_has_ended_since_the_last_look_is_read_whole(mlflow_server: Servers) -> None:
    reader = CountingReader(mlflow_server.mlflow_uri)
    source = MlflowSource(reader)
    with Tracker(mlflow_server.mlflow_uri).run("ends", "train") as run:
        assert run.run_id is not None
        wanted = Wanted(runs=(run.run_id,), metrics=(LOSS,))
        run.curves({LOSS: [(1, 0.5), (3, 0.3)]})
        source.read(wanted)
        run.metric(LOSS, 0.4, 2)
        run.metric(LOSS, 0.2, 4)
    assert source.read(wanted).curves[run.run_id, LOSS].step.tolist() == [1, 2, 3, 4]
    assert (reader.asked, reader.added) == ([LOSS, LOSS], [])


@pytest.mark.services
def test_a_curve_that_grows_by_more_than_mlflow_gives_at_once_is_read_whole(
    mlflow_server: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learning.tracking.mlflow_reader.TAIL_POINTS", 5)
    source = MlflowSource(MlflowReader(mlflow_server.mlflow_uri))
    with Tracker(mlflow_server.mlflow_uri).run("leaps", "train") as run:
        assert run.run_id is not None
        wanted = Wanted(runs=(run.run_id,), metrics=(LOSS,))
        run.metric(LOSS, 0.5, 1)
        source.read(wanted)
        run.curves({LOSS: [(step, 1.0 / step) for step in range(2, 30)]})
        assert source.read(wanted).curves[run.run_id, LOSS].step.tolist() == list(range(1, 30))
