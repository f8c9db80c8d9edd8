"""MLflow's page in Chromium: a person finds runs, curves, the model and its aliases; no other host is asked."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from learning_results import FOLDS, results
from playwright.sync_api import Page, expect, sync_playwright
from stacks import Servers

from dashboard.screenshot import ARGUMENTS, CHROMIUM
from evaluation.output import write
from learning.tracking.log_evaluation import log_evaluation, log_models
from learning.tracking.log_training import FitLog, log_training
from learning.tracking.tracker import MlflowRun, Tracker
from models.registry import provenance
from models.registry.provenance import Provenance
from stack.mlflow_page import MODELS
from topics.records import Deployment

pytestmark = [pytest.mark.services, pytest.mark.browser]

ORIGIN = Provenance(
    first=1_740_787_200_000,
    last=1_748_649_600_000,
    rows=131_000,
    symbols=["BTCUSDT"],
    data_sha256="ab" * 32,
    fingerprint="8d1f",
    seed=7,
)
WAIT_MS = 30_000
MODEL = "transformer"


@pytest.fixture(scope="module")
def runs(mlflow_server: Servers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, MlflowRun]:
    """A training with its curve, its two versions registered and deployed, and an evaluation."""
    tracker, folder = Tracker(mlflow_server.mlflow_uri), tmp_path_factory.mktemp("models")
    with tracker.run("training of two", "train") as above, tracker.run(MODEL, "train", parent=above) as run:
        for epoch in (1, 2, 3):
            FitLog(run).told(f"epoch {epoch} of 3: loss 0.{9 - epoch}000, held out 0.{9 - epoch}500")
        log_training(run, MODEL, "c0ffee", ORIGIN)
    for version in ("c0ffee", "decade"):
        artifact = folder / MODEL / version
        artifact.mkdir(parents=True)
        provenance.write(artifact, ORIGIN)
        tracker.register(MODEL, version, artifact, run.run_id)
    tracker.align(
        {
            MODEL: Deployment(
                model=MODEL, number=2, action="promote", champion="decade", fingerprint="8d1f", time=0, standby="c0ffee"
            )
        },
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


def test_the_servers_address_opens_on_the_runs_without_assistant_or_notice(
    page: Page, runs: dict[str, MlflowRun]
) -> None:
    page.goto(runs["above"].tracker.uri)
    expect(page.get_by_role("link", name="training of two", exact=True)).to_be_visible()
    assert "/runs?workflowType=machine_learning" in page.url
    for words in ("MLflow Assistant", "usage data", "Start Demo"):
        expect(page.get_by_text(words)).to_be_hidden()
    expect(page.locator('[data-assistant-ui="true"]:visible')).to_have_count(0)
    page.goto(runs["above"].tracker.uri + MODELS)
    expect(page.get_by_role("link", name=f"foretick-{MODEL}")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_page_is_told_to_send_no_telemetry(page: Page, runs: dict[str, MlflowRun]) -> None:
    page.goto(runs["above"].tracker.uri)
    asked = "fetch('ajax-api/3.0/mlflow/ui-telemetry').then(reply => reply.json())"
    assert page.evaluate(asked)["disable_ui_telemetry"] is True
    sent = "fetch('ajax-api/3.0/mlflow/ui-telemetry', {method: 'POST', body: '{}'}).then(reply => reply.json())"
    assert page.evaluate(sent) == {"status": "disabled"}
    assert page.evaluate("fetch('ajax-api/3.0/mlflow/assistant/config').then(reply => reply.status)") == 404


@pytest.mark.long
def test_the_list_of_runs_shows_each_under_its_name(page: Page, runs: dict[str, MlflowRun]) -> None:
    assert runs["above"].address is not None
    page.goto(runs["above"].address.replace(f"/{runs['above'].run_id}", ""))
    expect(page.get_by_role("link", name="training of two", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="evaluation of two", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name=MODEL, exact=True)).to_have_count(0)  # below the training, folded


def test_a_run_shows_where_it_comes_from_and_its_curve(page: Page, runs: dict[str, MlflowRun]) -> None:
    assert runs["training"].address is not None
    page.goto(runs["training"].address)
    expect(page.get_by_role("link", name="training of two")).to_be_visible()
    for text in ("BTCUSDT 2025-03-01 to 2025-05-31: 131,000 bars", "loss held out", "foretick-transformer"):
        expect(page.get_by_text(text).first).to_be_visible()
    page.get_by_role("tab", name="Model metrics").click()
    expect(page.get_by_text("loss held out", exact=True).first).to_be_visible()
    expect(page.locator(".js-plotly-plot .scatterlayer path.js-line").first).to_be_visible()


@pytest.mark.long
def test_the_report_and_the_plots_of_an_evaluation_are_shown(page: Page, runs: dict[str, MlflowRun]) -> None:
    assert runs["evaluation"].address is not None
    page.goto(runs["evaluation"].address)
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("report.html", exact=True).click()
    expect(page.frame_locator("iframe").first.get_by_role("heading", name="Evaluation")).to_be_visible()
    page.get_by_text("plots", exact=True).click()
    page.get_by_text("skill over time 05 bars ahead.svg", exact=True).click()
    expect(page.get_by_role("img", name="plots/skill over time 05 bars ahead.svg")).to_be_visible()


@pytest.mark.long
def test_a_registered_model_shows_which_version_serves(page: Page, runs: dict[str, MlflowRun]) -> None:
    page.goto(f"{runs['training'].tracker.uri}/#/models/foretick-{MODEL}")
    champion = page.get_by_role("row").filter(has_text="decade")
    expect(champion.get_by_text("champion")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="c0ffee").get_by_text("standby")).to_be_visible()
