"""The training page in Chromium, on a real MLflow and a real TimescaleDB, while a run goes on."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dashboard_market import Market, serving
from dashboard_training import Training, training
from playwright.sync_api import Page, expect
from stacks import Servers

from learning.runs.queue import Runs
from learning.tracking.learning_curve import Curve

pytestmark = [pytest.mark.services, pytest.mark.browser]

WAIT_MS = 20_000
POINTS = "() => Bokeh.documents[0]?.get_model_by_name('loss')?.renderers[0].data_source.data.x.length"
RANGE = "() => {const x = Bokeh.documents[0].get_model_by_name('loss').x_range; return [x.start, x.end]}"
LOOK_AT = """() => {
  const x = Bokeh.documents[0].get_model_by_name('loss').x_range
  x.have_updated_interactively = true
  x.setv({start: 2, end: 6})
}"""
NOWHERE = "postgresql://me:s3cret@127.0.0.1:1/nowhere"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def empty(new_market: Callable[[], Market]) -> str:
    """The URL of a database with the schema and no row."""
    return new_market().url


@pytest.fixture(scope="module")
def address(empty: str, mlflow_server: Servers, home: Path) -> Iterator[str]:
    """The address of a dashboard on that database and a real MLflow."""
    with serving(empty, "127.0.0.1:1", home, more={"FORETICK_MLFLOW_URI": mlflow_server.mlflow_uri}) as found:
        yield f"{found}training"


@pytest.fixture
def run(empty: str, mlflow_server: Servers, home: Path) -> Iterator[Training]:
    """A run that has trained for eight epochs."""
    with training(empty, mlflow_server.mlflow_uri, home) as made:
        made.advance(8)
        yield made


def shows(page: Page, points: int) -> None:
    page.wait_for_function(f"points => ({POINTS})() === points", arg=points, timeout=WAIT_MS)


def test_a_curve_grows_while_the_run_goes_on_and_what_is_looked_at_stays(
    page: Page, address: str, run: Training
) -> None:
    page.goto(address)
    shows(page, 8)
    expect(page.locator("body")).to_have_attribute("data-state", "live", timeout=WAIT_MS)
    for text in ("up to date", "5 of 8: train", "lstm epochs 8 of 40", "held out 0."):
        expect(page.get_by_text(text).first).to_be_visible(timeout=WAIT_MS)
    page.evaluate(LOOK_AT)
    run.advance(4)
    shows(page, 12)
    assert page.evaluate(RANGE) == [2, 6]
    expect(page.get_by_text("lstm epochs 12 of 40")).to_be_visible(timeout=WAIT_MS)
    assert "curve=epochs" in page.url


def test_a_run_is_stopped_by_the_button_with_a_reason_that_is_kept(
    page: Page, address: str, run: Training, empty: str
) -> None:
    page.goto(address)
    page.get_by_role("button", name="Stop the run").click(timeout=WAIT_MS)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("it does not <b>learn")
    dialog.get_by_role("button", name="Stop this run").click()
    expect(page.get_by_text("It is to stop at its next checkpoint: it does not <b>learn")).to_be_visible(
        timeout=WAIT_MS
    )
    assert run.lease.stop_requested() == "dashboard: it does not <b>learn"
    assert Runs(empty).overview(run.run_id).at_work


@pytest.mark.long
def test_a_reload_keeps_the_choice_and_what_is_not_there_is_said(page: Page, address: str, run: Training) -> None:
    page.goto(f"{address}?run=no-such-run&runs={run.run.run_id},{'0' * 32}&theme=dark")
    expect(page.get_by_text("There is no run no-such-run of the pipeline")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("Not every run of the address is known")).to_be_visible(timeout=WAIT_MS)
    shows(page, 8)
    assert re.search(rf"runs={run.run.run_id}.*theme=dark", page.url)
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.long
def test_where_only_files_are_their_curves_are_shown_and_what_is_away_is_said(page: Page, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "gbm" / "c0ffee"
    folder.mkdir(parents=True)
    away = {"FORETICK_MLFLOW_URI": "http://me:s3cret@127.0.0.1:1"}
    with serving(NOWHERE, "127.0.0.1:1", tmp_path, more=away) as found:
        page.goto(f"{found}training")
        expect(page.locator("body")).to_have_attribute("data-state", "blank", timeout=WAIT_MS)
        expect(page.get_by_text("No answer").first).to_be_visible(timeout=WAIT_MS)
        expect(page.get_by_text("MLflow at http://127.0.0.1:1: no answer").first).to_be_visible(timeout=WAIT_MS)
        points = [(step, 1.0 / step, 1.1 / step) for step in range(1, 6)]
        Curve({"round 05 bars ahead": points}).save(folder)
        shows(page, 5)
        expect(page.get_by_text("in part")).to_be_visible(timeout=WAIT_MS)
        assert "s3cret" not in page.content()
        page.goto("about:blank")


@pytest.mark.long
def test_a_database_without_a_run_says_what_to_do(
    page: Page, new_market: Callable[[], Market], mlflow_server: Servers, tmp_path: Path, servers: Any
) -> None:
    away = {"FORETICK_MLFLOW_URI": mlflow_server.mlflow_uri}
    with serving(new_market().url, servers.kafka, tmp_path, more=away) as found:
        page.goto(f"{found}training")
        expect(page.get_by_text("Pipeline run")).to_be_attached(timeout=WAIT_MS)
        expect(page.get_by_text("No run of the pipeline is known.")).to_be_attached(timeout=WAIT_MS)
        page.goto("about:blank")
