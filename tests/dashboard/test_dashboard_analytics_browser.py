"""Analytics in Chromium, on its real server and a real TimescaleDB."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from browsing import draw_all
from dashboard_market import Market, serving
from judged_market import CHALLENGER, JudgedMarket
from playwright.sync_api import Page, expect
from psycopg import sql

pytestmark = [pytest.mark.services, pytest.mark.browser]

WAIT_MS = 20_000
LINES = """name => Object.fromEntries(Bokeh.documents[0].get_model_by_name(name).renderers
    .filter(one => one.name).map(one => [one.name, one.data_source.get_length()]))"""
POINTS = "name => Bokeh.documents[0].get_model_by_name(name).renderers.at(-1).data_source.get_length()"
LEAVE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user"


@pytest.fixture(scope="module")
def url(new_market: Callable[[], Market]) -> str:
    """The address of a database with a judged market."""
    judged, url = JudgedMarket(560), new_market().url
    judged.store(url)
    judged.decide(url)
    return url


@pytest.fixture(scope="module")
def address(url: str, servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page."""
    with serving(url, servers.kafka, tmp_path_factory.mktemp("home"), "--stale-after", "3600") as address:
        yield f"{address}analytics"


def opened(page: Page, address: str, state: str = "live") -> None:
    page.goto(address)
    expect(page.locator("body")).to_have_attribute("data-state", state, timeout=WAIT_MS)


def test_every_panel_has_real_content_and_the_choice_is_in_the_address(page: Page, address: str) -> None:
    opened(page, f"{address}?horizon=5&symbol=DOGE")
    expect(page.get_by_text("There are no forecasts of DOGE")).to_be_visible()
    expect(page.get_by_text("forecasts, up to 18 May 2025")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text(f"Challenger {CHALLENGER}")).to_be_visible(timeout=WAIT_MS)
    draw_all(page)
    for name in ("skill", "coverage"):
        assert set(page.evaluate(LINES, name)) == {"gbm", "har", "naive"}
    for name in ("gain", "evidence"):
        assert page.evaluate(LINES, name)[CHALLENGER] > 0
    assert page.evaluate(LINES, "equity")["net"] > 0
    assert page.evaluate(LINES, "ic")["gbm"] > 0
    for name in ("reliability", "pit", "by_hour", "sharpness"):
        assert page.evaluate(POINTS, name) > 0
    for text in ("Errors by regime", "It is no advice", "has not evaluated the models yet", "pipeline", "run <1>"):
        expect(page.get_by_text(text).first).to_be_visible()
    page.get_by_role("button", name="1m", exact=True).click()
    page.get_by_role("button", name="10 bp", exact=True).click()
    page.locator("nav select").nth(0).select_option(label="ETHUSDT")
    page.wait_for_url(re.compile("symbol=ETHUSDT&horizon=1&model=gbm&cost=10"))
    expect(page.get_by_text("Costs at 10 bp a unit")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("gbm: 559 forecasts")).to_be_visible(timeout=WAIT_MS)
    page.set_viewport_size({"width": 360, "height": 740})
    page.get_by_role("button", name="Dark", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.wait_for_function("document.documentElement.scrollWidth <= 360")


@pytest.mark.long
def test_a_database_that_goes_away_is_said_and_what_is_shown_is_marked_as_old(
    page: Page, address: str, url: str, servers: Any
) -> None:
    name = url.rsplit("/", 1)[1]
    opened(page, address)
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        try:
            connection.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
            connection.execute(LEAVE, (name,))
            expect(page.locator("body")).to_have_attribute("data-state", "unreachable", timeout=WAIT_MS)
            expect(page.get_by_text("These figures were read")).to_be_visible()
        finally:
            connection.execute(allow.format(sql.Identifier(name), sql.SQL("true")))
        expect(page.locator("body")).to_have_attribute("data-state", "live", timeout=WAIT_MS)
