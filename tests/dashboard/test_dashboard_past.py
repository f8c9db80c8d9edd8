"""Any past: a date is typed, the address has the position, Back works, and where nothing is stored it is said."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dashboard_market import FIRST, MINUTE, Market, serving
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from dashboard.live import past_view
from dashboard.live.past_view import PastView, moment_of

browser = pytest.mark.browser
services = pytest.mark.services

STORED = 2_000
WAIT_MS = 15_000
DAY = 1_440
PLOT = "name => Bokeh.documents[0].get_model_by_name(name)"
RANGE = f"() => {{const x = ({PLOT})('price').x_range; return [x.start, x.end]}}"
MIDDLE = f"() => {{const [start, end] = ({RANGE})(); return (start + end) / 2}}"
TIMES = f"() => Array.from(({PLOT})('price').renderers[0].data_source.data.time)"
MOVE = f"([start, end]) => ({PLOT})('price').x_range.setv({{start, end}})"


@pytest.fixture(scope="module")
def market(new_market: Callable[[], Market]) -> Market:
    market = new_market()
    market.write(STORED, ("BTCUSDT",))
    return market


@pytest.fixture(scope="module")
def dashboard(market: Market, servers: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(market.url, servers.kafka, tmp_path_factory.mktemp("home"), "--stale-after", "3600") as address:
        yield address


def opened(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function(f"Bokeh.documents.length && ({TIMES})().length > 0", timeout=WAIT_MS)


def go(page: Page, text: str) -> None:
    box = page.get_by_role("textbox", name=re.compile("Go to"))
    box.fill(text)
    box.press("Enter")


def seen(page: Page, minute: int) -> None:
    """Wait until that minute is in the middle, and its bars are there."""
    time = FIRST + minute * MINUTE
    page.wait_for_function(f"time => ({MIDDLE})() === time", arg=time, timeout=WAIT_MS)
    page.wait_for_function(f"time => ({TIMES})().includes(time)", arg=time, timeout=WAIT_MS)


@pytest.mark.parametrize(
    "text",
    ["2025-06-03 14:05", "2025-06-03T14:05Z", "3 June 2025 14:05", "03 Jun 2025 14:05 UTC", "2025-06-03T16:05+02:00"],
)
def test_a_time_is_read_however_it_is_typed(text: str) -> None:
    assert moment_of(text) == 1_748_959_500_000


def test_a_time_without_a_zone_is_of_the_clock_that_is_shown() -> None:
    assert moment_of("2025-06-03 23:05", ZoneInfo("Asia/Tokyo")) == 1_748_959_500_000
    assert moment_of("2025-06-03T14:05Z", ZoneInfo("Asia/Tokyo")) == 1_748_959_500_000


@given(at=st.integers(0, 10**8).map(lambda minute: minute * MINUTE), bars=st.none() | st.integers(1, 10**6))
def test_the_address_of_any_position_restores_it(at: int, bars: int | None) -> None:
    view = PastView(at=at, bars=bars)
    given = {name: value for name, value in past_view.query(view).items() if value is not None}
    assert past_view.parse(given) == (view, ())


@pytest.mark.parametrize("text", ["soon", "2025-13-01", "9999-01-01", "0001-01-01", "-5", "", "2025-06-03T14:05Z junk"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        moment_of(text)


def test_an_address_without_a_time_is_said() -> None:
    assert past_view.parse({"at": "soon"})[1] != ()


@services
@browser
def test_a_typed_date_is_in_the_middle_and_back_leads_to_where_one_was(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    newest = page.evaluate(TIMES)[-1]
    go(page, "2025-05-18 05:00")
    seen(page, 300)
    page.wait_for_url(re.compile("at=2025-05-18T05%3A00Z"))
    go(page, "18 May 2025 20:00")
    seen(page, 1_200)
    page.reload()
    page.wait_for_function("Bokeh.documents.length")
    seen(page, 1_200)
    page.go_back()
    seen(page, 300)
    page.go_back()
    page.wait_for_function(f"newest => ({TIMES})().at(-1) === newest", arg=newest, timeout=WAIT_MS)
    expect(page).not_to_have_url(re.compile("at="))


@services
@browser
@pytest.mark.long
def test_the_address_follows_the_view_and_its_width(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    start, end = FIRST + 500 * MINUTE, FIRST + 600 * MINUTE
    page.evaluate(MOVE, [start, end])
    page.wait_for_url(re.compile("at=2025-05-18T09%3A10Z&bars=100"))
    page.reload()
    page.wait_for_function("Bokeh.documents.length")
    seen(page, 550)
    assert page.evaluate(RANGE) == [start, end]
    wide = [FIRST + 200 * MINUTE, FIRST + 3_000 * MINUTE]
    page.evaluate(MOVE, wide)
    page.wait_for_url(re.compile("bars=2800"))
    page.reload()
    page.wait_for_function(f"wide => Bokeh.documents.length && ({RANGE})()[0] === wide[0]", arg=wide, timeout=WAIT_MS)
    page.wait_for_timeout(1_500)
    assert page.evaluate(RANGE) == wide
    page.evaluate(MOVE, [start, end])
    page.wait_for_url(re.compile("at=2025-05-18T09%3A10Z&bars=100"))
    page.get_by_role("button", name="12h", exact=True).click()
    page.wait_for_url(re.compile(r"span=12h&at=2025-05-18T09%3A10Z$"))
    seen(page, 550)
    page.get_by_role("button", name="Newest", exact=True).click()
    page.wait_for_function(f"newest => ({TIMES})().at(-1) === newest", arg=FIRST + (STORED - 1) * MINUTE)
    page.wait_for_url(re.compile("^(?!.*at=)"))


@services
@browser
@pytest.mark.long
def test_earlier_and_later_go_by_what_is_in_view(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    later = page.get_by_role("button", name="Later")
    expect(later).to_be_disabled()
    before = page.evaluate(RANGE)
    page.get_by_role("button", name="Earlier").click()
    page.wait_for_function(f"([start, end]) => ({RANGE})()[1] < end && ({RANGE})()[1] > start", arg=before)
    expect(later).to_be_enabled()
    later.click()
    page.wait_for_function(f"([start, end]) => ({RANGE})()[0] === start", arg=before, timeout=WAIT_MS)
    page.wait_for_url(re.compile("^(?!.*at=)"))


@services
@browser
@pytest.mark.parametrize(
    ("date", "said", "bar"),
    [
        ("2025-05-01", "Nothing is stored before 18 May 2025 00:00 UTC: these are the oldest bars.", 0),
        ("2030-05-01", "Nothing is stored after 19 May 2025 09:19 UTC: these are the newest bars.", STORED - 1),
    ],
)
def test_a_date_beyond_what_is_stored_is_said(page: Page, dashboard: str, date: str, said: str, bar: int) -> None:
    opened(page, dashboard)
    go(page, date)
    expect(page.get_by_text(said)).to_be_visible(timeout=WAIT_MS)
    page.wait_for_function(f"time => ({TIMES})().includes(time)", arg=FIRST + bar * MINUTE)
    page.wait_for_url(re.compile("^(?!.*(2030|-05-01))"))
    start, end = page.evaluate(RANGE)
    assert start <= FIRST + bar * MINUTE <= end


@services
@browser
@pytest.mark.long
def test_what_is_no_date_is_said_and_nothing_moves(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    before = page.evaluate(RANGE)
    go(page, "next week")
    expect(page.get_by_text("next week is not a date such as 2025-06-03")).to_be_visible(timeout=WAIT_MS)
    assert page.evaluate(RANGE) == before


@services
@browser
@pytest.mark.long
def test_a_view_beyond_the_oldest_bar_is_said_to_be_empty(page: Page, dashboard: str) -> None:
    opened(page, dashboard)
    page.evaluate(MOVE, [FIRST - 900 * MINUTE, FIRST - 700 * MINUTE])
    expect(page.get_by_text("Nothing is stored here: the oldest bar is of 18 May 2025 00:00 UTC.")).to_be_visible(
        timeout=WAIT_MS
    )


@services
@browser
@pytest.mark.long
def test_a_typed_date_is_local_where_times_are(chromium: Any, dashboard: str) -> None:
    context = chromium.new_context(timezone_id="Asia/Tokyo")
    page = context.new_page()
    opened(page, f"{dashboard}?clock=local")
    expect(page.get_by_role("textbox", name="Go to (Tokyo)")).to_be_visible(timeout=WAIT_MS)
    go(page, "2025-05-18 14:00")
    seen(page, 300)
    context.close()
