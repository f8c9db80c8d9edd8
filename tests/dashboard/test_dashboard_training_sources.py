"""What the training page reads of MLflow."""

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
    assert reader.asked == [LOSS, MEMORY, LOSS]
    assert curves[run.run_id, LOSS].step.tolist() == [1, 2]
    assert curves[run.run_id, MEMORY].step.tolist() == [1]
