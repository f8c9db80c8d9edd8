"""Yesterday and last week behind the prices: the same hours, scaled to the present price, never of the future."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psycopg
import pytest
from dashboard_market import FIRST, MINUTE, Market, serving
from playwright.sync_api import Page, expect

from dashboard.live.overlays.ghosts import scaled
from dashboard.live.overlays.reader import OverlayKey, read
from dashboard.live.past_view import written
from dashboard.live.view_state import BarSeries, Choice, parse, query

services = pytest.mark.services
browser = pytest.mark.browser

DAY = 1_440
STORED = 2 * DAY
WAIT_MS = 15_000
PLOT = "name => Bokeh.documents[0].get_model_by_name(name)"
GHOST = f"""name => (({PLOT})('price').renderers.find(one => one.name === name).data_source.data)"""
TIMES = f"() => Array.from(({PLOT})('price').renderers[0].data_source.data.time)"


def test_a_ghost_goes_through_the_last_price_in_view() -> None:
    time = np.arange(5.0)
    bars = {"start": time[:4], "close": np.array([5.0, 6.0, 7.0, 8.0])}
    ghost = {"time": time, "close": np.array([1.0, 2.0, 3.0, 4.0, 5.0])}
    assert scaled(ghost, bars, 9.0)["price"].tolist() == [2.0, 4.0, 6.0, 8.0, 10.0]
    assert scaled(ghost, bars, 1.5)["price"][1] == 6.0
    assert len(scaled(ghost, {"start": time + 50, "close": time}, 9.0)["time"]) == 0


def test_ghosts_are_off_until_they_are_switched_on() -> None:
    on = Choice().pressed("ghost:day")
    assert "ghost:day" in Choice().unseen
    assert "ghost:day" not in on.unseen
    assert query(on, "1m")["show"] == "ghost:day"
    assert parse({"show": "ghost:day,nonsense", "hide": "ghost:week"}, "1m")[0] == on


@pytest.fixture(scope="module")
def market(new_market: Callable[[], Market]) -> Market:
    market = new_market()
    market.write(STORED, ("BTCUSDT",))
    return market


@pytest.fixture(scope="module")
def dashboard(market: Market, servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(market.url, servers.kafka, tmp_path_factory.mktemp("home"), "--stale-after", "3600") as address:
        yield address


@services
@pytest.mark.parametrize("timeframe", ["1m", "5m"])
def test_a_ghost_is_the_close_of_the_day_before_and_not_of_later_than_the_last_bar(
    market: Market, timeframe: str
) -> None:
    end = FIRST + (STORED - 100) * MINUTE
    key = OverlayKey(
        series=BarSeries("BTCUSDT", "1m"),
        timeframe=timeframe,
        start=end - 60 * MINUTE,
        end=end,
        until=end,
        reach=end + 5_000 * MINUTE,
        ghosts=("day",),
        indicators=(),
    )
    with psycopg.connect(market.url) as connection:
        ghost = read(connection, key).ghosts["day"]
    assert ghost["time"][0] == key.start
    assert ghost["time"][-1] <= end + DAY * MINUTE
    if timeframe == "1m":
        minute = (key.start - FIRST) // MINUTE - DAY
        assert ghost["close"][0] == pytest.approx(market.close_at(minute))
        assert len(ghost["time"]) == 61 + DAY


@services
@browser
def test_a_ghost_is_switched_on_drawn_and_kept(page: Page, dashboard: str, market: Market) -> None:
    page.goto(dashboard)
    page.wait_for_function(f"Bokeh.documents.length && ({TIMES})().length > 0", timeout=WAIT_MS)
    assert len(page.evaluate(GHOST, "ghost:day")["time"]) == 0
    yesterday = page.get_by_role("button", name="yesterday")
    expect(yesterday).to_have_attribute("aria-pressed", "false")
    yesterday.click()
    page.wait_for_url(re.compile("show=ghost%3Aday"))
    page.wait_for_function(f"Object.keys(({GHOST})('ghost:day').time).length > 180", timeout=WAIT_MS)
    found = page.evaluate(f"() => {{const one = ({GHOST})('ghost:day'); return [[...one.time], [...one.price]]}}")
    prices = dict(zip(*found, strict=True))
    last = FIRST + (STORED - 1) * MINUTE
    assert prices[last] == pytest.approx(market.close_at(STORED - 1))
    factor = market.close_at(STORED - 1) / market.close_at(STORED - 1 - DAY)
    assert prices[last - 60 * MINUTE] == pytest.approx(factor * market.close_at(STORED - 61 - DAY))
    assert max(prices) > last  # what yesterday did next
    page.get_by_role("button", name="last week").click()
    expect(page.get_by_role("button", name="last week (not stored)")).to_be_visible(timeout=WAIT_MS)
    page.reload()
    expect(page.get_by_role("button", name="yesterday")).to_have_attribute("aria-pressed", "true", timeout=WAIT_MS)
    page.wait_for_function(f"Object.keys(({GHOST})('ghost:day').time).length > 180", timeout=WAIT_MS)


@services
@browser
@pytest.mark.long
def test_in_a_replay_the_ghost_goes_through_the_price_of_then(page: Page, dashboard: str, market: Market) -> None:
    at = written(FIRST + 2_000 * MINUTE)
    page.goto(f"{dashboard}?at={at}&replay={at}&show=ghost:day")
    page.wait_for_function(
        f"last => Bokeh.documents.length && [...({GHOST})('ghost:day').time].includes(last)",
        arg=FIRST + 1_999 * MINUTE,
        timeout=WAIT_MS,
    )
    found = page.evaluate(f"() => {{const one = ({GHOST})('ghost:day'); return [[...one.time], [...one.price]]}}")
    assert dict(zip(*found, strict=True))[FIRST + 1_999 * MINUTE] == pytest.approx(market.close_at(1_999))
