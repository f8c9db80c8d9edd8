"""The alerts worker's metrics for Prometheus: counted once per transaction or message, never per record."""

from collections import Counter as Count
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from psycopg import AsyncConnection

from alerts.channel import DeliveryResult
from alerts.channel_table import CHANNELS
from alerts.rules.kinds import KINDS
from topics.records import Alert

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1_800.0, 21_600.0, 86_400.0)

RECORDS = Counter("foretick_alert_records", "Records evaluated by rules.", ["kind"])
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
    "foretick_alert_delivery_seconds", "From an alert's creation to its delivery.", ["channel"], buckets=BUCKETS
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
for _channel in CHANNELS:
    SECONDS.labels(_channel)
    for _result in ("delivered", "refused", "failed"):
        MESSAGES.labels(_channel, _result)
    for _result in ("delivered", "given up"):
        DELIVERIES.labels(_channel, _result)


def looked_at(records: Mapping[str, Sequence[Struct]], made: Sequence[Alert]) -> None:
    """Count a transaction's records, by kind, and its new alerts."""
    for kind, rows in records.items():
        RECORDS.labels(kind).inc(len(rows))
    for (rule, severity), count in Count((alert.rule, alert.severity) for alert in made).items():
        MADE.labels(rule, severity).inc(count)


def sent(channel: str, answer: DeliveryResult) -> None:
    """Count a message."""
    result = "delivered" if answer.error is None else "refused" if answer.refused else "failed"
    MESSAGES.labels(channel, result).inc()


def delivered(channel: str, seconds: Sequence[float]) -> None:
    """Count and time delivered alerts."""
    DELIVERIES.labels(channel, "delivered").inc(len(seconds))
    for each in seconds:
        SECONDS.labels(channel).observe(each)


def given_up(channel: str, count: int) -> None:
    """Count alerts given up."""
    DELIVERIES.labels(channel, "given up").inc(count)


class WaitingDeliveries(Collector):
    """The waiting deliveries of each subscriber, as last read from the database: never read at a scrape."""

    def __init__(self) -> None:
        self._counts: list[tuple[str, str, int, float | None]] = []

    async def look(self, connection: AsyncConnection) -> None:
        """Read the database, using its index of waiting deliveries."""
        self._counts = await (await connection.execute(WAITING)).fetchall()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges."""
        of = ["subscriber", "channel"]
        waiting = GaugeMetricFamily("foretick_alert_deliveries_waiting", "Alerts not yet delivered.", labels=of)
        oldest = GaugeMetricFamily(
            "foretick_alert_oldest_waiting_seconds", "Age of the oldest waiting alert.", labels=of
        )
        for name, channel, count, age in self._counts:
            waiting.add_metric([name, channel], count)
            oldest.add_metric([name, channel], age or 0.0)
        yield from (waiting, oldest)
