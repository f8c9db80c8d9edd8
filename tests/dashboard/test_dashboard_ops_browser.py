"""The page Operations in Chromium, on its real server and a real TimescaleDB."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ops_data
import psycopg
import pytest
from dashboard_market import Market, serving
from playwright.sync_api import Browser, Page, expect

from dashboard.failures import LASTS_S

pytestmark = [pytest.mark.services, pytest.mark.browser]

WAIT_MS = 15_000
CELLS = "() => Bokeh.documents[0].get_model_by_name('health').renderers[0].data_source.get_length()"


@pytest.fixture(scope="module")
def filled(new_market: Callable[[], Market]) -> Market:
    """A database with something on every card."""
    market = new_market()
    ops_data.fill(market)
    return market


@pytest.fixture(scope="module")
def address(filled: Market, servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard on it, with a worker's state, log and metrics, and a Kafka."""
    home: Path = tmp_path_factory.mktemp("home")
    kafka: str = servers.kafka
    with ops_data.components(home) as port:
        more = {"FORETICK_METRICS_PORTS": json.dumps({"worker": port})}
        with serving(filled.url, kafka, home, more=more) as served:
            yield served


def test_every_card_has_its_content_and_data_is_text(page: Page, address: str) -> None:
    page.goto(f"{address}ops")
    expect(page.locator("body")).to_have_attribute("data-state", "live", timeout=WAIT_MS)
    for text in ("healthy", "Consumer lag", "p99", "big-move", "no JSON", "on disk"):
        expect(page.get_by_text(text).first).to_be_visible(timeout=WAIT_MS)
    assert page.evaluate(CELLS) == 8
    plot = "() => { const plot = Bokeh.documents[0].get_model_by_name('health'); return [plot.inner_height, %s] }"
    height, symbols = page.evaluate(plot % "plot.y_range.factors.length")
    assert height == 16 * symbols > 0, "a row of each symbol has no height"
    page.get_by_role("button", name="Log").click()
    expect(page.get_by_text("ERROR <i>another</i>")).to_be_visible(timeout=WAIT_MS)
    page.locator("tr", has_text="no JSON").get_by_role("button", name="Show").click()
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_label("Bytes of bars/1/7/0")).to_have_text("<script>document.title='taken'</script>\\xff\\x00")
    assert page.title() == "Operations · Foretick"
    assert re.search(r"letter=bars%2F1%2F7%2F0", page.url)
    page.reload()
    expect(page.get_by_label("Bytes of bars/1/7/0")).to_be_visible(timeout=WAIT_MS)


def test_a_row_that_is_not_understood_is_told_and_takes_nothing_else_away(
    page: Page, filled: Market, address: str
) -> None:
    error = "ValidationError: Invalid enum value 'panic' - at `$.severity`"
    page.goto(f"{address}ops")
    expect(page.locator("body")).to_have_attribute("data-state", "live", timeout=WAIT_MS)
    odd = "INSERT INTO alert_outbox (alert_id, symbol, alert, published_at) VALUES ('odd', 'ETHUSDT', %s, now())"
    with psycopg.connect(filled.url, autocommit=True) as connection:
        connection.execute(odd, (b'{"alert_id": "odd", "severity": "panic"}',))
        try:
            expect(page.get_by_text(f"What is stored could not be read ({error})").first).to_be_visible(timeout=WAIT_MS)
            expect(page.get_by_text("big-move").first).to_be_visible()  # what was read is kept
            expect(page.get_by_text("p99").first).to_be_visible()
            assert page.request.get(f"{address}health").json() == {
                "status": "ok",
                "database": "ok",
                "pages": f"the page Operations: the reader of the tables fails ({error})",
            }
        finally:
            connection.execute("DELETE FROM alert_outbox WHERE alert_id = 'odd'")
    expect(page.get_by_text("What is stored could not be read")).to_have_count(0, timeout=WAIT_MS)
    ended = time.monotonic() + LASTS_S + 5
    while (said := page.request.get(f"{address}health").json()["pages"]) != "ok":
        assert time.monotonic() < ended, said
        time.sleep(0.5)


def test_a_button_asks_for_a_reason_and_says_what_came_of_it_by_keyboard(
    page: Page, filled: Market, address: str
) -> None:
    page.goto(f"{address}ops")
    row = page.locator("tr", has_text="big-move")
    row.get_by_role("button", name="Acknowledge").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Acknowledge")
    expect(dialog).to_contain_text("moved <b>5 %</b>")
    page.keyboard.press("Enter")  # without a reason nothing is sent
    expect(dialog.get_by_role("status")).to_be_empty()
    page.keyboard.type("looked at it")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("status")).to_have_text("1 acknowledged", timeout=WAIT_MS)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("Every alert is acknowledged.")).to_be_visible(timeout=WAIT_MS)
    expect(page.locator("tr", has_text="alerts-acknowledge")).to_contain_text("looked at it", timeout=WAIT_MS)
    with psycopg.connect(filled.url) as connection:
        assert connection.execute("SELECT note FROM alert_acknowledgements").fetchall() == [("looked at it",)]


def test_the_dialog_shows_a_letters_bytes_to_be_corrected_and_why_it_was_refused(
    chromium: Browser, address: str
) -> None:
    page = chromium.new_page()  # not `page`: Chromium complains on the console of each answer that is a refusal
    page.goto(f"{address}ops?letter=ticks/0/0/0")
    page.get_by_role("button", name="Correct and send again").click()
    dialog = page.get_by_role("dialog", name="Correct and send again")
    value = dialog.get_by_label("The value")
    assert value.input_value() == ops_data.WRONG.decode()
    value.fill('{"symbol": 1}')
    dialog.get_by_label("Reason").fill("try")
    dialog.get_by_role("button", name="Correct and send again").click()
    expect(dialog.get_by_role("status")).to_contain_text("still no record of ticks", timeout=WAIT_MS)
    page.evaluate("document.querySelector('meta[name=foretick-token]').content = 'x'")
    dialog.get_by_role("button", name="Correct and send again").click()
    expect(dialog.get_by_role("status")).to_contain_text("reload the page", timeout=WAIT_MS)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.close()
