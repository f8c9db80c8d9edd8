"""Where the details of forecasts come from, for all viewers: a reader of the database, and what explains."""

from collections.abc import Mapping

import psycopg
from psycopg import Connection

from dashboard.database import connected, no_answer
from dashboard.forecast.reader import StoredForecast, read
from dashboard.inspector.version_loader import LoadState, VersionLoader
from dashboard.live.detail import ForecastKey
from dashboard.polled_reader import PolledReader, Reading
from dashboard.service import PageThread
from settings import Settings
from storage.errors import place

PERIOD_S = 1.0
EXPLAIN_S = 120.0
"""For so long an explanation may take: importing PyTorch on a busy machine is most of it."""


class ForecastSources:
    """`view` and `explained` never block."""

    def __init__(self, settings: Settings) -> None:
        url, folder = settings.database_url.get_secret_value(), settings.home / "models"
        where = place(url)
        self._reader: PolledReader[Connection, ForecastKey, StoredForecast] = PolledReader(
            lambda: connected(url),
            lambda connection, key: read(connection, key, folder),
            period_s=PERIOD_S,
            failures=(psycopg.Error,),
            describe=lambda error: no_answer(where, error),
        )
        self._loader = VersionLoader(settings, timeout_s=EXPLAIN_S)

    def view(self, key: ForecastKey) -> Reading[StoredForecast]:
        """Return what is known of a forecast, and keep reading it."""
        return self._reader.view(key)

    def explained(self, key: ForecastKey, version: str) -> LoadState:
        """Return how far the explanation of a version's forecast is; it is asked for with this, and kept."""
        series = key.series
        asked = (series.symbol, series.interval, str(key.horizon), str(key.time))
        return self._loader.view(("explain", key.model, version, *asked))

    @property
    def threads(self) -> Mapping[str, PageThread]:
        """Return the reader, and what explains."""
        return {"the reader of forecasts": self._reader, "what explains forecasts": self._loader}
