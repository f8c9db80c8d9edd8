"""A forecast in detail, in Chromium: opened by a click, by the keyboard, by a link; its models were really trained."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import forecast_models
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
    """A dashboard, the time of its newest bar, and its home."""

    address: str
    newest: int
    home: Path


@pytest.fixture(scope="module")
def site(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("explained")
    with databases(servers, "forecast") as make:
        url = make()
        newest = forecast_models.make(home, url)
        with serving(url, servers.kafka, home, "--stale-after", "3600") as address:
            yield Site(address, newest, home)


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """An empty tab whose console stays empty: no warning either."""
    lines: list[str] = []
    page.on("console", lambda line: lines.append(f"{line.type}: {line.text}") if line.type == "warning" else None)
    yield page
    assert lines == []


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
    version = listing.serving(site.home / "models")["gbm"]
    expect(panel.get_by_role("link", name=version)).to_have_attribute("href", re.compile("/inspector"))
    page.wait_for_function(DRAWN, arg="waterfall", timeout=WAIT_MS)
    assert page.evaluate(COLUMN, ["waterfall", "name"])[-1] == "total"
