"""The API's metrics for Prometheus, and the models' scores from the database."""

import logging
import time
from collections.abc import Iterator

import psycopg
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from psycopg_pool import PoolTimeout
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.database import Database
from storage.sql_blocks import load

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REQUESTS = Counter("foretick_api_requests", "Requests answered.", ["path", "status"])
DURATION = Histogram(
    "foretick_api_seconds", "From a request to the beginning of its answer.", ["path"], buckets=SECONDS
)
STREAMS = Gauge("foretick_api_streams", "Streams that are open.", ["topic"])
STREAMED = Counter("foretick_api_streamed_records", "Records sent to all clients.", ["topic"])

KEPT_S = 60.0
log = logging.getLogger("foretick")


class MetricsMiddleware:
    """An ASGI middleware that counts and times requests, by their route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and count when the answer begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The route's own path: a path chosen by a client must not become a label.
                path = getattr(scope.get("route"), "path", "other")
                REQUESTS.labels(path, str(message["status"])).inc()
                DURATION.labels(path).observe(time.perf_counter() - begun)
            await send(message)

        await self._app(scope, receive, counted)


class ChampionCollector(Collector):
    """The champions' scores, by model and horizon over their newest outcomes, and their age."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = load("api")
        self._read_at = float("-inf")
        self._samples: list[GaugeMetricFamily] = []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges, read at most once a minute; none while the database does not answer."""
        if time.monotonic() - self._read_at >= KEPT_S:
            self._read_at = time.monotonic()
            try:
                self._samples = [*self._scores(), self._ages()]
            except (psycopg.Error, PoolTimeout) as error:
                self._samples = []
                log.warning("the models' scores cannot be read for /metrics: %s", " ".join(str(error).split()))
        yield from self._samples

    def describe(self) -> list[GaugeMetricFamily]:
        """Return nothing: the registry would read the database to find the names."""
        return []

    def _scores(self) -> list[GaugeMetricFamily]:
        of = ["interval", "model", "horizon"]
        skill = GaugeMetricFamily(
            "foretick_pinball_skill", "1 - pinball / the naive model's, at the same bars.", labels=of
        )
        coverage = GaugeMetricFamily("foretick_coverage", "The share of outcomes in the 90 % interval.", labels=of)
        scored = GaugeMetricFamily("foretick_scored_outcomes", "The outcomes that skill is counted over.", labels=of)
        for interval, model, horizon, count, covered, better in self._database.rows(self._queries["standing"], {}):
            labels = [interval, model, str(horizon)]
            scored.add_metric(labels, count)
            if covered is not None:
                coverage.add_metric(labels, covered)
            if better is not None:
                skill.add_metric(labels, better)
        return [skill, coverage, scored]

    def _ages(self) -> GaugeMetricFamily:
        age = GaugeMetricFamily(
            "foretick_model_serving_seconds", "Since the version became the champion.", labels=["model", "version"]
        )
        for model, version, seconds in self._database.rows(self._queries["ages"], {}):
            age.add_metric([model, version], seconds)
        return age
