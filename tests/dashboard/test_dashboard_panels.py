"""Every panel of the tables, and whatever else is a root of the page's document, has its place on the page."""

import pytest
from bokeh.document import Document
from bokeh.embed import file_html
from bokeh.models.widgets.markups import Div
from bokeh.resources import CDN

from dashboard.actions.handler import Actions
from dashboard.live import header, panels
from dashboard.live.panels import ScorePanel, TextPanel
from dashboard.live_page import LivePage
from dashboard.serve import opener
from dashboard.service import PageService, SiteOptions
from dashboard.site import PAGES, SUBPAGES
from settings import Settings


def opened(kind: type[PageService] = LivePage) -> Document:
    """Return the document of a page whose database does not answer."""
    settings, document = Settings(database_url="postgresql://127.0.0.1:1/none"), Document()
    page = kind(SiteOptions(settings=settings))
    opener(page, [page], settings, Actions(settings, page.actions))(document)
    return document


def astray(document: Document) -> set[str | None]:
    """Return the roots that the page does not hold exactly once."""
    html = file_html(
        document, CDN, template=document.template, template_variables=document.template_variables, title="Foretick"
    )
    return {root.name for root in document.roots if html.count(f'data-root-id="{root.id}"') != 1}


@pytest.mark.parametrize("kind", [*PAGES, *SUBPAGES])
def test_every_root_is_placed_once(kind: type[PageService]) -> None:
    assert astray(opened(kind)) == set()


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
