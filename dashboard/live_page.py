"""The live page as the server sees it: the market, and the detail of a forecast, neither of which knows the other."""

from collections.abc import Mapping
from typing import Any

from bokeh.document import Document

from dashboard.forecast.forecast_detail import ForecastDetail
from dashboard.forecast.sources import ForecastSources
from dashboard.lag import LagMonitor
from dashboard.live import panels
from dashboard.live.feed import Feed
from dashboard.live.page import Page
from dashboard.service import PageRequest, PageService, SiteOptions


class LivePage(PageService):
    """The market as it is."""

    name, title = "live", "Live"
    scripts = ("bokeh", "bokeh-widgets")

    def __init__(self, options: SiteOptions) -> None:
        super().__init__(options)
        self.feed = Feed(options.settings.database_url.get_secret_value())
        self.lag = LagMonitor(options.settings)
        self.forecasts = ForecastSources(options.settings)

    def open(self, document: Document, request: PageRequest) -> Mapping[str, Any]:
        """Make a viewer's document."""
        interval, stale_after_s = self.options.settings.interval, self.options.stale_after_s
        detail = ForecastDetail(self.forecasts)
        page = Page(document, self.feed, self.lag, interval, request, stale_after_s, detail)
        return {**page.variables, "scores": panels.SCORES, "texts": panels.TEXTS}

    def start(self) -> None:
        """Read the database and Kafka's lag, and explain forecasts."""
        for reader in (self.feed, self.lag, self.forecasts):
            reader.start()

    def stop(self) -> None:
        """End the readers."""
        for reader in (self.forecasts, self.feed, self.lag):
            reader.stop()

    @property
    def ended(self) -> str | None:
        """Return which thread has ended."""
        return self.forecasts.ended if self.feed.alive else "the reader has ended"
