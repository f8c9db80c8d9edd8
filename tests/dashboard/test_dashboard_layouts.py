"""Panels that are switched off, named layouts, and models beside horizons, in Chromium on the live page."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from dashboard_market import Market, serving
from playwright.sync_api import Page, expect

from dashboard.live.panel_switches import names, switched, switches
from dashboard.live.view_state import Choice, parse, query

WAIT_MS = 15_000


def test_a_switch_takes_a_panel_away_and_brings_it_back_and_the_address_keeps_it() -> None:
    choice = switched(Choice(), "panel:skill")
    assert choice.without == {"skill"}
    assert parse({"without": query(choice, "1m")["without"] or ""}, "1m") == (choice, ())
    assert switched(choice, "panel:skill") == Choice()
    assert switched(choice, "panel:none") == switched(choice, "skill") == choice
    assert switches(choice).count('aria-pressed="false"') == 1
    assert switches(choice).count("<button") == len(names())


def test_an_unknown_panel_in_the_address_is_ignored() -> None:
    choice, _ = parse({"without": "skill,<b>,"}, "1m")
    assert choice.without == {"skill"}


@pytest.fixture(scope="module")
def dashboard(
    new_market: Callable[[], Market], servers: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    market = new_market()
    market.write(200)
    with serving(market.url, servers.kafka, tmp_path_factory.mktemp("home"), "--stale-after", "3600") as address:
        yield address


def opened(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("body")).to_have_attribute("data-state", re.compile("waiting|replay"), timeout=WAIT_MS)


def menu(page: Page) -> Any:
    details = page.locator("details.layout")
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    return details


def panel(page: Page, name: str) -> Any:
    return page.locator(f"[data-panel={name}]")


@pytest.mark.services
@pytest.mark.browser
def test_a_named_layout_survives_a_reload_for_any_symbol_and_can_be_deleted(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    for name in ("Skill", "Pipeline", "Models and horizons"):
        menu(page).get_by_role("button", name=name, exact=True).click()
        page.wait_for_url(re.compile("without="))
    page.get_by_role("button", name="1h", exact=True).click()
    page.wait_for_url(re.compile("horizon=60.*without=comparison%2Cpipeline%2Cskill"))
    for name in ("skill", "pipeline", "comparison"):
        expect(panel(page, name)).to_be_hidden()
    menu(page).get_by_label("Name for what is shown now").fill("<i>calm</i>")
    page.keyboard.press("Enter")
    saved = page.get_by_role("button", name="<i>calm</i>", exact=True)
    expect(saved).to_have_attribute("aria-pressed", "true")
    opened(page, f"{dashboard}?symbol=ETHUSDT")
    expect(panel(page, "skill")).to_be_visible()
    menu(page)
    expect(saved).to_have_attribute("aria-pressed", "false")
    saved.click()
    page.wait_for_url(re.compile("symbol=ETHUSDT&horizon=60.*without=comparison%2Cpipeline%2Cskill"))
    expect(panel(page, "skill")).to_be_hidden()
    expect(panel(page, "coverage")).to_be_visible()
    page.go_back()
    expect(panel(page, "skill")).to_be_visible(timeout=WAIT_MS)
    menu(page).get_by_role("button", name="Delete <i>calm</i>").click()
    expect(saved).to_have_count(0)
    page.reload()
    menu(page)
    expect(saved).to_have_count(0)


@pytest.mark.long
@pytest.mark.services
@pytest.mark.browser
def test_what_was_stored_by_hand_does_no_harm_and_escape_closes_the_menu(page: Page, dashboard: str) -> None:
    page.add_init_script('localStorage.setItem(\'foretick-layouts\', \'{"a": 7, "b": "span=12h"\')')
    opened(page, dashboard)
    assert menu(page).get_by_role("listitem").count() == 0
    page.evaluate('localStorage.setItem(\'foretick-layouts\', \'{"a": 7, "b": "span=12h&symbol=DOGE"}\')')
    menu(page).get_by_role("button", name="Regime").click()
    expect(panel(page, "regime")).to_be_hidden()
    expect(page.get_by_role("listitem").get_by_role("button", name="a", exact=True)).to_have_count(0)
    page.get_by_role("button", name="b", exact=True).click()
    page.wait_for_url(re.compile("span=12h"))
    assert "DOGE" not in page.url
    expect(panel(page, "regime")).to_be_visible()
    menu(page).get_by_role("button", name="Save").focus()
    page.keyboard.press("Escape")
    expect(page.locator("details.layout .menu")).to_be_hidden()
    expect(page.locator("details.layout summary")).to_be_focused()


@pytest.mark.long
@pytest.mark.services
@pytest.mark.browser
def test_models_and_horizons_are_beside_each_other_and_a_press_shows_one(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    table = page.get_by_role("table", name="Models and horizons")
    expect(table.get_by_role("row")).to_have_count(3, timeout=WAIT_MS)
    expect(table.get_by_role("row").filter(has_text="gbm")).to_contain_text("skill +16.7 %")
    expect(table.get_by_role("row").filter(has_text="naive")).to_contain_text(re.compile(r"P\(up\) 50 %"))
    cell = page.get_by_role("button", name="naive, 1h ahead: show it")
    cell.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("horizon=60&model=naive"))
    expect(cell).to_have_attribute("aria-pressed", "true")
    expect(cell).to_be_focused()
    expect(page.locator("p.forecast")).to_contain_text("naive, 1h ahead")
