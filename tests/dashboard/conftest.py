"""Databases with minutes and forecasts, a dashboard's own server on one, and a Chromium to look at it."""

from collections.abc import Callable, Iterator
from typing import Any

import browsing
import pytest
from dashboard_market import BARS_STORED, Market, serving
from playwright.sync_api import Browser, Page
from stacks import databases
from whole_site import whole_site


@pytest.fixture(scope="module")
def new_market(servers: Any) -> Iterator[Callable[[], Market]]:
    """Make databases of their own on the session's TimescaleDB, with the schema and no row."""
    with databases(servers, "dashboard") as make:
        yield lambda: Market(url=make())


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


@pytest.fixture(scope="session")
def site(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard whose pages all have something to show."""
    with (
        databases(servers, "site") as make,
        whole_site(make(), servers.kafka, tmp_path_factory.mktemp("site")) as address,
    ):
        yield address


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A Chromium."""
    with browsing.chromium() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """An empty tab, which complains of nothing and asks no other host."""
    with browsing.tab(chromium) as page:
        yield page
