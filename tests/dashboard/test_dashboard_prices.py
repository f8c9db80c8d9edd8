"""Very small prices, and one that is wrong, on the page in Chromium."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dashboard_market import FIRST, MINUTE, Market, serving
from playwright.sync_api import Page, expect
from short_form import keeping

pytestmark = [pytest.mark.services, pytest.mark.browser]

WAIT_MS = 15_000
STORED = 240
SPIKE, DIP = 130, 160
LEVELS = {"AAABTC": 2.263e-10, "BBBBTC": 7.1e-12, "CCCUSD": 1.2e-6, "DDDUSD": 3.4e-5, "EEEUSD": 0.9999}
SMALLEST = "BBBBTC"
WRONG = {SPIKE: 10.0, DIP: 0.1}
LABELS = """name => {
  const root = Bokeh.index.roots.find(view => view.model.name === name), axis = root.model.right[0]
  const view = root.views.find_one(axis)
  return view.compute_labels(view.tick_coords.major[1]).items.map(item => item.text)
}"""
FRAME = """name => {
  const view = Bokeh.index.roots.find(view => view.model.name === name)
  return [view.frame.bbox.left, view.frame.bbox.right]
}"""
RANGE = "() => {const y = Bokeh.documents[0].get_model_by_name('price').y_range; return [y.start, y.end]}"
BEYOND = """column => {
  const plot = Bokeh.index.roots.find(view => view.model.name === 'price')
  const model = plot.model.renderers.find(renderer => renderer.name === 'beyond ' + column)
  const marks = plot.views.find_one(model)
  return Array.from(model.view.indices).map((row, at) =>
    ({value: model.data_source.data[column][row], place: [marks.glyph.sx[at], marks.glyph.sy[at]]}))
}"""
LABELLED = """() => {
  const plot = Bokeh.index.roots.find(view => view.model.name === 'price')
  const texts = plot.model.renderers.filter(model => model.glyph.type === 'Text')
  return texts.flatMap(model => Array.from(plot.views.find_one(model).glyph.text))
}"""


@pytest.fixture(scope="module")
def dashboard(
    new_market: Callable[[], Market], servers: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a dashboard on symbols at every size, and one at 100 with two wrong closes."""
    url = new_market().url
    for symbol, level in LEVELS.items():
        Market(url=url, level=level).write(STORED, (symbol,))
    Market(url=url, level=100.0, wrong=WRONG).write(STORED, ("WRONGUSD",))
    Market(url=url, level=100.0, spread=1.0).write(STORED, ("WIDEUSD",))
    with serving(url, servers.kafka, tmp_path_factory.mktemp("home"), "--stale-after", "3600") as address:
        yield address


def opened(page: Page, address: str, symbol: str) -> None:
    page.goto(f"{address}?symbol={symbol}")
    expect(page.locator("body")).to_have_attribute("data-state", re.compile("waiting|replay"), timeout=WAIT_MS)
    page.wait_for_timeout(1_000)


@pytest.mark.parametrize("symbol", keeping((SMALLEST,), LEVELS))
def test_a_price_of_any_size_is_shown_with_its_digits(page: Page, dashboard: str, symbol: str) -> None:
    opened(page, dashboard, symbol)
    close = Market(url="", level=LEVELS[symbol]).close_at(STORED - 1)
    for text in (page.locator(".headline .price").inner_text(), page.title().removeprefix(symbol)):
        match = re.search(r"[\d.]+(e-\d+)?", text)
        assert match is not None
        assert float(match[0]) == pytest.approx(close, rel=5.1e-4)
        assert len(re.sub(r"^0+|e.*", "", match[0].replace(".", ""))) >= 4
    labels = page.evaluate(LABELS, "price")
    assert len(labels) > 3
    assert len(set(labels)) == len(labels)
    assert [float(label) for label in labels] == sorted(float(label) for label in labels)
    frames = {tuple(page.evaluate(FRAME, name)) for name in ("price", "ribbon", "volume")}
    assert len(frames) == 1  # a label that is too long would move the times of one plot


@pytest.mark.long
def test_a_tooltip_says_a_small_price(page: Page, dashboard: str) -> None:
    opened(page, dashboard, "AAABTC")
    box = page.locator(".plot.price").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 250)
    expect(page.locator(".tip dd").first).to_have_text(re.compile(r"2\.2\d+e-10"), timeout=WAIT_MS)


def test_a_wrong_close_leaves_the_candles_readable_and_is_marked(page: Page, dashboard: str) -> None:
    opened(page, dashboard, "WRONGUSD")
    low, high = page.evaluate(RANGE)
    assert 90 < low < 99
    assert 101 < high < 110
    market = Market(url="", level=100.0)
    for column, wrong in (("high", market.close_at(SPIKE) * 10 * 1.0005), ("low", market.close_at(DIP) * 0.1 * 0.9995)):
        assert [mark["value"] for mark in page.evaluate(BEYOND, column)] == pytest.approx([wrong])


@pytest.mark.long
def test_wrong_prices_stay_marked_when_the_view_moves_and_those_in_view_are_labelled(
    page: Page, dashboard: str
) -> None:
    opened(page, dashboard, "WRONGUSD")
    highest, lowest = "[0-9]{3}[.][0-9]+|1,00[0-9]", "(9|10)[.][0-9]+"
    assert matching(page.evaluate(LABELLED), highest, lowest)
    move = "([start, end]) => {Bokeh.documents[0].get_model_by_name('price').x_range.setv({start, end})}"
    for middle, texts in ((SPIKE, [highest]), (DIP, [lowest]), ((SPIKE + DIP) // 2, [])):
        page.evaluate(move, [FIRST + (middle - 10) * MINUTE, FIRST + (middle + 10) * MINUTE])
        page.wait_for_timeout(500)
        low, high = page.evaluate(RANGE)
        assert 95 < low < high < 105
        assert high - low < 6
        assert matching(page.evaluate(LABELLED), *texts)


def test_a_vast_forecast_leaves_the_candles_readable_and_is_marked(page: Page, dashboard: str) -> None:
    opened(page, dashboard, "WIDEUSD")
    low, high = page.evaluate(RANGE)
    assert 90 < low < 99
    assert 101 < high < 110
    assert [len(page.evaluate(BEYOND, level)) for level in ("q05", "q95")] == [4, 4]
    assert [len(page.evaluate(BEYOND, end)) > 100 for end in ("lower", "upper")] == [True, True]
    assert page.evaluate(BEYOND, "high") == page.evaluate(BEYOND, "low") == page.evaluate(LABELLED) == []
    mark = page.evaluate(BEYOND, "q95")[-1]
    box = page.locator(".plot.price").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + mark["place"][0], box["y"] + mark["place"][1])
    expect(page.locator(".tip dt").get_by_text("90 % interval")).to_be_visible(timeout=WAIT_MS)


def matching(texts: list[str], *patterns: str) -> bool:
    return len(texts) == len(patterns) and all(map(re.fullmatch, patterns, texts))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_mark_at_the_edge_says_the_price_where_it_is_pointed_at(page: Page, dashboard: str, theme: str) -> None:
    page.emulate_media(color_scheme=theme)
    opened(page, dashboard, "WRONGUSD")
    (mark,) = page.evaluate(BEYOND, "high")
    box = page.locator(".plot.price").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + mark["place"][0], box["y"] + mark["place"][1])
    expect(page.locator(".tip").get_by_text("High", exact=True).first).to_be_visible(timeout=WAIT_MS)
