"""Chosen indicators in panes below the prices: on their time axis and cross-hair, with units, kept in the address."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psycopg
import pytest
from dashboard_market import FIRST, MINUTE, Market, serving
from past_market import at, indicate
from playwright.sync_api import Page, expect

from dashboard.live.overlays.panes import unit_of
from dashboard.live.overlays.reader import OverlayKey, read
from dashboard.live.past_view import written
from dashboard.live.view_state import MOST_PANES, BarSeries, Choice, parse, query

services = pytest.mark.services
browser = pytest.mark.browser

STORED = 600
CHANGED = 300
"""From this minute on the features are of another definition, in another order."""
WAIT_MS = 15_000
PLOT = "name => Bokeh.documents[0].get_model_by_name(name)"
PANE = f"name => ({PLOT})('pane ' + name).renderers[0].data_source.data"
TIMES = f"() => Array.from(({PLOT})('price').renderers[0].data_source.data.time)"


@pytest.mark.parametrize(
    ("name", "unit"), [("sma_12", "USDT"), ("rsi_14", "%"), ("rsi_14@15m", "%"), ("zscore_60", "deviations"), ("x", "")]
)
def test_a_pane_says_its_unit(name: str, unit: str) -> None:
    assert unit_of(name, "USDT") == unit


def test_the_address_keeps_the_indicators_and_their_order() -> None:
    choice = Choice(indicators=("rsi_14", "atr_14@15m"))
    address = {name: value for name, value in query(choice, "1m").items() if value}
    assert parse(address, "1m")[0] == choice
    many = ",".join(f"a{number}" for number in range(9))
    assert len(parse({"panes": f"rsi_14,rsi_14,<b>,{many}"}, "1m")[0].indicators) == MOST_PANES


@pytest.fixture(scope="module")
def market(new_market: Callable[[], Market]) -> Market:
    market = new_market()
    market.write(STORED, ("BTCUSDT",))
    indicate(market, range(CHANGED))
    indicate(market, range(CHANGED, STORED), "other", ("log_return_1", "rsi_14"))
    return market


@pytest.fixture(scope="module")
def dashboard(market: Market, servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(market.url, servers.kafka, tmp_path_factory.mktemp("home"), "--stale-after", "3600") as address:
        yield address


def key(timeframe: str, **more: Any) -> OverlayKey:
    known: dict[str, Any] = {
        "series": BarSeries("BTCUSDT", "1m"),
        "start": at(0),
        "end": at(STORED - 1),
        "until": at(STORED),
        "reach": at(STORED),
        "ghosts": (),
        "indicators": ("rsi_14", "log_return_1", "nonsense"),
    }
    return OverlayKey(timeframe=timeframe, **known | more)


@services
def test_a_column_is_read_by_its_name_whatever_its_place_was_then(market: Market) -> None:
    with psycopg.connect(market.url) as connection:
        found = read(connection, key("1m"))
        part = read(connection, key("5m", end=at(401)))
    assert set(found.names) == {"rsi_14", "log_return_1"}
    assert found.indicators["rsi_14"]["value"].tolist() == list(range(STORED))
    assert found.indicators["rsi_14"]["time"].tolist() == [at(minute) for minute in range(STORED)]
    assert np.isnan(found.indicators["log_return_1"]["value"][:60]).all()
    assert found.indicators["log_return_1"]["value"][60:].tolist() == [minute / 10 for minute in range(60, STORED)]
    assert "nonsense" not in found.indicators
    assert part.indicators["rsi_14"]["value"][-3:].tolist() == [394, 399, 401]


@services
@browser
def test_an_indicator_is_chosen_drawn_and_kept(page: Page, dashboard: str) -> None:
    page.goto(dashboard)
    page.wait_for_function(f"Bokeh.documents.length && ({TIMES})().length > 0", timeout=WAIT_MS)
    chooser = page.get_by_role("combobox", name="Indicators")
    expect(chooser).to_be_enabled(timeout=WAIT_MS)
    chooser.select_option(label="rsi_14")
    page.wait_for_url(re.compile("panes=rsi_14"))
    page.wait_for_function(f"({PLOT})('pane rsi_14') && [...({PANE})('rsi_14').value].at(-1) === 599", timeout=WAIT_MS)
    expect(page.get_by_role("heading", name="rsi_14 %")).to_be_visible()
    shared = f"() => ({PLOT})('pane rsi_14').x_range === ({PLOT})('price').x_range"
    assert page.evaluate(shared)
    overlay = "toolbar.tools.find(tool => tool.type === 'CrosshairTool').overlay"
    assert page.evaluate(f"() => ({PLOT})('pane rsi_14').{overlay} === ({PLOT})('price').{overlay}")
    page.goto(f"{dashboard}?panes=rsi_14,log_return_1,none_such")
    page.wait_for_function(
        f"Bokeh.documents.length && ({PLOT})('pane log_return_1') && [...({PANE})('log_return_1').value].length > 100",
        timeout=WAIT_MS,
    )
    expect(page.get_by_role("heading", name="log_return_1 log return")).to_be_visible()
    expect(page.get_by_role("heading", name="none_such not stored here")).to_be_visible()
    boxes = [page.locator(".plot.price").bounding_box(), page.locator(".panes").bounding_box()]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["height"] >= 280
    assert boxes[1]["height"] >= 3 * 92
    assert page.evaluate("document.body.dataset.panes") == "3"
    page.get_by_role("button", name="Remove log_return_1").press("Enter")
    page.wait_for_url(re.compile("panes=rsi_14%2Cnone_such"))
    page.wait_for_function("document.body.dataset.panes === '2'")
    page.go_back()
    page.wait_for_function("document.body.dataset.panes === '3'")


@services
@browser
@pytest.mark.long
def test_in_a_replay_an_indicator_ends_with_the_last_bar(page: Page, dashboard: str) -> None:
    moment = written(FIRST + 500 * MINUTE)
    page.goto(f"{dashboard}?at={moment}&replay={moment}&panes=rsi_14")
    page.wait_for_function(
        f"Bokeh.documents.length && ({PLOT})('pane rsi_14') && [...({PANE})('rsi_14').value].at(-1) === 499",
        timeout=WAIT_MS,
    )
