"""The tuning page in Chromium, on Optuna's own tables in a real TimescaleDB."""

import re
from collections.abc import Callable, Iterator

import pytest
from browsing import draw_all
from dashboard_market import Market, serving
from dashboard_studies import add_trials, check_later, new_study
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.services, pytest.mark.browser]

WAIT_MS = 20_000
COUNT = "name => Object.values(Bokeh.documents[0].get_model_by_name(name).renderers.at(-1).data_source.data)[0].length"
POINTS = "() => Bokeh.documents[0]?.get_model_by_name('history')?.renderers[0].data_source.data.number.length"
DRAWN = ("parallel", "slice", "contour", "rank", "intermediate", "timeline")
COMPLETE = 88
"""Of the first hundred trials."""


class Studied:
    """A database with two studies, and the address of a dashboard on it."""

    def __init__(self, url: str) -> None:
        self.url, self.address = url, ""
        add_trials(url, new_study(url, "ridge-b"), 0, 30)
        self.study = new_study(url, "gbm-a")
        add_trials(url, self.study, 0, 100)
        check_later(url, self.study, {0: [0.010, 0.011, 0.012], 85: [0.012, 0.014, 0.013]})


@pytest.fixture(scope="module")
def studied(new_market: Callable[[], Market], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studied]:
    made = Studied(new_market().url)
    with serving(made.url, "127.0.0.1:1", tmp_path_factory.mktemp("home")) as address:
        made.address = f"{address}tuning"
        yield made


def count(page: Page, name: str) -> int:
    points: int = page.evaluate(COUNT, name)
    return points


def test_a_study_is_drawn_and_grows_and_its_choices_are_in_the_address(page: Page, studied: Studied) -> None:
    page.goto(studied.address)
    page.wait_for_function(f"({POINTS})() === {COMPLETE}", timeout=WAIT_MS)
    expect(page.locator("body")).to_have_attribute("data-state", "live", timeout=WAIT_MS)
    draw_all(page)
    assert {name: count(page, name) > 0 for name in DRAWN} == dict.fromkeys(DRAWN, True)
    page.locator("label:has(span:text-is('Parameter')) select").select_option("kind")
    page.wait_for_url(re.compile("x=kind"))
    page.get_by_role("button", name="100 %").click()
    expect(page.get_by_text(f"best 100 %: {COMPLETE} trials")).to_be_visible(timeout=WAIT_MS)
    add_trials(studied.url, studied.study, 100, 50)
    page.wait_for_function(f"({POINTS})() > {COMPLETE}", timeout=WAIT_MS)
    page.reload()
    expect(page.get_by_role("button", name="100 %")).to_have_class(re.compile("active"), timeout=WAIT_MS)
    assert "x=kind" in page.url


@pytest.mark.long
def test_the_table_of_trials_is_filtered_and_a_wrong_filter_is_said(page: Page, studied: Studied) -> None:
    page.goto(f"{studied.address}?studies=ridge-b,gone&state=fail")
    expect(page.get_by_text("There is no study gone.")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("too few <rows>").first).to_be_visible(timeout=WAIT_MS)
    page.locator("label:has-text('State') select").select_option("any")
    where = page.locator("label:has-text('Where') input")
    where.fill("rate < 0.01, kind = plain")
    where.press("Enter")
    expect(page.get_by_text(re.compile(r"\d+ trials that match"))).to_be_visible(timeout=WAIT_MS)
    where.fill("speed < 1")
    where.press("Enter")
    expect(page.get_by_text("no 'speed'; there are")).to_be_visible(timeout=WAIT_MS)
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.long
def test_several_studies_are_side_by_side_with_the_check_on_later_days(page: Page, studied: Studied) -> None:
    page.goto(f"{studied.address}?studies=gbm-a,ridge-b&theme=dark")
    expect(page.locator(".plot.history")).to_be_visible(timeout=WAIT_MS)
    page.wait_for_function(
        "() => Bokeh.documents[0]?.get_model_by_name('history')?.renderers[1].data_source.data.number.length > 0",
        timeout=WAIT_MS,
    )
    expect(page.get_by_text(re.compile("not checked|Skill on later days")).first).to_be_visible(timeout=WAIT_MS)


@pytest.mark.long
def test_a_database_without_a_study_says_what_to_do_and_one_that_is_away_is_said(
    page: Page, new_market: Callable[[], Market], tmp_path_factory: pytest.TempPathFactory
) -> None:
    market = new_market()
    with serving(market.url, "127.0.0.1:1", tmp_path_factory.mktemp("home")) as address:
        page.goto(f"{address}tuning")
        expect(page.get_by_text("No study yet")).to_be_visible(timeout=WAIT_MS)
        expect(page.get_by_text("./foretick tune gbm")).to_be_visible()
        add_trials(market.url, new_study(market.url, "gbm-first"), 0, 20)
        expect(page.locator("body")).to_have_attribute("data-state", "live", timeout=WAIT_MS)
        page.goto("about:blank")
    with serving(
        "postgresql://me:s3cret@127.0.0.1:1/nowhere", "127.0.0.1:1", tmp_path_factory.mktemp("home")
    ) as address:
        page.goto(f"{address}tuning")
        expect(page.get_by_text("does not answer").first).to_be_visible(timeout=WAIT_MS)
        assert "s3cret" not in page.content()
        page.goto("about:blank")
