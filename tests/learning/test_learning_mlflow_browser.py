"""MLflow's page in Chromium: a person finds runs, curves, the model and its aliases; no other host is asked."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from learning_results import FOLDS, results
from playwright.sync_api import Page, expect, sync_playwright
from stacks import Servers

from dashboard.screenshot import ARGUMENTS, CHROMIUM
from evaluation.output import write
from learning.log_evaluation import log_evaluation, log_models
from learning.log_training import epochs, log_training
from learning.tracking import Run, Tracker
from models import provenance
from models.provenance import Provenance
from topics.records import Deployment

pytestmark = [pytest.mark.services, pytest.mark.browser]

ORIGIN = Provenance(1_740_787_200_000, 1_748_649_600_000, 131_000, ["BTCUSDT"], "ab" * 32, "8d1f", 7)
WAIT_MS = 30_000
MODEL = "transformer"


@pytest.fixture(scope="module")
def runs(mlflow_server: Servers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """A training with its curve, its two versions registered and deployed, and an evaluation."""
    tracker, folder = Tracker(mlflow_server.mlflow_uri), tmp_path_factory.mktemp("models")
    with tracker.run("training of two", "train") as above, tracker.run(MODEL, "train", parent=above) as run:
        for epoch in (1, 2, 3):
            epochs(run)(f"epoch {epoch} of 3: loss 0.{9 - epoch}000, held out 0.{9 - epoch}500")
        log_training(run, MODEL, "c0ffee", ORIGIN)
    for version in ("c0ffee", "decade"):
        artifact = folder / MODEL / version
        artifact.mkdir(parents=True)
        provenance.write(artifact, ORIGIN)
        tracker.register(MODEL, version, artifact, run.run_id)
    tracker.align(
        {MODEL: Deployment(MODEL, 2, "promote", "decade", "8d1f", 0, shadow="c0ffee")},
    )
    with tracker.run("evaluation of two", "evaluate") as judged:
        write(results(), folder)
        log_evaluation(judged, results(), folder)
        log_models(tracker, judged, results(), FOLDS)
    return {"above": above, "training": run, "evaluation": judged}


@pytest.fixture
def page(mlflow_server: Servers) -> Iterator[Page]:
    """A tab of MLflow's model training pages, which asked no other host for anything."""
    hosts: set[str | None] = set()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        password = str(urlsplit(mlflow_server.mlflow_uri).password)
        tab = browser.new_page(
            viewport={"width": 1440, "height": 900}, http_credentials={"username": "foretick", "password": password}
        )
        tab.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        tab.set_default_timeout(WAIT_MS)
        expect.set_options(timeout=WAIT_MS)
        yield tab
        browser.close()
    assert hosts <= {"127.0.0.1", None}


def test_the_list_of_runs_shows_each_under_its_name(page: Page, runs: dict[str, Run]) -> None:
    assert runs["above"].address is not None
    page.goto(runs["above"].address.replace(f"/{runs['above'].run_id}", ""))
    expect(page.get_by_role("link", name="training of two", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="evaluation of two", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name=MODEL, exact=True)).to_have_count(0)  # below the training, folded


def test_a_run_shows_where_it_comes_from_and_its_curve(page: Page, runs: dict[str, Run]) -> None:
    assert runs["training"].address is not None
    page.goto(runs["training"].address)
    expect(page.get_by_role("link", name="training of two")).to_be_visible()
    for text in ("BTCUSDT 2025-03-01 to 2025-05-31: 131,000 bars", "loss held out", "foretick-transformer"):
        expect(page.get_by_text(text).first).to_be_visible()
    page.get_by_role("tab", name="Model metrics").click()
    expect(page.get_by_text("loss held out", exact=True).first).to_be_visible()
    expect(page.locator(".js-plotly-plot .scatterlayer path.js-line").first).to_be_visible()


def test_the_report_and_the_plots_of_an_evaluation_are_shown(page: Page, runs: dict[str, Run]) -> None:
    assert runs["evaluation"].address is not None
    page.goto(runs["evaluation"].address)
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("report.html", exact=True).click()
    expect(page.frame_locator("iframe").first.get_by_role("heading", name="Evaluation")).to_be_visible()
    page.get_by_text("plots", exact=True).click()
    page.get_by_text("skill over time 05 bars ahead.svg", exact=True).click()
    expect(page.get_by_role("img", name="plots/skill over time 05 bars ahead.svg")).to_be_visible()


def test_a_registered_model_shows_which_version_serves(page: Page, runs: dict[str, Run]) -> None:
    page.goto(f"{runs['training'].tracker.uri}/#/models/foretick-{MODEL}")
    champion = page.get_by_role("row").filter(has_text="decade")
    expect(champion.get_by_text("champion")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="c0ffee").get_by_text("shadow")).to_be_visible()
