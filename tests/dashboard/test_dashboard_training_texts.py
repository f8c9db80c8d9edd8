"""The texts of the training page, and which runs it shows by itself."""

import re
from typing import Any

import msgspec
import numpy as np
import pytest
from dashboard_runs import EVIL, RUN, logged

from dashboard.training import page_text
from dashboard.training.choice import Choice, groups, parse, query, settle, splits
from dashboard.training.plots import MOST_POINTS, CurvePlot
from learning.runs.progress import Progress
from learning.runs.records import Overview, Step
from learning.runs.run_log import LogLine
from learning.tracking.mlflow_reader import Curve

STEP = Step(
    step="train",
    model=EVIL,
    state="failed",
    started_at=0,
    ended_at=1,
    seconds=None,
    detail=None,
    error=EVIL,
    attempts=1,
)


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_what_comes_from_data_is_escaped() -> None:
    stopping = msgspec.structs.replace(RUN, stop_reason=EVIL)
    curve = Curve(np.array([1.0]), np.array([0.5]))
    pages = [
        page_text.pipeline(Overview([RUN], RUN, [STEP], at_work=True), [Progress(EVIL, 1, 2, None)], 1_000),
        page_text.pipeline(Overview([stopping], stopping, [], at_work=True), [], 1_000),
        page_text.runs(Overview([RUN], RUN, [], at_work=True)),
        page_text.log([LogLine(0, EVIL)], EVIL),
        page_text.log([], EVIL),
        page_text.figures([logged("a")], {"a": EVIL}, {"a": "#000000"}, [(EVIL, "loss", {"a": curve})]),
    ]
    for page in pages:
        assert "<img" not in page


@pytest.mark.parametrize(
    ("state", "at_work", "words", "button"),
    [
        ("running", True, "running", True),
        ("running", False, "interrupted: nobody works on it now", True),
        ("queued", False, "waits for the trainer", True),
        ("done", False, "done", False),
        ("failed", False, "failed", False),
    ],
)
def test_a_run_that_nobody_works_on_is_not_said_to_run(state: Any, at_work: bool, words: str, button: bool) -> None:
    run = msgspec.structs.replace(RUN, state=state, error=None)
    html = page_text.pipeline(Overview([run], run, [], at_work=at_work), [Progress("models", 1, 4, 180.0)], 60_000)
    assert words in plain(html)
    assert ("about 3 min left" in html) == at_work
    assert ("stop-run" in html) == button
    assert page_text.class_of(run, at_work) == {"done": "", "failed": "unreachable"}.get(
        state, "live" if at_work else "stale"
    )


def test_best_is_the_lowest_loss_and_the_highest_of_what_is_no_loss() -> None:
    curve = Curve(np.array([1.0, 2.0, 3.0]), np.array([0.9, 0.4, 0.6]))
    columns = [("loss", "epochs/loss held out", {"a": curve}), ("skill", "skill", {"a": curve}), ("none", "x", {})]
    text = plain(page_text.figures([logged("a", name="lstm")], {"a": "lstm"}, {"a": "#000000"}, columns))
    assert "0.6 0.4 2 0.6 0.9 1 \u2013 \u2013 \u2013" in text


def test_the_runs_of_the_newest_pipeline_are_shown_by_themselves() -> None:
    runs = [logged("x"), logged("a", parent="above"), logged("b", parent="above", metrics={}), logged("y")]
    assert settle(Choice(), runs, "above") == ("a",)
    assert settle(Choice(), runs, None) == ("x", "a", "y")
    assert settle(Choice(runs=("y", "gone")), runs, "above") == ("y",)
    assert (groups(runs), splits(runs)) == (["epochs"], ["by split: pinball/05 bars ahead"])


def test_the_address_restores_the_choice() -> None:
    choice = Choice(runs=("a", "b"), group="epochs", split="by split: pinball/05 bars ahead", pipeline="1")
    assert parse({name: value for name, value in query(choice).items() if value}) == choice
    assert parse({}) == Choice()


def test_a_dense_curve_is_sent_thinned_and_only_if_it_has_changed() -> None:
    plot, steps = CurvePlot("loss", "epoch"), np.arange(50_000.0)
    curve = Curve(steps, np.sin(steps))
    plot.show(["a"], {"a": "lstm"}, [{"a": curve}])
    sent = plot.sources[0][0].data
    assert len(sent["x"]) <= MOST_POINTS
    plot.show(["a"], {"a": "lstm"}, [{"a": Curve(steps.copy(), np.sin(steps))}])
    assert plot.sources[0][0].data is sent
    plot.range.start, plot.range.end = 100.0, 400.0
    plot.show(["a"], {"a": "lstm"}, [{"a": curve}])
    near = np.asarray(plot.sources[0][0].data["x"])
    assert ((near >= 100) & (near <= 400)).sum() >= 301
    assert (plot.range.start, plot.range.end) == (100.0, 400.0)
    plot.show([], {}, [{}])
    assert not len(plot.sources[0][0].data["x"])
