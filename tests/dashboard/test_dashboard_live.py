"""What a trader does on the live page, in Chromium: reads the forecast, looks at the past, switches, goes back."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dashboard_market import FIRST, MINUTE, Market, serving
from playwright.sync_api import Page, expect

from dashboard.palette import LIGHT
from models.colours import COLOURS

pytestmark = [pytest.mark.services, pytest.mark.browser]

WAIT_MS = 15_000
STORED = 1_500
SHOWN = re.compile("waiting|replay")
PLOT = "name => Bokeh.documents[0].get_model_by_name(name)"
COLUMN = f"name => Array.from(({PLOT})('price').renderers[0].data_source.data[name])"
FAN_COLOURS = f"""() => ({PLOT})('price').renderers.slice(1, 5).map(
  renderer => (renderer.glyph.fill_color ?? renderer.glyph.line_color).value)"""
SCORE_COLOURS = f"""() => ({PLOT})('skill').renderers.filter(renderer => renderer.name).map(
  renderer => [renderer.name, renderer.glyph.line_color.value])"""
MOVE = f"([start, end]) => ({PLOT})('price').x_range.setv({{start, end}})"


@pytest.fixture(scope="module")
def market(new_market: Callable[[], Market]) -> Market:
    market = new_market()
    market.write(STORED, ("BTCUSDT",))
    return market


@pytest.fixture(scope="module")
def dashboard(market: Market, servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard to which no bar comes unless a test writes one."""
    with serving(market.url, servers.kafka, tmp_path_factory.mktemp("home"), "--stale-after", "3600") as address:
        yield address


def opened(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("body")).to_have_attribute("data-state", SHOWN, timeout=WAIT_MS)
    page.wait_for_function(f"({COLUMN})('time').length > 0")


def column(page: Page, name: str) -> list[float]:
    values: list[float] = page.evaluate(COLUMN, name)
    return values


def button(page: Page, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True)


def test_every_colour_is_there_after_a_reload_though_no_bar_comes(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    for _ in range(2):
        page.wait_for_function(f"({SCORE_COLOURS})().length == 2", timeout=WAIT_MS)
        page.wait_for_timeout(700)
        assert set(page.evaluate(FAN_COLOURS)) == {COLOURS["gbm"].light}
        assert dict(page.evaluate(SCORE_COLOURS)) == {name: COLOURS[name].light for name in ("gbm", "naive")}
        strokes = page.locator(".score svg.line path").evaluate_all("all => all.map(one => one.getAttribute('stroke'))")
        assert strokes == [COLOURS["gbm"].light, COLOURS["naive"].light]
        page.reload()
        page.wait_for_function("Bokeh.documents.length > 0")
        expect(page.locator("body")).to_have_attribute("data-state", SHOWN, timeout=WAIT_MS)


def test_the_forecast_is_beside_the_fan_in_numbers_and_in_its_tooltip(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    words = page.locator("p.forecast")
    expect(words).to_contain_text(re.compile(r"15m ahead: 50 % chance of a rise, 90 % between [\d,.]+ and [\d,.]+ by"))
    expect(words).to_contain_text("by 01:14 UTC")
    expect(page.get_by_role("row").filter(has_text="90 % from").filter(has_text="Ahead")).to_be_visible()
    place = page.evaluate("""() => {
      const view = Bokeh.index.roots.find(view => view.model.name === 'price'), fan = view.model.renderers[1]
      return view.frame.x_scale.compute(fan.data_source.data.time.at(-1))
    }""")
    box = page.locator(".plot.price").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + place, box["y"] + 150)
    tip = page.locator(".tip")
    expect(tip.get_by_text("Chance of a rise")).to_be_visible(timeout=WAIT_MS)
    expect(tip.get_by_text(re.compile(r"^by .* UTC$"))).to_be_visible()
    assert tip.count() == 1


@pytest.mark.long
def test_a_legends_entry_switches_what_it_stands_for_and_keeps_the_focus(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    band = button(page, "90 %")
    expect(band).to_have_attribute("aria-pressed", "true", timeout=WAIT_MS)
    band.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("hide=q05"))
    expect(band).to_have_attribute("aria-pressed", "false")
    page.wait_for_function(f"({PLOT})('price').renderers[1].visible === false")
    expect(band).to_be_focused()
    button(page, "naive").click()
    page.wait_for_url(re.compile("model%3Anaive"))
    for name in ("coverage", "skill"):
        page.wait_for_function(f"({PLOT})('{name}').renderers.find(one => one.name === 'naive').visible === false")
    page.reload()
    expect(band).to_have_attribute("aria-pressed", "false", timeout=WAIT_MS)
    band.click()
    page.wait_for_function(f"({PLOT})('price').renderers[1].visible === true")


@pytest.mark.long
def test_every_chooser_has_a_name(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    for name in ("Symbol", "Model"):
        expect(page.get_by_role("combobox", name=name, exact=True)).to_be_visible()
    for name in ("Horizon", "Span", "Times", "Theme"):
        expect(page.get_by_role("group", name=name, exact=True)).to_be_visible()


@pytest.mark.long
def test_back_leads_to_the_choice_before(page: Page, dashboard: str) -> None:
    def seen(query: str, words: str) -> None:
        page.wait_for_url(re.compile(query))
        expect(page.locator("p.forecast")).to_contain_text(words, timeout=WAIT_MS)

    opened(page, f"{dashboard}?model=gbm")
    seen("horizon=15&model=gbm", "gbm, 15m ahead")
    page.get_by_role("combobox", name="Model").select_option(label="naive")
    seen("horizon=15&model=naive", "naive, 15m ahead")
    button(page, "1h").click()
    seen("horizon=60&model=naive", "naive, 1h ahead")
    page.go_back()
    seen("horizon=15&model=naive", "naive, 15m ahead")
    page.go_back()
    seen("horizon=15&model=gbm", "gbm, 15m ahead")
    page.go_forward()
    seen("horizon=15&model=naive", "naive, 15m ahead")


@pytest.mark.long
def test_times_are_local_by_choice(chromium: Any, dashboard: str) -> None:
    context = chromium.new_context(timezone_id="Asia/Tokyo")
    page = context.new_page()
    opened(page, dashboard)
    expect(page.locator("p.forecast")).to_contain_text("UTC", timeout=WAIT_MS)
    button(page, "Local").click()
    page.wait_for_url(re.compile("clock=local"))
    expect(page.locator("p.forecast")).to_contain_text("JST", timeout=WAIT_MS)
    expect(page.locator(".headline")).to_contain_text("JST")
    formatter = f"({PLOT})('volume').below[0].formatter"
    assert page.evaluate(f"() => {formatter}.args.zone") == "Asia/Tokyo"
    context.close()


@pytest.mark.long
def test_a_view_of_the_past_is_read_and_a_wide_one_is_in_longer_candles(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    assert column(page, "time")[0] > FIRST + 1_000 * MINUTE
    page.evaluate(MOVE, [FIRST + 100 * MINUTE, FIRST + 200 * MINUTE])
    page.wait_for_function(f"({COLUMN})('time')[0] < {FIRST + 100 * MINUTE}", timeout=WAIT_MS)
    times = column(page, "time")
    assert {FIRST + minute * MINUTE for minute in range(100, 200)} <= set(times)
    expect(page.locator(".headline")).to_contain_text("19 May 2025")  # of the newest bar, whatever is looked at
    page.evaluate(MOVE, [FIRST - 1_000 * MINUTE, FIRST + 2_000 * MINUTE])
    page.wait_for_function(f"({COLUMN})('time')[1] - ({COLUMN})('time')[0] == {5 * MINUTE}", timeout=WAIT_MS)
    expect(page.get_by_text("5m candles")).to_be_visible()
    expect(page.get_by_text("stored from 18 May 2025 00:00 UTC")).to_be_visible()
    assert len(column(page, "time")) < STORED / 4


def test_a_forecast_that_is_left_behind_is_grey_and_dated(
    page: Page, new_market: Callable[[], Market], servers: Any, tmp_path: Any
) -> None:
    market = new_market()
    market.write(30, ("BTCUSDT",))
    with serving(market.url, servers.kafka, tmp_path, "--stale-after", "3600") as address:
        opened(page, address)
        assert set(page.evaluate(FAN_COLOURS)) == {COLOURS["gbm"].light}
        market.write(5, ("BTCUSDT",), said=False)
        expect(page.locator("p.forecast")).to_contain_text("Old forecast of 18 May 2025 00:29 UTC, 5 bars before")
        assert set(page.evaluate(FAN_COLOURS)) == {LIGHT.muted}
        page.goto("about:blank")


@pytest.mark.long
def test_the_cross_hair_leaves_nothing_behind(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    page.wait_for_timeout(1_000)
    before = page.locator(".plot.ribbon").screenshot()
    box = page.locator(".plot.price").bounding_box()
    assert box is not None
    for step in range(12):
        page.mouse.move(box["x"] + 300 + 23.4 * step, box["y"] + 250)
        page.wait_for_timeout(30)
    assert page.locator(".plot.ribbon").screenshot() != before
    page.mouse.move(5, 5)
    page.wait_for_timeout(500)
    assert page.locator(".plot.ribbon").screenshot() == before


@pytest.mark.long
def test_one_tooltip_names_every_model_and_the_tools_are_beside_the_plot(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    page.wait_for_timeout(500)
    box = page.locator(".score .plot").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tip = page.locator(".tip")
    for model in ("gbm", "naive"):
        expect(tip.get_by_text(model, exact=True)).to_be_visible(timeout=WAIT_MS)
    assert tip.count() == 1
    view = "Bokeh.index.roots.find(view => view.model.name === 'price')"
    top = page.evaluate(
        f"() => {view}.frame.bbox.top + document.querySelector('.plot.price').getBoundingClientRect().top"
    )
    tools = page.locator(".plot.price .bk-tool-icon").first.bounding_box()
    assert tools is not None
    assert tools["y"] + tools["height"] <= top


def test_the_page_loads_under_two_megabytes_and_no_unneeded_bundle(page: Page, dashboard: str) -> None:
    sizes: dict[str, int] = {}
    page.on("response", lambda reply: sizes.update({reply.url: len(reply.body())}) if reply.status == 200 else None)
    opened(page, dashboard)
    assert not [url for url in sizes if "mathjax" in url or "bokeh-gl" in url]
    assert sum(sizes.values()) < 2_000_000
