"""The live page as the server sees it: the market, and the detail of a forecast, neither of which knows the other."""

from collections.abc import Mapping
from typing import Any

import psycopg
from bokeh.document import Document

from dashboard.database import connected
from dashboard.forecast.forecast_detail import ForecastDetail
from dashboard.forecast.sources import ForecastSources
from dashboard.lag import LagMonitor
from dashboard.live import panels
from dashboard.live.comparison.panel import ComparisonPanel
from dashboard.live.comparison.reader import comparison_reader
from dashboard.live.feed import Feed
from dashboard.live.overlays import reader
from dashboard.live.page import Page
from dashboard.live.replay import reader as replay_reader
from dashboard.service import PageRequest, PageService, PageThread, SiteOptions
from dashboard.wanted_reader import WantedReader

OVERLAYS_S = 1.0


class LivePage(PageService):
    """The market as it is."""

    name, title = "live", "Live"
    scripts = ("bokeh", "bokeh-widgets")

    def __init__(self, options: SiteOptions) -> None:
        super().__init__(options)
        url = options.settings.database_url.get_secret_value()
        self.feed = Feed(url)
        self.overlays = WantedReader(
            lambda: connected(url), reader.read, name="overlays", failures=(psycopg.Error,), period_s=OVERLAYS_S
        )
        self.replays = WantedReader(
            lambda: replay_reader.source(url), replay_reader.read, name="replays", failures=(psycopg.Error,)
        )
        self.comparison = comparison_reader(url)
        self.lag = LagMonitor(options.settings)
        self.forecasts = ForecastSources(options.settings)

    def open(self, document: Document, request: PageRequest) -> Mapping[str, Any]:
        """Make a viewer's document."""
        interval, stale_after_s = self.options.settings.interval, self.options.stale_after_s
        page = Page(
            document,
            self.feed,
            self.lag,
            interval,
            request,
            stale_after_s,
            self.overlays,
            self.replays,
            ComparisonPanel(self.comparison),
            ForecastDetail(self.forecasts),
        )
        return {**page.variables, "scores": panels.SCORES, "texts": panels.TEXTS}

    @property
    def threads(self) -> Mapping[str, PageThread]:
        """Return the readers, and what explains forecasts."""
        return {
            "the reader of the market": self.feed,
            "the reader of past lines": self.overlays,
            "the reader of replays": self.replays,
            "the reader of comparisons": self.comparison,
            "the reader of Kafka's lag": self.lag,
            **self.forecasts.threads,
        }
