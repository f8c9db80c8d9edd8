"""Every table and plot of every page is saved as CSV, each plot also as PNG."""

import csv
import io
import re
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from short_form import keeping
from whole_site import NAMES, WAIT_MS, visit

from dashboard.number_format import DASH

pytestmark = [pytest.mark.services, pytest.mark.browser]

PLOTS = "() => foretick.views('Figure').filter(view => view.el.getClientRects().length > 0).length"
DRAWN = "() => Bokeh.documents[0].get_model_by_name('bridge').drawn === '*'"
UNOFFERED = """() => [...Bokeh.index.query(view => view.model.type === 'Figure')]
    .filter(view => !view.model.tags.some(tag => tag.sheets?.length)).map(view => view.model.name)"""
NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")


def opened(page: Page) -> None:
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_role("dialog", name="Export")).to_be_visible()
    page.wait_for_function(DRAWN, timeout=WAIT_MS)


def saved(page: Page, label: str) -> tuple[str, list[list[str]]]:
    """Return the name of the file that a button saves, and its rows."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label, exact=True).click()
    path = waiting.value.path()
    return waiting.value.suggested_filename, list(csv.reader(io.StringIO(path.read_text("utf-8"))))


def labels(page: Page, kind: str) -> list[str]:
    found = page.locator("#export-dialog li button:enabled").evaluate_all("all => all.map(one => one.ariaLabel)")
    return [label for label in found if label.startswith(kind)]


def column(rows: list[list[str]], heading: str) -> list[str]:
    place = rows[0].index(heading)
    return [row[place] for row in rows[1:]]


@pytest.mark.parametrize("name", keeping(("tuning",), NAMES))
def test_every_table_and_plot_is_saved(page: Page, site: str, name: str) -> None:
    visit(page, site, name)
    opened(page)
    assert page.evaluate(UNOFFERED) == []
    shown = page.evaluate(PLOTS)
    assert len(labels(page, "PNG")) == shown
    sheets = labels(page, "CSV")
    assert len(set(sheets)) == len(sheets) >= 2
    for place, label in enumerate(sheets):
        if place % 9 == 8:
            page.wait_for_timeout(1_500)  # Chromium saves no more than ten files of a page in a second
        file, rows = saved(page, label)
        assert file.startswith(f"foretick-{name}-")
        assert file.endswith(".csv")
        assert len(rows) > 1
        assert all(rows[0]), (label, rows[0])
        assert {len(row) for row in rows} == {len(rows[0])}
        for heading in rows[0]:
            values = column(rows, heading)
            assert not {"NaN", "null", "undefined", DASH, "[object Object]"} & set(values), (label, heading)
            if heading.endswith("[UTC]"):
                assert all(value.endswith("Z") for value in values if value), (label, heading)
            elif heading.endswith("]"):
                assert all(NUMBER.fullmatch(value) for value in values if value), (label, heading, values[:3])


@pytest.mark.long
def test_candles_have_units_times_and_a_name_that_tells_their_symbol(page: Page, site: str) -> None:
    visit(page, site, "live")
    opened(page)
    file, rows = saved(page, "CSV of Price and forecasts: candles")
    assert file == "foretick-live-Price-and-forecasts-candles-BTCUSDT-gbm.csv"
    assert rows[0][:5] == ["time [UTC]", "open [USDT]", "high [USDT]", "low [USDT]", "close [USDT]"]
    times = [datetime.fromisoformat(value) for value in column(rows, "time [UTC]")]
    assert len(times) > 100
    assert {(later - earlier).total_seconds() for earlier, later in pairwise(times)} == {60.0}
    _, ahead = saved(page, "CSV of Price and forecasts: newest forecast")
    assert column(ahead, "chance of a rise [share]")[0] == ""  # at the bar of the forecast itself nothing is open
    _, skill = saved(page, "CSV of Skill against naive")
    assert {"gbm", "har", "naive"} == set(column(skill, "model"))


def test_a_table_has_plain_numbers_and_data_that_is_no_formula(page: Page, site: str) -> None:
    visit(page, site, "analytics")
    opened(page)
    _, rows = saved(page, "CSV of Scores by model and horizon")
    heading = "15 bars skill [%]"
    assert all(NUMBER.fullmatch(value) for value in column(rows, heading) if value)
    page.keyboard.press("Escape")
    page.evaluate(
        """() => document.body.insertAdjacentHTML("beforeend", `<h2>Bad, "one"</h2><table><tr><th>a</th><th>b</th></tr>
        <tr><td>=1+1</td><td>-5</td></tr><tr><td>say "x", y</td><td>1,234.5</td></tr></table>`)"""
    )
    opened(page)
    _, rows = saved(page, 'CSV of Bad, "one"')
    assert rows == [["a", "b"], ["'=1+1", "-5"], ['say "x", y', "1234.5"]]


@pytest.mark.long
def test_a_plot_is_saved_as_a_picture(page: Page, site: str) -> None:
    visit(page, site, "analytics")
    opened(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="PNG of Reliability", exact=True).click()
    assert waiting.value.suggested_filename == "foretick-analytics-Reliability-BTCUSDT-gbm.png"
    assert Path(waiting.value.path()).read_bytes().startswith(b"\x89PNG")
