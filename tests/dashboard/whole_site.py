"""A dashboard each of whose pages has something in every card that needs no MLflow: for tests of what all have."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import inspector_models
import ops_data
from dashboard_market import Market, serving
from dashboard_studies import add_trials, check_later, new_study
from judged_market import JudgedMarket
from playwright.sync_api import Page, expect

from dashboard.site import PAGES
from learning.runs import run_log
from learning.runs.queue import Runs
from learning.runs.records import Options

WAIT_MS = 60_000
SHOWN = "() => !['connecting', 'blank'].includes(document.body.dataset.state)"
QUERIES = {"inspector": "model=gbm&section=structure", "live": "symbol=BTCUSDT", "analytics": "symbol=BTCUSDT"}
"""What of a page is looked at where it matters."""
NAMES = tuple(page.name for page in PAGES)


def train_once(url: str, home: Path) -> None:
    """Log a run of the pipeline that has ended."""
    with Runs(url).begun("by hand", "user", None, Options(models=["gbm"], tune=0)) as lease:
        tell = run_log.writing(home / "pipeline" / lease.run.run_id, lambda _: None)
        for step in ("load", "check"):
            with lease.step(step):
                tell(step)
        lease.finish()


@contextmanager
def whole_site(url: str, kafka: str, home: Path) -> Iterator[str]:
    """Fill an empty database and a folder, and serve them; yields the address."""
    judged = JudgedMarket(560)
    judged.store(url)
    judged.decide(url)
    ops_data.fill(Market(url=url))
    add_trials(url, new_study(url, "ridge-b"), 0, 30)
    study = new_study(url, "gbm-a")
    add_trials(url, study, 0, 100)
    check_later(url, study, {0: [0.010, 0.011, 0.012], 85: [0.012, 0.014, 0.013]})
    inspector_models.train(home, ("naive", "ar", "gbm"))
    train_once(url, home)
    with ops_data.components(home) as port:
        more = {"FORETICK_METRICS_PORTS": json.dumps({"worker": port})}
        with serving(url, kafka, home, "--stale-after", "36000", more=more) as address:
            yield address


def visit(page: Page, address: str, name: str, *more: str) -> None:
    """Open a page of the site and wait until it shows something."""
    query = "&".join(filter(None, (QUERIES.get(name, ""), *more)))
    page.goto(f"{address}{name}?{query}")
    page.wait_for_function(SHOWN, timeout=WAIT_MS)
    for words in READY.get(name, ()):
        expect(page.get_by_text(words).first).to_be_attached(timeout=WAIT_MS)


READY: dict[str, tuple[Any, ...]] = {
    "analytics": ("forecasts, up to", "Challenger bbbbbbbbbbbb"),
    "inspector": ("1 of 20, for mean",),
    "ops": ("Consumer lag", "big-move", "on disk", "hours of 1m bars"),
    "training": ("gbm",),
    "tuning": ("88 complete trials",),
}
"""What is on a page once all that it reads has come."""
