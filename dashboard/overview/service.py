"""The page of all symbols as the server sees it."""

from collections.abc import Mapping
from typing import Any

from bokeh.document import Document

from dashboard.overview.page import OverviewView
from dashboard.overview.reader import overview_reader
from dashboard.overview.view_state import RISES
from dashboard.service import PageRequest, PageService, PageThread, SiteOptions


class OverviewPage(PageService):
    """Every symbol in a line of a table."""

    name, title, within = "overview", "All symbols", "live"
    scripts = ("bokeh", "bokeh-widgets")

    def __init__(self, options: SiteOptions) -> None:
        super().__init__(options)
        self.reader = overview_reader(options.settings.database_url.get_secret_value())

    def open(self, document: Document, request: PageRequest) -> Mapping[str, Any]:
        """Make a viewer's document."""
        view = OverviewView(document, request, self.reader, self.options.settings.interval, self.options.stale_after_s)
        return {**view.variables, "rises": tuple(RISES)}

    @property
    def threads(self) -> Mapping[str, PageThread]:
        """Return the readers."""
        return {"the reader of all symbols": self.reader}
