"""The page Analytics as the server sees it."""

from collections.abc import Mapping
from typing import Any

from bokeh.document import Document

from dashboard.analytics import challenge_reader, forecasts_reader, scores_reader
from dashboard.analytics.actions import ACTIONS
from dashboard.analytics.challenge_reader import DecisionsSource
from dashboard.analytics.evaluation_reader import evaluation_reader
from dashboard.analytics.forecasts_reader import ForecastsSource
from dashboard.analytics.page import AnalyticsView, Readers
from dashboard.analytics.scores_reader import ScoresSource
from dashboard.analytics.source import reader
from dashboard.service import PageRequest, PageService, PageThread, SiteOptions


class AnalyticsPage(PageService):
    """How good the models are, and what was decided about them."""

    name, title = "analytics", "Analytics"
    actions = ACTIONS

    def __init__(self, options: SiteOptions) -> None:
        super().__init__(options)
        settings = options.settings
        url, interval = settings.database_url.get_secret_value(), settings.interval
        self.readers = Readers(
            scores=reader(
                url, lambda connection: ScoresSource(connection, interval), ScoresSource.read, scores_reader.PERIOD_S
            ),
            decisions=reader(
                url,
                lambda connection: DecisionsSource(connection, settings),
                DecisionsSource.read,
                challenge_reader.PERIOD_S,
            ),
            forecasts=reader(
                url,
                lambda connection: ForecastsSource(connection, interval),
                ForecastsSource.read,
                forecasts_reader.LOOK_S,
            ),
            evaluation=evaluation_reader(settings.home / "pipeline"),
        )

    def open(self, document: Document, request: PageRequest) -> Mapping[str, Any]:
        """Make a viewer's document."""
        settings = self.options.settings
        return AnalyticsView(document, request, self.readers, settings.interval, self.options.stale_after_s).variables

    @property
    def threads(self) -> Mapping[str, PageThread]:
        """Return the readers."""
        readers = self.readers
        return {
            "the reader of the scores": readers.scores,
            "the reader of the decisions": readers.decisions,
            "the reader of the forecasts": readers.forecasts,
            "the reader of the evaluation": readers.evaluation,
        }
