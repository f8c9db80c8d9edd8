"""The live page as the server sees it."""

from collections.abc import Mapping
from typing import Any

from bokeh.document import Document

from dashboard.lag import LagMonitor
from dashboard.live import panels
from dashboard.live.comparison.panel import ComparisonPanel
from dashboard.live.comparison.reader import comparison_reader
from dashboard.live.feed import Feed
from dashboard.live.page import Page
from dashboard.service import PageRequest, PageService, SiteOptions


class LivePage(PageService):
    """The market as it is."""

    name, title = "live", "Live"
    scripts = ("bokeh", "bokeh-widgets")

    def __init__(self, options: SiteOptions) -> None:
        super().__init__(options)
        url = options.settings.database_url.get_secret_value()
        self.feed, self.comparison = Feed(url), comparison_reader(url)
        self.lag = LagMonitor(options.settings)

    def open(self, document: Document, request: PageRequest) -> Mapping[str, Any]:
        """Make a viewer's document."""
        interval, stale_after_s = self.options.settings.interval, self.options.stale_after_s
        page = Page(document, self.feed, self.lag, interval, request, stale_after_s, ComparisonPanel(self.comparison))
        return {**page.variables, "scores": panels.SCORES, "texts": panels.TEXTS}

    def start(self) -> None:
        """Read the database and Kafka's lag."""
        self.feed.start()
        self.comparison.start()
        self.lag.start()

    def stop(self) -> None:
        """End the readers."""
        self.feed.stop()
        self.comparison.stop()
        self.lag.stop()

    @property
    def ended(self) -> str | None:
        """Return whether the reader of the database has ended."""
        return None if self.feed.alive and self.comparison.alive else "the reader has ended"
