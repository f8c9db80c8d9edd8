"""A forecast in detail, in Chromium: opened by a click, by the keyboard, by a link; its models were really trained."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import forecast_models
import psycopg
import pytest
from dashboard_market import serving
from forecast_models import MINUTE
from playwright.sync_api import Page, expect
from stacks import Servers, databases

from dashboard.live.forecast_time import written
from models.registry import listing

pytestmark = [pytest.mark.services, pytest.mark.browser]

WAIT_MS = 120_000
FIND = """const drawer = Bokeh.documents[0].roots().find(root => root.name === "forecast_detail")
    const found = [...drawer.references()].find(model => model.name === name)"""
DRAWN = f"name => {{ {FIND}; return found !== undefined }}"
COLUMN = f"""([name, column]) => {{
    {FIND}
    return Array.from(found.renderers.map(one => one.data_source.data).find(data => column in data)[column])
}}"""
PRICE = "Bokeh.index.roots.find(view => view.model.name === 'price')"
PLACE = f"time => {PRICE}.frame.x_scale.compute(time)"


@dataclass(frozen=True)
class Site:
    """A dashboard, the time of its newest bar, its home and its database."""

    address: str
    newest: int
    home: Path
    url: str


@pytest.fixture(scope="module")
def site(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("explained")
    with databases(servers, "forecast") as make:
        url = make()
        newest = forecast_models.make(home, url)
        with serving(url, servers.kafka, home, "--stale-after", "3600") as address:
            yield Site(address, newest, home, url)


def quoted(time: int) -> str:
    """Return a time as the address has it."""
    return quote(written(time))


def drawer(page: Page) -> Any:
    return page.get_by_role("dialog", name="Forecast in detail")


def opened(page: Page, site: Site, query: str) -> None:
    page.goto(f"{site.address}?symbol=BTCUSDT&{query}")
    expect(page.locator("body")).to_have_attribute("data-state", re.compile("waiting|replay"), timeout=WAIT_MS)


def click_at(page: Page, time: int) -> None:
    """Click on the candles at that time."""
    page.wait_for_function(f"{PRICE}?.model.renderers[0].data_source.data.time.length > 0")
    box = page.locator(".plot.price").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + page.evaluate(PLACE, time), box["y"] + 150)


def test_a_link_opens_the_forecast_with_its_waterfall(page: Page, site: Site) -> None:
    made = site.newest - 60 * MINUTE
    opened(page, site, f"model=gbm&horizon=15&forecast={written(made)}")
    panel = drawer(page)
    expect(panel.get_by_text("gbm, 15m ahead")).to_be_visible()
    expect(panel.get_by_text(re.compile("inside|outside"))).to_be_visible()
    expect(panel.get_by_text(re.compile(r"^(yes|no).*dissimilarity [\d.]+"))).to_be_visible()
    expect(panel.get_by_text("Not stored with a forecast.")).to_be_visible()
    version = listing.serving(site.home / "models")["gbm"]
    expect(panel.get_by_role("link", name=version)).to_have_attribute("href", re.compile(f"/inspector.*{version}"))
    deviations = panel.get_by_role("row").filter(has_text=re.compile(r"[+\u2212]\d+\.\d$"))
    first, second = (abs(float(deviations.nth(row).inner_text().split()[-1].replace("\u2212", "-"))) for row in (0, 1))
    assert first >= second > 0
    page.wait_for_function(DRAWN, arg="waterfall", timeout=WAIT_MS)
    names, sums = (page.evaluate(COLUMN, ["waterfall", column]) for column in ("name", "after"))
    assert names[-1] == "total"
    assert sums[-1] == pytest.approx(sums[-2], abs=1e-3), "the steps lead to the total"
    with psycopg.connect(site.url) as connection:
        query = "SELECT mean FROM predictions WHERE (symbol, model, horizon, time) = ('BTCUSDT', 'gbm', 15, %s)"
        row = connection.execute(query, [datetime.fromtimestamp(made / 1000, UTC)]).fetchone()
    assert row is not None
    assert sums[-1] == pytest.approx(10_000 * row[0], rel=0.02), "of what was published"
    expect(panel.get_by_text("as published")).to_be_visible()


def test_a_click_on_a_candle_or_the_fan_opens_it_and_escape_and_back_lead_out_and_in(page: Page, site: Site) -> None:
    opened(page, site, "model=ar&horizon=15")
    expect(drawer(page)).to_be_hidden()
    target = site.newest - 30 * MINUTE
    click_at(page, target)
    expect(drawer(page).get_by_text("ar, 15m ahead")).to_be_visible(timeout=WAIT_MS)
    page.wait_for_url(re.compile(f"forecast={re.escape(quoted(target - 15 * MINUTE))}"))
    page.keyboard.press("Escape")
    expect(drawer(page)).to_be_hidden()
    page.wait_for_url(lambda url: "forecast=" not in url)
    page.go_back()
    expect(drawer(page)).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(drawer(page)).to_be_hidden()
    click_at(page, site.newest + 55 * MINUTE)
    expect(drawer(page).get_by_text("ar, 1h ahead")).to_be_visible(timeout=WAIT_MS)
    expect(drawer(page).get_by_text("Not known yet")).to_be_visible()
    page.wait_for_url(re.compile(f"horizon=60.*forecast={re.escape(quoted(site.newest))}"))
    page.reload()
    expect(drawer(page).get_by_text("ar, 1h ahead")).to_be_visible(timeout=WAIT_MS)


@pytest.mark.long
def test_the_keyboard_opens_one_of_the_last_forecasts_and_gets_its_place_back(page: Page, site: Site) -> None:
    opened(page, site, "model=ar&horizon=15")
    newest = page.get_by_role("button", name=re.compile("^Forecast of")).first
    newest.focus()
    page.keyboard.press("Enter")
    close = page.get_by_role("button", name="Close")
    expect(close).to_be_focused(timeout=WAIT_MS)
    expect(newest).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Bar before").press("Enter")
    page.wait_for_url(re.compile(re.escape(quoted(site.newest - MINUTE))))
    expect(page.get_by_role("button", name="Bar before")).to_be_focused()
    page.keyboard.press("Escape")
    expect(drawer(page)).to_be_hidden()
    expect(newest).to_be_focused(timeout=WAIT_MS)


@pytest.mark.long
def test_a_network_shows_where_it_looked(page: Page, site: Site) -> None:
    opened(page, site, f"model=transformer&horizon=60&forecast={written(site.newest - 90 * MINUTE)}")
    page.wait_for_function(DRAWN, arg="looked", timeout=WAIT_MS)
    shares = page.evaluate(COLUMN, ["looked", "share"])
    assert sum(shares) == pytest.approx(1.0, abs=0.01)
    page.wait_for_function(DRAWN, arg="attention_encoder", timeout=WAIT_MS)


@pytest.mark.long
def test_a_version_that_is_gone_and_a_bar_without_a_forecast_are_said(page: Page, site: Site) -> None:
    folder = site.home / "models" / "ar" / listing.serving(site.home / "models")["ar"]
    folder.rename(site.home / "away")
    try:
        opened(page, site, f"model=ar&horizon=5&forecast={written(site.newest - 20 * MINUTE)}")
        expect(drawer(page).get_by_text("is no longer on disk")).to_be_visible(timeout=WAIT_MS)
        expect(drawer(page).get_by_text("its origin is not stored")).to_be_visible()
    finally:
        (site.home / "away").rename(folder)
    opened(page, site, "model=ar&horizon=5&forecast=2025-01-01T00:00Z")
    expect(drawer(page).get_by_text(re.compile("No forecast of ar .* is stored for"))).to_be_visible()
    opened(page, site, "model=ar&forecast=soon")
    expect(page.get_by_text("forecast=soon in the address is no time")).to_be_visible()
    expect(drawer(page)).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_opened_forecast_fits_a_phone(page: Page, site: Site, theme: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    opened(page, site, f"model=gbm&horizon=15&theme={theme}&forecast={written(site.newest - 60 * MINUTE)}")
    page.wait_for_function(DRAWN, arg="waterfall", timeout=WAIT_MS)
    box = drawer(page).bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 360)
    assert drawer(page).evaluate("one => one.scrollWidth <= one.clientWidth")
    inner = drawer(page).get_by_role("row").first.bounding_box()
    assert inner is not None
    assert inner["x"] + inner["width"] <= 360


@pytest.mark.long
def test_the_focus_stays_in_the_list_that_is_written_anew(page: Page, site: Site) -> None:
    opened(page, site, "model=ar&horizon=15")
    third = page.get_by_role("button", name=re.compile("^Forecast of")).nth(2)
    third.focus()
    name = third.get_attribute("data-press")
    page.evaluate("""() => {
      const list = Bokeh.documents[0].get_model_by_name("last_forecasts")
      list.text = list.text + " "
    }""")
    page.wait_for_timeout(500)
    expect(page.locator(f'[data-press="{name}"]')).to_be_focused()
