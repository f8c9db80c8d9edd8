"""On every page times are in UTC or in the browser's own zone, by a choice that is kept and said."""

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect
from whole_site import NAMES, WAIT_MS, visit

from dashboard.clock import Clock
from dashboard.html import ZONE, Html, heading, moment

TOKYO = "Asia/Tokyo"
TEXTS = """() => {
  const found = []
  const walk = node => {
    for (const child of [...(node.shadowRoot?.children || []), ...node.children]) {
      if (child.matches("style, script")) continue
      if (child.matches("time, .zone, td, li, p, small, h2, dd, b")) found.push(child.textContent)
      walk(child)
    }
  }
  walk(document.body)
  return found
}"""
AXES = """() => [...Bokeh.index.query(view => view.model.type === "Figure")].flatMap(view => view.model.below)
    .filter(axis => axis.tags.includes("zone")).map(axis => [axis.axis_label, axis.formatter.args.zone])"""
HOVERS = """() => [...Bokeh.index.query(view => view.model.type === "Figure")].flatMap(view => view.model.toolbar.tools)
    .flatMap(tool => Object.values(tool.formatters || {})).map(one => one.args?.zone).filter(Boolean)"""
SECONDS = re.compile(r"\d\d \w{3} \d{4} \d\d:\d\d")


def test_a_time_of_a_text_is_written_in_another_zone_and_what_is_data_is_not() -> None:
    time = datetime(2025, 5, 18, 22, 30, tzinfo=timezone(timedelta(hours=2)))
    html = heading("<time>", Html(f"{moment(time)}, {ZONE}"))
    utc = '<time datetime="2025-05-18T20:30:00+00:00" data-form="%d %b %Y %H:%M %Z">18 May 2025 20:30 UTC</time>'
    assert utc in html
    assert Clock("UTC", UTC).localised(html) == html
    tokyo = Clock(TOKYO, ZoneInfo(TOKYO)).localised(html)
    assert ">19 May 2025 05:30 JST</time>" in tokyo
    assert '<span class="zone">Tokyo</span>' in tokyo
    assert "&lt;time&gt;" in tokyo
    assert moment(None) == "\u2013"


@pytest.mark.long
@pytest.mark.services
@pytest.mark.browser
def test_the_choice_goes_through_all_pages_and_is_kept(chromium: Browser, site: str) -> None:
    context = chromium.new_context(timezone_id=TOKYO, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    for name in NAMES:
        visit(page, site, name, "clock=UTC")
        assert said(page) == (set(), set())
    page.get_by_role("button", name="Local", exact=True).click()
    page.wait_for_url(re.compile("clock=local"))
    for name in NAMES:
        visit(page, site, name)
        page.wait_for_url(re.compile("clock=local"))
        stamped = {"JST"} if name != "training" else set()  # its headings say the zone
        wanted = (stamped, {"Tokyo"} if name not in ("live", "inspector") else set())
        for _ in range(160):  # 40 s, for a loaded machine; a page's tooltips come after its axes
            found, hovers = said(page), set(page.evaluate(HOVERS))
            if found == wanted and hovers <= {TOKYO}:
                break
            page.wait_for_timeout(250)
        assert found == wanted, name
        assert hovers <= {TOKYO}, name
    visit(page, site, "analytics")
    expect(page.get_by_role("status")).to_contain_text("18:04 JST", timeout=WAIT_MS)
    page.get_by_role("button", name="UTC", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("09:04 UTC", timeout=WAIT_MS)
    expect(page).not_to_have_url(re.compile("clock"))
    context.close()


def said(page: Page) -> tuple[set[str], set[str]]:
    """Return which zones other than UTC follow a time, and which others axes and headings name."""
    texts = page.evaluate(TEXTS)
    assert not [text for text in texts if "<time" in text or 'class="zone"' in text]
    after = {zone for text in texts for zone in re.findall(r"\d\d:\d\d ([A-Z]{3,4})\b", text)} - {"UTC"}
    axes = {label for label, _ in page.evaluate(AXES)}
    named = page.evaluate(f"() => ({TEXTS})().filter(text => text === 'Tokyo')")
    return after, (axes | set(named)) - {"UTC"}
