"""What a Faust app tells of its reading: when records came, where it is, and how many it has yet to commit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from faust.types import TP
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from broker.origin import header
from observability.consumer_lag import ReaderOffsets, position
from stream.coalesced import Piece
from topics.catalog import TOPICS
from topics.codec import ARRIVED_HEADER


def arrived(events: Sequence[Piece]) -> int | None:
    """Return when the oldest tick or bar behind these events was appended to its topic, epoch ms; None if unknown."""
    results = [time for time in map(_arrived, events) if time > 0]
    return min(results) if results else None


def _arrived(event: Piece) -> int:
    value = header(event.message, ARRIVED_HEADER)
    if value is not None:
        try:
            return int(value)
        except ValueError:
            pass  # any program may write to the topics
    return int((event.message.timestamp or 0) * 1000)


@dataclass(frozen=True)
class ConsumerLagCollector(Collector):
    """The consumer lag of an app in Kafka records (frames), by topic, from its own consumer."""

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


def reads(app: Any) -> dict[TopicPartition, ReaderOffsets]:
    """Return a Faust app's state of the partitions of our topics that it reads; called from another thread."""
    names = {topic.name for topic in TOPICS}
    parts = [part for part in assigned(app) if part.topic in names]
    client = app.consumer._thread._consumer if parts else None
    shared = client._subscription.subscription if client is not None else None
    assignment = shared.assignment if shared is not None else None
    if assignment is None:
        return {}
    undone = unacknowledged(app)
    values = {}
    for part in parts:
        at = TopicPartition(part.topic, part.partition)
        if at not in assignment.tps:
            continue
        values[at] = ReaderOffsets(position(assignment.state_value(at)), undone is not None and part not in undone)
    return values


def unacknowledged(app: Any) -> set[TP] | None:
    """Return the partitions with messages in progress, None if the set changes too fast to be read."""
    for _ in range(5):
        try:
            return {message.tp for message in list(app.consumer._unacked_messages)}
        except RuntimeError:  # the stream's thread changed the set meanwhile
            continue
    return None


def assigned(app: Any) -> set[TP]:
    """Return the partitions that a Faust app reads, none while it starts or rebalances."""
    # `app.consumer` would create one if there is none yet, and its thread has none while it starts.
    if app._consumer is None or app.rebalancing or getattr(app._consumer._thread, "_consumer", None) is None:
        return set()
    return set(app.consumer.assignment())
