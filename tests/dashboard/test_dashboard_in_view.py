"""What is out of view is not drawn, and a crosshair is in all plots of one axis."""

from functools import partial

import pytest
from browsing import draw_all
from playwright.sync_api import Page
from short_form import keeping
from whole_site import WAIT_MS, visit

from dashboard.in_view import EVERY, InView
from dashboard.site import PAGES, SUBPAGES

ROWS = """name => Bokeh.documents[0].get_model_by_name(name).renderers
    .reduce((rows, one) => rows + one.data_source.get_length(), 0)"""
BELOW = {"tuning": ("edf", "intermediate", "timeline"), "analytics": ("by_hour", "ic", "equity")}
"""Plots that a window of 900 pixels does not show at first."""
SCROLL = "name => foretick.views('Figure').find(view => view.model.name === name).el.scrollIntoView()"
LINES = ("skill", "coverage", "gain", "evidence", "ic", "equity")
CANVASES = """window.canvases = 0
const make = document.createElement
document.createElement = function (name, ...rest) {
  window.canvases += name === "canvas"
  return make.call(this, name, ...rest)
}"""
MOST_CANVASES = 300
"""Two for each plot, one for each pattern whenever it is drawn, and those in which texts are measured."""
CROSS = """name => Bokeh.documents[0].get_model_by_name(name).toolbar.tools
    .find(tool => tool.type === "CrosshairTool").overlay"""


def test_only_the_newest_drawing_of_a_plot_is_made_and_only_where_it_is_seen() -> None:
    done: list[str] = []
    view = InView(["top"])
    view.draw("top", lambda: done.append("top"))
    for number in range(3):
        view.draw("below", partial(done.append, f"below {number}"))
    assert done == ["top"]
    view.look("below")
    assert done == ["top", "below 2"]
    view.look("below other")
    view.draw("top", lambda: done.append("top again"))
    assert done == ["top", "below 2"]
    view.look(EVERY)
    assert done == ["top", "below 2", "top again"]
    assert view.waiting == {}


@pytest.mark.services
@pytest.mark.browser
@pytest.mark.parametrize("name", keeping(("analytics",), BELOW))
def test_a_plot_gets_its_data_when_it_comes_into_view(page: Page, site: str, name: str) -> None:
    visit(page, site, name)
    page.wait_for_timeout(2_000)
    rows = {plot: page.evaluate(ROWS, plot) for plot in BELOW[name]}
    assert rows == dict.fromkeys(BELOW[name], 0)
    last = BELOW[name][-1]
    page.evaluate(SCROLL, last)
    page.wait_for_function(f"name => ({ROWS})(name) > 0", arg=last, timeout=WAIT_MS)
    draw_all(page)
    for plot in BELOW[name]:
        page.wait_for_function(f"name => ({ROWS})(name) > 0", arg=plot, timeout=WAIT_MS)


@pytest.mark.services
@pytest.mark.browser
def test_what_is_just_beyond_the_view_is_drawn_before_it_is_seen_but_not_kept_up(page: Page, site: str) -> None:
    visit(page, site, "tuning")
    page.wait_for_function(f"name => ({ROWS})(name) > 0", arg="slice", timeout=WAIT_MS)
    page.wait_for_function("() => Bokeh.documents[0].get_model_by_name('bridge').drawn.includes('history')")
    page.wait_for_function("() => !Bokeh.documents[0].get_model_by_name('bridge').in_view.includes('slice')")


@pytest.mark.services
@pytest.mark.browser
@pytest.mark.parametrize("name", keeping(("ops",), [one.name for one in (*PAGES, *SUBPAGES)]))
def test_drawing_a_page_makes_few_canvases(page: Page, site: str, name: str) -> None:
    page.add_init_script(CANVASES)
    visit(page, site, name)
    page.wait_for_timeout(4_000)
    assert 0 < page.evaluate("window.canvases") < MOST_CANVASES


@pytest.mark.long
@pytest.mark.services
@pytest.mark.browser
def test_pointing_at_one_plot_of_times_marks_the_place_in_all(page: Page, site: str) -> None:
    visit(page, site, "analytics")
    page.wait_for_timeout(1_000)
    box = page.locator(".plot").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.wait_for_function(f"() => ({CROSS})('skill').location > 1.7e12", timeout=WAIT_MS)
    assert page.evaluate(f"names => new Set(names.map({CROSS})).size", list(LINES)) == 1
    visit(page, site, "live")
    assert page.evaluate(f"() => new Set(['price', 'volume', 'skill', 'coverage'].map({CROSS})).size") == 1
