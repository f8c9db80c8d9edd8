"""The alerts worker's consumer lag, by Kafka's own answer; and whether Kafka answers."""

import asyncio
import time
from collections.abc import Iterator

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from observability.consumer_lag import ReaderOffsets, position

LOOK_S = 5.0
ANSWER_S = 5.0
NOT_READ = "Kafka is not read"


class ConsumerLag(Collector):
    """The unprocessed Kafka records of each topic. `problem` is None while Kafka answers.

    A consumer that has lost Kafka waits silently, so the topics' end offsets are requested periodically.
    """

    def __init__(self) -> None:
        self.problem: str | None = NOT_READ
        self._lag: dict[str, int] = {}
        self._next = 0.0
        self._own: dict[TopicPartition, ReaderOffsets] = {}

    def reads(self) -> dict[TopicPartition, ReaderOffsets]:
        """Return the partitions that are read, with their offsets; thread-safe."""
        return self._own

    def reading(self, consumer: AIOKafkaConsumer, done: bool) -> None:
        """Set a consumer's position, and whether all its records are processed."""
        own = {}
        for part in consumer.assignment():
            state = consumer._subscription.subscription.assignment.state_value(part)
            own[part] = ReaderOffsets(position(state), done)
        self._own = own

    def ended(self) -> None:
        """Record that nothing is read any more."""
        self.problem, self._own = NOT_READ, {}

    async def look(self, consumer: AIOKafkaConsumer) -> None:
        """Query Kafka, if the last query is some seconds old. Call it between two batches: read records count as
        processed."""
        if time.monotonic() < self._next:
            return
        parts = consumer.assignment()
        try:
            async with asyncio.timeout(ANSWER_S):
                ends = await consumer.end_offsets(parts) if parts else {}
                lag = {part.topic: 0 for part in parts}
                for part in parts:
                    lag[part.topic] += max(0, ends[part] - await consumer.position(part))
        except (KafkaError, TimeoutError):
            self.problem = "Kafka does not answer"
        else:
            self._lag, self.problem = lag, None if parts else "no partition is assigned yet"
        self._next = time.monotonic() + (LOOK_S if self.problem is None else 0.5)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauge."""
        gauge = GaugeMetricFamily("foretick_consumer_lag", "Kafka records not yet committed.", labels=["topic"])
        for topic, count in sorted(self._lag.items()):
            gauge.add_metric([topic], count)
        yield gauge
