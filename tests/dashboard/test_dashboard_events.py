"""What happened beside the market is marked on the chart, each kind told apart and switched off alone: in Chromium."""

import io
import re
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from colour_sight import SIGHTS, contrast, oklab
from dashboard_market import Market, serving
from past_market import at, happen
from PIL import Image
from playwright.sync_api import Page, expect
from storing import store

from dashboard.clock import Clock
from dashboard.live.event_kinds import KINDS, ROLLBACK
from dashboard.live.overlays.events import Event, marks
from dashboard.palette import DARK, LIGHT
from topics.catalog import ALERTS
from topics.records import Alert

browser = pytest.mark.browser
services = pytest.mark.services

STORED = 420
WAIT_MS = 15_000
PLOT = "name => Bokeh.documents[0].get_model_by_name(name)"
MARKS = f"name => Array.from(({PLOT})('events').renderers[1].data_source.data[name])"
LINES = f"""name => Array.from(
  ({PLOT})('price').renderers.find(one => one.name === 'event lines').data_source.data[name])"""
PLACE = f"""row => {{
  const plot = ({PLOT})('events'), view = Bokeh.index.roots.find(view => view.model === plot)
  const data = plot.renderers[1].data_source.data, box = document.querySelector('.plot.events').getBoundingClientRect()
  return [box.x + view.frame.x_scale.compute(data.time[row]), box.y + view.frame.y_scale.compute(data.lane[row])]
}}"""


@pytest.fixture(scope="module")
def market(new_market: Callable[[], Market]) -> Market:
    market = new_market()
    market.write(STORED)
    happen(market, STORED - 1)
    return market


@pytest.fixture(scope="module")
def dashboard(market: Market, servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(market.url, servers.kafka, tmp_path_factory.mktemp("home"), "--stale-after", "3600") as address:
        yield address


def opened(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function(f"Bokeh.documents.length && ({MARKS})('time').length > 0", timeout=WAIT_MS)


def kinds(page: Page) -> list[str]:
    return [re.sub("<.*", "", text.removeprefix("<b>")) for text in page.evaluate(MARKS, "text")]


def event(kind: str, time: float, **more: Any) -> Event:
    known: dict[str, Any] = {"variant": "info", "start": None, "subject": "it", "why": "so", "by": ""}
    return Event(kind=kind, time=time, **known | more)


@pytest.mark.parametrize(("theme", "card"), [("light", LIGHT.card), ("dark", DARK.card)])
@pytest.mark.parametrize("sight", SIGHTS)
def test_the_kinds_are_told_apart_by_those_who_see_no_red_or_no_green(theme: str, card: str, sight: str) -> None:
    for one, other in combinations(KINDS, 2):
        first, second = oklab(getattr(one, theme), sight), oklab(getattr(other, theme), sight)
        assert np.linalg.norm(first - second) > 0.1, (one.name, other.name)
    assert min(contrast(getattr(kind, theme), card) for kind in KINDS) > 3


def test_each_kind_has_a_shape_of_its_own() -> None:
    shapes = [kind.marker for kind in KINDS]
    assert len({*shapes, ROLLBACK}) == len(shapes) + 1
    assert len({kind.path for kind in KINDS}) == len(KINDS)


def test_events_of_one_kind_in_one_candle_are_one_mark_that_tells_the_newest_first() -> None:
    found = marks([event("alert", 60_000 + at, subject=f"rule {at}") for at in range(7)], 60_000, 0, Clock())
    assert [(mark.time, mark.count) for mark in found] == [(60_000, 7)]
    assert found[0].text.index("rule 6") < found[0].text.index("rule 2")
    assert "rule 1" not in found[0].text
    assert "and 2 more" in found[0].text


def test_what_comes_from_data_is_escaped() -> None:
    (mark,) = marks([event("alert", 0, subject="<i>", why="<script>")], 60_000, 0, Clock())
    assert "<i>" not in mark.text
    assert "<script>" not in mark.text


@services
@browser
def test_every_kind_is_marked_where_it_was_and_nothing_of_another_symbol(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    assert sorted(page.evaluate(MARKS, "marker")) == sorted(
        ["triangle", "inverted_triangle", "diamond", "square", "hex", "circle", "circle"]
    )
    shown = kinds(page)
    for said in ("gbm v2 promoted", "gbm v1 rolled back", "retraining r7, done", "drift of errors, gbm v1"):
        assert said in shown
    assert len(page.evaluate(LINES, "time")) == 4
    assert {kind.light for kind in KINDS} <= colours(page)


def colours(page: Page) -> set[str]:
    page.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(page.locator(".plot.events").screenshot())).convert("RGB")
    return {"#{:02x}{:02x}{:02x}".format(*pixel) for _, pixel in picture.getcolors(1 << 24) or []}


@services
@browser
@pytest.mark.long
def test_pointing_at_a_mark_says_what_when_and_why(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    page.wait_for_timeout(500)
    row = page.evaluate(MARKS, "marker").index("inverted_triangle")
    page.mouse.move(*page.evaluate(PLACE, row))
    tip = page.locator(".tip.events")
    expect(tip).to_contain_text("gbm v1 rolled back", timeout=WAIT_MS)
    expect(tip).to_contain_text("18 May 2025 06:19 UTC")
    expect(tip).to_contain_text("worse in the <b>evening</b> (user)")


@services
@browser
@pytest.mark.long
def test_a_kind_is_switched_off_and_stays_so(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    page.get_by_role("button", name=re.compile("^drift")).click()
    page.wait_for_url(re.compile("hide=event%3Adrift"))
    page.wait_for_function(f"!({MARKS})('marker').includes('square')")
    assert len(page.evaluate(LINES, "time")) == 3
    page.reload()
    page.wait_for_function(f"Bokeh.documents.length && ({MARKS})('time').length == 6", timeout=WAIT_MS)
    drift = page.get_by_role("button", name=re.compile("^drift"))
    expect(drift).to_have_attribute("aria-pressed", "false")
    drift.click()
    page.wait_for_function(f"({MARKS})('marker').includes('square')")


@services
@browser
def test_an_alert_that_comes_is_marked_without_a_bar(page: Page, dashboard: str, market: Market) -> None:
    opened(page, f"{dashboard}?symbol=ETHUSDT")
    before = len(page.evaluate(MARKS, "time"))
    record = Alert(alert_id="n", rule="r", symbol="ETHUSDT", time=at(STORED - 30), severity="critical", message="now")
    store(market.url, {ALERTS: [record]})
    page.wait_for_function(f"before => ({MARKS})('time').length === before + 1", arg=before, timeout=WAIT_MS)
