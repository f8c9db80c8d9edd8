"""Every page in Chromium while its database, Kafka or MLflow is away: it says so, marks what it shows as old, and
recovers without a reload."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import NamedTuple

import browsing
import inspector_models
import ops_data
import pytest
from dashboard_market import Market, serving
from dashboard_studies import add_trials, new_study
from dashboard_training import training
from judged_market import JudgedMarket
from outage import frozen, stopped
from playwright.sync_api import Browser, Page, expect
from stacks import Servers, running

from storage.errors import StorageError

pytestmark = [pytest.mark.services, pytest.mark.browser]

WAIT_MS = 90_000
FRESH = "live|waiting|replay"


class Away(NamedTuple):
    """What a page looks like while something is away: its state, what it says, and what it goes on showing."""

    state: str
    says: str
    keeps: str


STALE = "Nothing was read for"
DATABASE = {
    "live": Away("unreachable", "No answer from", "Newest scores"),
    "training": Away("stale", "The runs cannot be read", "lstm: epoch 8 of 40"),
    "tuning": Away("unreachable", "does not answer", "88 complete trials"),
    "inspector": Away("stale", "cannot be read", "Skill at training"),
    "analytics": Away("unreachable", "These figures were read", "forecasts, up to 18 May 2025"),
    "ops": Away("stale", "What is shown is as of", "big-move"),
}
"""By page, what it says while the database does not answer."""
SILENT = {
    "live": Away("unreachable", "has not answered for", "Newest scores"),
    "training": Away("stale", "was read for", "lstm: epoch 8 of 40"),
    "tuning": Away("stale", STALE, "88 complete trials"),
    "inspector": Away("stale", STALE, "Skill at training"),
    "analytics": Away("unreachable", "The database does not answer. These figures", "forecasts, up to 18 May"),
    "ops": Away("stale", "What is shown is as of", "big-move"),
}
"""The same while it accepts connections and says nothing."""
KAFKA = {
    "live": Away(FRESH, "No answer from Kafka", "Newest scores"),
    "ops": Away("stale", "No answer from Kafka", "big-move"),
}
MLFLOW = {"training": Away("stale", "The curves cannot be read", "lstm: epoch 8 of 40")}


@pytest.fixture(scope="module")
def stack() -> Iterator[Servers]:
    """The servers that the tests take away."""
    with running(("kafka", "postgres", "redis", "prepare", "mlflow")) as servers:
        yield servers


@pytest.fixture(scope="module")
def address(stack: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard all of whose pages have content."""
    home, url = tmp_path_factory.mktemp("home"), stack.database_url
    judged = JudgedMarket(560)
    ops_data.fill(Market(url=url))
    judged.store(url)
    judged.decide(url)
    add_trials(url, new_study(url, "gbm-a"), 0, 100)
    inspector_models.train(home, ("naive", "ar"))
    more = {"FORETICK_MLFLOW_URI": stack.mlflow_uri}
    broken = suppress(StorageError)  # the run loses its database, and says so at its end
    with ops_data.components(home) as port, broken, training(url, stack.mlflow_uri, home) as run:
        run.advance(8)
        more["FORETICK_METRICS_PORTS"] = json.dumps({"worker": port})
        with serving(url, stack.kafka, home, "--stale-after", "3600", more=more) as served:
            yield served


@pytest.fixture
def pages(chromium: Browser, address: str) -> Iterator[dict[str, Page]]:
    """A tab with each page, all fresh."""
    with ExitStack() as opened:
        tabs = {name: opened.enter_context(browsing.tab(chromium)) for name in DATABASE}
        for name, tab in tabs.items():
            tab.goto(f"{address}{name}")
            tab.evaluate("window.opened = true")
        for tab in tabs.values():
            fresh(tab)
        yield tabs


def fresh(page: Page) -> None:
    """Wait until the page says that what it shows is of now; it was not reloaded."""
    page.wait_for_function(f"new RegExp('^({FRESH})$').test(document.body.dataset.state)", timeout=WAIT_MS)
    assert page.evaluate("window.opened")


def away(page: Page, what: Away) -> None:
    """Wait until the page says that something is away, and look at what it keeps."""
    expect(page.locator("body")).to_have_attribute("data-state", re.compile(what.state), timeout=WAIT_MS)
    expect(page.get_by_text(what.says).first).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text(what.keeps).locator("visible=true").first).to_be_visible()  # a closed menu may have it too


Gone = Callable[[Servers, str], AbstractContextManager[None]]


@pytest.mark.parametrize(
    ("server", "gone", "told"),
    [
        pytest.param("postgres", stopped, DATABASE, marks=pytest.mark.long),
        ("postgres", frozen, SILENT),
        pytest.param("kafka", stopped, KAFKA, marks=pytest.mark.long),
        pytest.param("kafka", frozen, KAFKA, marks=pytest.mark.long),
        pytest.param("mlflow", stopped, MLFLOW, marks=pytest.mark.long),
        pytest.param("mlflow", frozen, MLFLOW, marks=pytest.mark.long),
    ],
)
def test_a_server_that_is_away_is_said_by_every_page_that_shows_something_of_it(
    pages: dict[str, Page], stack: Servers, server: str, gone: Gone, told: dict[str, Away]
) -> None:
    with gone(stack, server):
        for name, what in told.items():
            away(pages[name], what)
        for name in pages.keys() - told.keys():
            fresh(pages[name])
    for page in pages.values():
        fresh(page)
    for name, what in told.items():
        expect(pages[name].get_by_text(what.says)).to_have_count(0, timeout=WAIT_MS)
