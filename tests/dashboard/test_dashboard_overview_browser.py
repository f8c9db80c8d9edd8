"""All symbols in one table, in Chromium, on the page's real server and a real TimescaleDB."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from crowded_market import SYMBOLS, CrowdedMarket
from dashboard_market import Market, serving
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.services, pytest.mark.browser]

WAIT_MS = 15_000
STORED = 60
LATER = 20
GONE, MUTE = "ADAUSDT", "ARBUSDT"
"""A symbol whose bars end, and one whose forecasts end while its bars go on."""
ROWS = "#symbols tbody tr"
BYTES = """() => {
  window.received = 0
  const inspect = WebSocket.prototype
  const {set} = Object.getOwnPropertyDescriptor(inspect, 'onmessage')
  Object.defineProperty(inspect, 'onmessage', {set(handler) {
    set.call(this, event => { window.received += event.data.length ?? event.data.byteLength; return handler(event) })
  }})
}"""


@pytest.fixture(scope="module")
def market(new_market: Callable[[], Market]) -> CrowdedMarket:
    """Fifty symbols, of which one has gone stale, and one's forecaster has."""
    market = CrowdedMarket(url=new_market().url)
    market.write(STORED, SYMBOLS)
    CrowdedMarket(url=market.url, stored=STORED).write(LATER, (MUTE,), said=False)
    market.write(LATER, tuple(symbol for symbol in SYMBOLS if symbol not in (GONE, MUTE)))
    return market


@pytest.fixture(scope="module")
def dashboard(market: CrowdedMarket, servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(market.url, servers.kafka, tmp_path_factory.mktemp("home"), "--stale-after", "3600") as address:
        yield address


def opened(page: Page, address: str, rows: int = len(SYMBOLS)) -> None:
    page.goto(address)
    expect(page.locator(ROWS)).to_have_count(rows, timeout=WAIT_MS)


def row(page: Page, symbol: str) -> Any:
    return page.locator(ROWS).filter(has=page.get_by_role("link", name=symbol, exact=True))


def names(page: Page) -> list[str]:
    return page.locator(f"{ROWS} a").all_text_contents()


def test_every_symbol_has_its_line_price_chances_interval_and_regime(page: Page, dashboard: str) -> None:
    opened(page, f"{dashboard}overview")
    assert sorted(names(page)) == sorted(SYMBOLS)
    first = row(page, "BTCUSDT")
    expect(first.locator(".rise span")).to_have_text([re.compile(r"^\d\d %$")] * 4)
    expect(first.locator("[data-cell=interval90]")).to_have_text(re.compile(r"^[\d,.]+ to [\d,.]+$"))
    expect(first.locator("[data-cell=interval80]")).to_have_text(re.compile(r"^[\d,.]+ to [\d,.]+$"))
    expect(first.locator("[data-cell=regime]")).to_have_text("calm")
    expect(first.locator("[data-cell=bar]")).to_have_text("01:19")
    assert first.locator("path").get_attribute("d").startswith("M")
    assert page.locator(".pages a").count() == 6
    expect(page.get_by_role("link", name="Live", exact=True)).to_have_attribute("aria-current", "page")


def test_what_is_stale_is_grey_and_dated_by_the_datas_time(page: Page, dashboard: str) -> None:
    opened(page, f"{dashboard}overview")
    gone, mute, fresh = (row(page, symbol) for symbol in (GONE, MUTE, "BTCUSDT"))
    expect(gone.locator(".bar")).to_have_text("18 May 2025 00:5920 min old")
    expect(mute.locator(".bar")).to_have_text("01:19")
    expect(mute.locator(".forecast")).to_have_text("18 May 2025 00:5920 min old")
    colour = "node => getComputedStyle(node).color"
    muted = page.evaluate("() => getComputedStyle(document.querySelector('.controls span')).color")
    assert gone.locator(".close").evaluate(colour) == mute.locator(".interval").first.evaluate(colour) == muted
    assert mute.locator(".close").evaluate(colour) == fresh.locator(".interval").first.evaluate(colour) != muted
    tint = "node => getComputedStyle(node).backgroundColor"
    assert mute.locator(".rise span").first.evaluate(tint) == "rgba(0, 0, 0, 0)"
    page.get_by_role("button", name="Stale", exact=True).click()
    expect(page.locator(ROWS)).to_have_count(2, timeout=WAIT_MS)
    assert set(names(page)) == {GONE, MUTE}


def test_order_and_filters_are_in_the_address_and_survive_a_reload_and_back(page: Page, dashboard: str) -> None:
    opened(page, f"{dashboard}overview")
    order = (
        "() => Array.from(document.querySelectorAll('#symbols [data-cell=rise15]'), one => parseInt(one.textContent))"
    )
    head = page.locator("#symbols").get_by_role("button", name="15m", exact=True)
    head.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("sort=rise15"))
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("sort=-rise15"))
    page.wait_for_function(f"() => {{ const all = ({order})(); return all[0] >= 80 && all.at(-1) <= 25 }}")
    chances = page.evaluate(order)
    assert chances == sorted(chances, reverse=True)
    expect(page.locator("th[aria-sort=descending]")).to_have_attribute("data-head", "rise15")
    page.get_by_label("Symbol contains").fill("t")
    page.get_by_label("Regime").select_option(label="turbulent")
    page.wait_for_url(re.compile("sort=-rise15&find=t&regime=turbulent"))
    turbulent = [symbol for place, symbol in enumerate(SYMBOLS) if place % 4 == 3]
    expect(page.locator(ROWS)).to_have_count(len(turbulent), timeout=WAIT_MS)
    before = names(page)
    assert set(before) == set(turbulent)
    opened(page, page.url, len(turbulent))
    assert names(page) == before
    expect(page.get_by_label("Symbol contains")).to_have_value("t")
    page.get_by_label("Regime").select_option(label="calm")
    page.wait_for_url(re.compile("regime=calm"))
    page.go_back()
    page.wait_for_url(re.compile("regime=turbulent"))
    expect(page.get_by_label("Regime")).to_have_value("turbulent", timeout=WAIT_MS)
    page.get_by_label("Symbol contains").fill("zzz")
    expect(page.get_by_text("No symbol matches what is chosen above.")).to_be_visible(timeout=WAIT_MS)


@pytest.mark.long
def test_the_live_page_leads_here_by_keyboard_and_a_symbol_leads_back(page: Page, dashboard: str) -> None:
    page.goto(f"{dashboard}?symbol=ETHUSDT&horizon=60&theme=dark")
    link = page.get_by_role("link", name="All symbols")
    expect(link).to_have_attribute("href", re.compile("model=gbm"), timeout=WAIT_MS)
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/overview"))
    expect(page.locator(ROWS)).to_have_count(len(SYMBOLS), timeout=WAIT_MS)
    assert page.locator("html").get_attribute("data-theme") == "dark"
    expect(page.get_by_role("button", name="90 % interval, 1h ahead")).to_be_visible()
    row(page, "SOLUSDT").locator(".change").click(force=True)
    page.wait_for_url(re.compile("/live.*symbol=SOLUSDT"))
    expect(page.locator(".symbol").first).to_contain_text("SOLUSDT", timeout=WAIT_MS)
    asked = parse_qs(urlsplit(page.url).query)
    assert (asked["horizon"], asked["model"], asked["theme"]) == (["60"], ["gbm"], ["dark"])


def test_new_bars_are_shown_and_only_what_has_changed_is_sent(
    page: Page, new_market: Callable[[], Market], servers: Any, tmp_path: Any
) -> None:
    market = CrowdedMarket(url=new_market().url)
    market.write(30, SYMBOLS)
    with serving(market.url, servers.kafka, tmp_path, "--stale-after", "3600") as address:
        page.add_init_script(f"({BYTES})()")
        opened(page, f"{address}overview")
        page.wait_for_timeout(1_500)
        page.evaluate("() => { window.received = 0 }")
        market.write(1, ("BTCUSDT",))
        expect(row(page, "BTCUSDT").locator("[data-cell=bar]")).to_have_text("00:30", timeout=WAIT_MS)
        expect(row(page, "ETHUSDT").locator("[data-cell=bar]")).to_have_text("00:29")
        page.wait_for_timeout(700)
        assert 0 < page.evaluate("() => window.received") < 6_000
        page.goto("about:blank")


@pytest.mark.long
def test_rows_do_not_move_under_the_pointer(
    page: Page, new_market: Callable[[], Market], servers: Any, tmp_path: Any
) -> None:
    market = CrowdedMarket(url=new_market().url)
    market.write(30, SYMBOLS[:12])
    with serving(market.url, servers.kafka, tmp_path, "--stale-after", "3600") as address:
        opened(page, f"{address}overview?sort=-rise15", 12)
        before = names(page)
        page.locator(ROWS).nth(3).hover()
        market.write(15, SYMBOLS[:12])
        expect(page.get_by_text("The order is held")).to_be_visible(timeout=WAIT_MS)
        assert names(page) == before
        page.mouse.move(5, 5)
        expect(page.get_by_text("The order is held")).to_be_hidden()
        assert names(page) != before
        page.goto("about:blank")


@pytest.mark.long
def test_without_bars_it_says_so_and_shows_the_first_ones_by_itself(
    page: Page, new_market: Callable[[], Market], servers: Any, tmp_path: Any
) -> None:
    market = CrowdedMarket(url=new_market().url)
    with serving(market.url, servers.kafka, tmp_path, "--stale-after", "3600") as address:
        page.goto(f"{address}overview")
        expect(page.get_by_text("The database has no bars yet")).to_be_visible(timeout=WAIT_MS)
        market.write(3, SYMBOLS[:2])
        expect(page.locator(ROWS)).to_have_count(2, timeout=WAIT_MS)
        page.goto("about:blank")


def test_on_a_phone_nothing_is_wider_than_the_screen(page: Page, dashboard: str) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    opened(page, f"{dashboard}overview")
    page.wait_for_timeout(500)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    beyond = """() => Array.from(document.querySelectorAll('#symbols *'), one => one.getBoundingClientRect())
      .filter(box => box.right > 361).length"""
    assert page.evaluate(beyond) == 0


@pytest.mark.long
def test_a_database_that_is_gone_is_said_and_comes_back_by_itself(
    page: Page, new_market: Callable[[], Market], servers: Any, tmp_path: Any
) -> None:
    market = CrowdedMarket(url=new_market().url)
    market.write(5, SYMBOLS[:2])
    name = urlsplit(market.url).path[1:]
    with serving(market.url, servers.kafka, tmp_path, "--stale-after", "3600") as address:
        opened(page, f"{address}overview", 2)
        with psycopg.connect(servers.database_url, autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user",
                [name],
            )
            expect(page.locator("body")).to_have_attribute("data-state", "unreachable", timeout=WAIT_MS)
            expect(page.locator(ROWS)).to_have_count(2)
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        expect(page.locator("body")).to_have_attribute("data-state", re.compile("waiting|replay"), timeout=WAIT_MS)
        page.goto("about:blank")
