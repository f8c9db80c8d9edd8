"""What the alerts worker counts and times, for Prometheus: once a transaction or message, never once a record."""

from collections import Counter as Count
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from msgspec import Struct
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from psycopg import AsyncConnection

from alerts.channel import Answer
from alerts.kinds import KINDS
from alerts.subscriber import Kind
from topics.records import Alert

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1_800.0, 21_600.0, 86_400.0)

RECORDS = Counter("foretick_alert_records", "Records that rules looked at.", ["kind"])
MADE = Counter("foretick_alerts_made", "Alerts made.", ["rule", "severity"])
MESSAGES = Counter(
    "foretick_alert_messages",
    "Messages sent, each of one alert or a summary: delivered, refused by the subscriber, or failed on the way.",
    ["channel", "result"],
)
DELIVERIES = Counter(
    "foretick_alert_deliveries", "Alerts for subscribers, delivered or given up.", ["channel", "result"]
)
SECONDS = Histogram(
    "foretick_alert_delivery_seconds", "From an alert's making to its delivery.", ["channel"], buckets=BUCKETS
)
WAITING = """
SELECT s.name, s.channel,
    (SELECT count(*) FROM alert_deliveries d WHERE d.subscriber = s.name AND d.state = 'waiting'),
    (SELECT extract(epoch FROM now() - d.made_at)::float8 FROM alert_deliveries d
     WHERE d.subscriber = s.name AND d.state = 'waiting' ORDER BY d.number LIMIT 1)
FROM alert_subscribers s ORDER BY s.name
"""

# A series that begins at its first event hides that event from Prometheus' rates: they all begin at 0.
for _name in KINDS:
    RECORDS.labels(_name)
for _channel in get_args(Kind):
    SECONDS.labels(_channel)
    for _result in ("delivered", "refused", "failed"):
        MESSAGES.labels(_channel, _result)
    for _result in ("delivered", "given up"):
        DELIVERIES.labels(_channel, _result)


def looked_at(records: Mapping[str, Sequence[Struct]], made: Sequence[Alert]) -> None:
    """Count what a transaction looked at, by kind, and the alerts that are new."""
    for kind, rows in records.items():
        RECORDS.labels(kind).inc(len(rows))
    for (rule, severity), count in Count((alert.rule, alert.severity) for alert in made).items():
        MADE.labels(rule, severity).inc(count)


def sent(channel: str, answer: Answer) -> None:
    """Count a message."""
    result = "delivered" if answer.error is None else "refused" if answer.refused else "failed"
    MESSAGES.labels(channel, result).inc()


def delivered(channel: str, seconds: Sequence[float]) -> None:
    """Count and time alerts that a subscriber has now."""
    DELIVERIES.labels(channel, "delivered").inc(len(seconds))
    for each in seconds:
        SECONDS.labels(channel).observe(each)


def given_up(channel: str, count: int) -> None:
    """Count alerts that a subscriber will not get."""
    DELIVERIES.labels(channel, "given up").inc(count)


class Waiting(Collector):
    """What waits for each subscriber, as it was when the database was asked last: never at a scrape."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str, int, float | None]] = []

    async def look(self, connection: AsyncConnection) -> None:
        """Ask the database, by its index of what waits."""
        self._found = await (await connection.execute(WAITING)).fetchall()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges."""
        of = ["subscriber", "channel"]
        waiting = GaugeMetricFamily("foretick_alert_deliveries_waiting", "Alerts not yet delivered.", labels=of)
        oldest = GaugeMetricFamily("foretick_alert_oldest_waiting_seconds", "Age of the first that waits.", labels=of)
        for name, channel, count, age in self._found:
            waiting.add_metric([name, channel], count)
            oldest.add_metric([name, channel], age or 0.0)
        yield from (waiting, oldest)
