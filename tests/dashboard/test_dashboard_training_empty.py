"""The training page in Chromium where a version's curve is all that there is: no empty axes."""

import pytest
from playwright.sync_api import Page, expect
from whole_site import WAIT_MS, visit

pytestmark = [pytest.mark.services, pytest.mark.browser]


@pytest.mark.long
def test_a_plot_with_nothing_to_draw_has_no_place(page: Page, site: str) -> None:
    visit(page, site, "training")
    expect(page.locator(".plot.loss")).to_be_visible()
    for name in ("splits", "cpu", "memory"):
        expect(page.locator(f".plot.{name}")).to_be_hidden(timeout=WAIT_MS)
    expect(page.get_by_text("No score by split was logged")).to_be_visible()
    expect(page.get_by_text("Nothing was logged").first).to_be_visible()
