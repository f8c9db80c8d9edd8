"""One viewer's page on readers that say what a test wants: what is drawn, what is sent, and what is said of its age."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from bokeh.document import Document
from judged_market import FIRST, MINUTE

from dashboard.analytics.challenge_reader import Decisions
from dashboard.analytics.forecasts_reader import COLUMNS, ForecastsKey, judged
from dashboard.analytics.page import AnalyticsView, Readers
from dashboard.analytics.scores_reader import Scores
from dashboard.analytics.view_state import WINDOWS, Catalog, Market
from dashboard.polled_reader import Reading
from dashboard.service import PageRequest

NEWEST = datetime(2025, 5, 20, 23, 44, tzinfo=UTC)
ROWS = 1_500
NOTHING: Reading[Any] = Reading(None, None, None)


class SaidReader:
    """A reader that knows what it was told; `asked` are the keys."""

    def __init__(self, reading: Reading[Any]) -> None:
        self.reading, self.asked = reading, []

    def view(self, key: Any, wake: object = None) -> Reading[Any]:  # noqa: ARG002 - as the reader is
        self.asked.append(key)
        return self.reading


def scores() -> Scores:
    columns = ("time", "scored", "skill", "coverage")
    curves = {model: {name: np.arange(1.0, 30.0) for name in columns} for model in ("gbm", "naive")}
    return Scores(catalog=Catalog(("BTCUSDT",), ("gbm", "naive")), newest=NEWEST, changed=None, curves=curves, board=())


def figures() -> Any:
    rng = np.random.default_rng(1)
    columns = {name: rng.normal(size=ROWS) for name in COLUMNS}
    columns |= {"time": FIRST + MINUTE * np.arange(ROWS), "symbol": np.zeros(ROWS, dtype=np.int64)}
    columns |= {"context": np.ones(ROWS, dtype=np.int64), "naive_pinball": np.ones(ROWS), "naive_scale": np.ones(ROWS)}
    columns |= {"p_up": rng.uniform(size=ROWS), "error": np.ones(ROWS), "hit": np.ones(ROWS)}
    key = ForecastsKey(Market(symbol=None, horizon=15, window=WINDOWS[1]), "gbm")
    return judged(key, NEWEST, columns, ["BTCUSDT"], {1: "calm"}, MINUTE, [])


@pytest.fixture
def readers() -> Readers:
    parts: dict[str, Any] = {name: SaidReader(NOTHING) for name in ("scores", "decisions", "forecasts", "evaluation")}
    return Readers(**parts)


def opened(readers: Readers, **arguments: list[bytes]) -> AnalyticsView:
    request = PageRequest(arguments=arguments, system="light")
    page = AnalyticsView(Document(), request, readers, "1m", 90.0)
    page.bridge.in_view = "*"
    return page


def tell(reader: Any, value: object, age_s: float | None = 1.0, error: str | None = None) -> None:
    reader.reading = Reading(value, age_s, error)


def test_the_page_goes_from_connecting_to_figures_to_old_figures_and_back(readers: Readers) -> None:
    page = opened(readers)
    assert page.bridge.state == "connecting"
    tell(readers.scores, scores())
    tell(readers.decisions, Decisions(model="gbm", log=(), challenges=(), promotes=True))
    tell(readers.forecasts, figures())
    tell(readers.evaluation, None)
    page.tick()
    assert page.bridge.state == "live"
    assert page.choice.model == "gbm"
    assert "1,500 forecasts" in page.texts["basis"].text
    assert "not evaluated the models yet" in page.texts["walk_forward"].text
    for of in (readers.scores, readers.forecasts):
        tell(of, of.reading.value, 60.0, "No answer.")
    page.tick()
    assert page.bridge.state == "unreachable"
    assert "These figures were read 1 min ago and end" in page.texts["notices"].text
    assert len(page.drawing.reliability.source.data["rose"]) > 0
    for of in (readers.scores, readers.forecasts):
        tell(of, of.reading.value)
    page.tick()
    assert page.bridge.state == "live"
    assert page.texts["notices"].text == ""


def test_what_has_not_changed_is_not_sent_again(readers: Readers) -> None:
    tell(readers.scores, scores())
    tell(readers.forecasts, figures())
    page = opened(readers)
    page.tick()
    sent: list[object] = []
    page.document.on_change(sent.append)
    page.tick()
    assert sent == []
    tell(readers.scores, scores())
    page.tick()
    assert sent == [], "a chart with the same numbers is drawn again"
    later = {model: {name: one + 1 for name, one in columns.items()} for model, columns in scores().curves.items()}
    tell(readers.scores, replace(scores(), curves=later))
    page.tick()
    assert sent != []


def test_another_choice_clears_the_panels_without_its_figures(readers: Readers) -> None:
    tell(readers.scores, scores())
    tell(readers.forecasts, figures())
    page = opened(readers, window=[b"7d"])
    assert len(page.drawing.hours.source.data["hour"]) == 24
    tell(readers.forecasts, None, None)
    page.window.active = 2
    assert page.choice.market.window == WINDOWS[2]
    assert "window=30d" in page.bridge.query
    assert len(page.drawing.hours.source.data["hour"]) == 0
    assert "Reading" in page.texts["basis"].text
    tell(readers.forecasts, None, 1.0)
    page.tick()
    assert "No forecast of this model" in page.texts["policy"].text


def test_each_cost_has_its_policy_without_another_reading(readers: Readers) -> None:
    tell(readers.scores, scores())
    tell(readers.forecasts, figures())
    page = opened(readers)
    before = page.texts["policy"].text
    page.cost.active = 4
    assert "Costs at 10 bp a unit" in page.texts["policy"].text != before
    assert "cost=10" in page.bridge.query
