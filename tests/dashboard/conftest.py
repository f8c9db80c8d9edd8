"""Databases with minutes and forecasts, a dashboard's own server on one, and a Chromium to look at it."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from dashboard_market import BARS_STORED, Market, serving
from playwright.sync_api import Browser, Page, sync_playwright
from stacks import databases

from dashboard.screenshot import ARGUMENTS, CHROMIUM


@pytest.fixture(scope="module")
def new_market(servers: Any) -> Iterator[Callable[[], Market]]:
    """Make databases of their own on the session's TimescaleDB, with the schema and no row."""
    with databases(servers, "dashboard") as make:
        yield lambda: Market(make())


@pytest.fixture(scope="module")
def market(new_market: Callable[[], Market]) -> Market:
    """A database with `BARS_STORED` minutes of two symbols and a gap."""
    market = new_market()
    market.write(BARS_STORED)
    return market


@pytest.fixture(scope="module")
def dashboard(market: Market, servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard on `market`."""
    with serving(market.url, servers.kafka, tmp_path_factory.mktemp("home"), "--stale-after", "3600") as address:
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty tab; the test fails when the browser complained, or asked any other host for anything."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    tab = context.new_page()
    complaints: list[str] = []
    hosts: set[str | None] = set()
    tab.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    tab.on("websocket", lambda socket: hosts.add(urlsplit(socket.url).hostname))
    yield tab
    context.close()
    assert complaints == []
    assert hosts <= {"127.0.0.1", None}  # None: data and blob URLs, which stay in the browser
