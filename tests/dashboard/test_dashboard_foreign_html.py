"""HTML in what others have named is shown as text, and where it got into a page it does nothing."""

import pytest
from bokeh.models.widgets.inputs import MultiChoice
from playwright.sync_api import Browser

from dashboard.multi_choice import offer
from dashboard.site import PAGES, SUBPAGES

EVIL = '<img src="/no" onerror="window.acted = true">'
PUT_IN = """html => new Promise(done => {
  const place = document.createElement("div")
  place.innerHTML = html
  place.firstChild.addEventListener("error", () => setTimeout(() => done(window.acted === true), 0))
  document.body.append(place)
})"""


def test_the_labels_of_choices_are_plain_text() -> None:
    widget = MultiChoice()
    offer(widget, [(EVIL, EVIL), ("a", "a & b")])
    assert widget.options == [
        (EVIL, "&lt;img src=&quot;/no&quot; onerror=&quot;window.acted = true&quot;&gt;"),
        ("a", "a &amp; b"),
    ]


@pytest.mark.parametrize("name", [page.name for page in (*PAGES, *SUBPAGES)])
def test_html_that_got_into_a_page_does_nothing(name: str, chromium: Browser, site: str) -> None:
    page = chromium.new_page()  # not the fixture `page`: Chromium says on the console what it does not run
    page.goto(f"{site}{name}")
    assert page.evaluate(PUT_IN, EVIL) is False
    page.close()
