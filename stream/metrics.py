"""What the stream's components count and time, for Prometheus: once a batch, never once a record.

Latencies are from Kafka's own clock: from when the oldest record of a batch, or the tick or bar that it came of, was
appended to its topic until what was made of it is.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from faust.types import TP, EventT
from msgspec import Struct
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from stream.lookout import Own, position
from topics.catalog import DEAD_LETTERS, TOPICS, Topic
from topics.codec import ARRIVED_HEADER

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
LONG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

RECORDS_IN = Counter("foretick_records_in", "Records read and used.", ["topic"])
RECORDS_OUT = Counter("foretick_records_out", "Records published.", ["topic"])
DEAD = Counter("foretick_dead_letters", "Parts of frames that could not be read or used.", ["topic"])
REFUSED = Counter("foretick_decisions_refused", "Records on `models` that the ledger did not sign.")
FOLD = Histogram("foretick_fold_seconds", "The computation of one batch.", ["stage"], buckets=QUICK)
LATENCY = Histogram(
    "foretick_latency_seconds",
    "From a tick's arrival until what came of it is in Kafka.",
    ["stage"],
    buckets=LONG,
)
STORE = Histogram("foretick_store_seconds", "One durable transaction.", ["topic"], buckets=QUICK)


def arrived(events: Sequence[EventT[Any]]) -> int | None:
    """Return when the oldest tick or bar behind these events was appended to its topic, epoch ms; None if unknown."""
    found = [time for time in map(_arrived, events) if time > 0]
    return min(found) if found else None


def _arrived(event: EventT[Any]) -> int:
    message = event.message
    headers: Any = message.headers or ()
    for name, value in headers.items() if isinstance(headers, dict) else headers:
        if name == ARRIVED_HEADER:
            try:
                return int(value)
            except ValueError:
                break  # anybody may write to the topics
    return int((message.timestamp or 0) * 1000)


class Meter:
    """Counts and times one stage."""

    def __init__(self, stage: str, source: Topic) -> None:
        self._in, self._dead = RECORDS_IN.labels(source.name), DEAD.labels(source.name)
        self._fold, self._latency = FOLD.labels(stage), LATENCY.labels(stage)

    def folded(self, seconds: float, records: int, frames: Iterable[tuple[Topic, str, Sequence[Struct]]]) -> None:
        """Count a batch that was computed."""
        self._fold.observe(seconds)
        self._in.inc(records)
        for topic, _, made in frames:
            if topic is DEAD_LETTERS:
                self._dead.inc(len(made))
            RECORDS_OUT.labels(topic.name).inc(len(made))

    def delivered(self, since: int | None, at: Iterable[int]) -> None:
        """Time what came of a batch: appended to its topics `at` (epoch ms)."""
        newest = max(at, default=0)
        if since is not None and newest > 0:
            self._latency.observe(max(0, newest - since) / 1000)


@dataclass(frozen=True)
class Behind(Collector):
    """How many Kafka records (frames) an app has yet to commit, by topic, as its own consumer knows it."""

    app: Any

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauge."""
        gauge = GaugeMetricFamily("foretick_consumer_lag", "Kafka records not yet committed.", labels=["topic"])
        names, behind = {topic.name for topic in TOPICS}, dict[str, int]()
        for part in assigned(self.app):
            end = self.app.consumer._thread.highwater(part)
            if part.topic in names and end is not None:
                committed = self.app.consumer._committed_offset.get(part) or 0
                behind[part.topic] = behind.get(part.topic, 0) + max(0, end - committed)
        for topic, count in sorted(behind.items()):
            gauge.add_metric([topic], count)
        yield gauge


def reads(app: Any) -> dict[TopicPartition, Own]:
    """Return what a Faust app says of the partitions of our topics that it reads; asked from another thread."""
    names = {topic.name for topic in TOPICS}
    parts = [part for part in assigned(app) if part.topic in names]
    client = app.consumer._thread._consumer if parts else None
    shared = client._subscription.subscription if client is not None else None
    assignment = shared.assignment if shared is not None else None
    if assignment is None:
        return {}
    undone = unacknowledged(app)
    found = {}
    for part in parts:
        at = TopicPartition(part.topic, part.partition)
        if at not in assignment.tps:
            continue
        found[at] = Own(position(assignment.state_value(at)), undone is not None and part not in undone)
    return found


def unacknowledged(app: Any) -> set[TP] | None:
    """Return the partitions of which messages are under way, None where they change too fast to be looked at."""
    for _ in range(5):
        try:
            return {message.tp for message in list(app.consumer._unacked_messages)}
        except RuntimeError:  # the stream's thread has changed the set meanwhile
            continue
    return None


def assigned(app: Any) -> set[TP]:
    """Return the partitions that a Faust app reads, none while it starts or they are shared out anew."""
    # `app.consumer` would make one where there is none yet, and its thread has none while it starts.
    if app._consumer is None or app.rebalancing or getattr(app._consumer._thread, "_consumer", None) is None:
        return set()
    return set(app.consumer.assignment())
