"""What the training page does with a viewer's choice, without a browser and servers."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from bokeh.document import Document
from dashboard_runs import RUN, logged

from dashboard.polled_reader import Reading
from dashboard.service import PageRequest
from dashboard.training.choice import CPU, GPU, GPU_MEMORY, MEMORY, SYSTEM
from dashboard.training.page import Readers, TrainingDocument
from dashboard.training.sources import Stored, Tracked, Wanted
from learning.runs.records import Overview
from learning.tracking.mlflow_reader import Curve

CURVE = Curve(np.arange(1.0, 4.0), np.array([0.9, 0.5, 0.7]))
RUNS = [msgspec.structs.replace(RUN, run_id=name, state="done", error=None) for name in ("new", "old")]


class Fake:
    """Answers at the second question of a key, as a thread that reads does."""

    def __init__(self, answer: Any, at_once: Any) -> None:
        self.answer, self.asked = answer, {at_once}

    def view(self, key: Any, wake: object = None) -> Reading[Any]:  # noqa: ARG002 - as the reader is
        """Return what is known."""
        if key not in self.asked:
            self.asked.add(key)
            return Reading(None, None, None)
        return Reading(self.answer(key), 0.1, None)


def tracked(wanted: Wanted) -> Tracked:
    runs = (logged("x", name="gbm"), logged("y", name="lstm"))
    return Tracked(runs, {(run, metric): CURVE for run in wanted.runs for metric in wanted.metrics if "loss" in metric})


def overview(run_id: str | None) -> Overview:
    return Overview(RUNS, next((run for run in RUNS if run.run_id == run_id), RUNS[0]), [], at_work=False)


def opened(tracked: Callable[[Wanted], Tracked] = tracked, **given: str) -> TrainingDocument:
    readers = Readers(
        runs=Fake(overview, None),
        mlflow=Fake(tracked, Wanted(metrics=SYSTEM)),
        files=Fake(lambda _: Stored(Tracked((), {}), ()), None),
    )
    arguments = {name: [value.encode()] for name, value in given.items()}
    return TrainingDocument(Document(), PageRequest(arguments=arguments, system="light"), readers)


def ticks(page: TrainingDocument, count: int = 3) -> None:
    for _ in range(count):
        page.tick()


def test_the_newest_runs_are_compared_by_themselves() -> None:
    page = opened()
    ticks(page)
    assert page.shown == ("x", "y")
    assert page.bridge.state == "live"
    assert [len(source.data["x"]) for source in page.loss.sources[0][:3]] == [3, 3, 0]
    assert "gbm" in page.texts["figures"].text


def test_another_run_of_the_pipeline_stays_chosen_until_it_is_read() -> None:
    page = opened()
    ticks(page)
    page.pipeline.value = "old"
    assert page.pipeline.value == "old"
    ticks(page)
    assert (page.pipeline.value, page.choice.pipeline) == ("old", "old")
    assert "run=old" in page.bridge.query
    page.pipeline.value = "new"
    ticks(page)
    assert page.overview is not None
    assert page.overview.run is not None
    assert page.overview.run.run_id == "new"


def test_what_is_drawn_stays_until_the_other_curves_are_read() -> None:
    page = opened(runs="x")
    ticks(page)
    assert page.shown == ("x",)
    page.runs.value = ["y", "x"]
    assert page.shown == ("y", "x")
    ticks(page)
    assert [len(source.data["x"]) for source in page.loss.sources[0][:2]] == [3, 3]
    assert "runs=y%2Cx" in page.bridge.query


def test_without_logged_values_a_text_stands_in_place_of_the_plot() -> None:
    page = opened()
    ticks(page)
    assert page.bridge.nothing == "splits cpu memory"
    for name in ("splits", "cpu", "memory"):
        assert "was logged" in page.texts[f"{name}_title"].text
        assert "GPU" not in page.texts[f"{name}_title"].text
    assert "was logged" not in page.texts["loss_title"].text


def test_gpus_are_drawn_dashed_where_there_are_any() -> None:
    def measured(wanted: Wanted) -> Tracked:
        known = (CPU, MEMORY, GPU, GPU_MEMORY)
        return Tracked(tracked(wanted).runs, {(run, name): CURVE for run in wanted.runs for name in known})

    page = opened(measured)
    page.bridge.in_view = "loss cpu memory"
    ticks(page)
    assert page.bridge.nothing == "loss splits"
    assert "CPU and GPU" in page.texts["cpu_title"].text
    assert "dashed: of the machine&#x27;s GPUs" in page.texts["memory_title"].text
    assert [len(sources[0].data["x"]) for sources in page.memory.sources] == [3, 3]
