"""Every panel of the tables, and whatever else is a root of the page's document, has its place on the page."""

import pytest
from bokeh.document import Document
from bokeh.embed import file_html
from bokeh.models.widgets.markups import Div
from bokeh.resources import CDN

from dashboard import header, panels
from dashboard.feed import Feed
from dashboard.page import Page
from dashboard.panels import ScorePanel, TextPanel
from dashboard.serve import furnish
from observability.lag import ConsumerLag
from settings import Settings
from stack.conditions import ComponentSummary


class NoReaders:
    """A monitor of readers where none runs."""

    def now(self) -> dict[str, ConsumerLag]:
        return {}

    def conditions(self) -> list[ComponentSummary]:
        return []


def opened() -> Document:
    """Return the document of a page whose database does not answer."""
    settings, document = Settings(), Document()
    page = Page(document, Feed("postgresql://127.0.0.1:1/none"), NoReaders(), "1m", {}, "light")
    furnish(document, page, settings)
    return document


def astray(document: Document) -> set[str | None]:
    """Return the roots that the page does not hold exactly once."""
    html = file_html(
        document, CDN, template=document.template, template_variables=document.template_variables, title="Foretick"
    )
    return {root.name for root in document.roots if html.count(f'data-root-id="{root.id}"') != 1}


def test_every_root_is_placed_once() -> None:
    assert astray(opened()) == set()


def test_a_root_without_a_place_is_told() -> None:
    document = opened()
    document.add_root(Div(name="stray"))
    assert astray(document) == {"stray"}


def test_a_panel_is_a_line_of_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "TEXTS", (*panels.TEXTS, TextPanel("clock", now=lambda _rates, _lag: "<b>noon</b>")))
    document = opened()
    assert astray(document) == set()
    (clock,) = [root for root in document.roots if root.name == "clock"]
    assert clock.text == "<b>noon</b>"


def test_a_score_is_a_line_of_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = (*panels.SCORES, ScorePanel("direction", 0.5, 0, header.coverage_title))
    monkeypatch.setattr(panels, "SCORES", scores)
    document = opened()
    assert {"direction", "direction_title"} <= {root.name for root in document.roots}
    assert astray(document) == set()
