"""How far the alerts worker is behind Kafka, by Kafka's own answer; and whether there is one."""

import asyncio
import time
from collections.abc import Iterator

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from stream.lookout import Own, position

LOOK_S = 5.0
ANSWER_S = 5.0
NOT_READ = "Kafka is not read"


class Behind(Collector):
    """The Kafka records of each topic that are not looked at yet. `problem` is None while Kafka answers.

    A consumer whose Kafka is gone says nothing: it waits. So it is asked for the topics' ends now and then.
    """

    def __init__(self) -> None:
        self.problem: str | None = NOT_READ
        self._behind: dict[str, int] = {}
        self._next = 0.0
        self._own: dict[TopicPartition, Own] = {}

    def reads(self) -> dict[TopicPartition, Own]:
        """Return the partitions that are read, and where; from any thread."""
        return self._own

    def reading(self, consumer: AIOKafkaConsumer, done: bool) -> None:
        """Take where a consumer is, and whether all that it handed out is looked at."""
        own = {}
        for part in consumer.assignment():
            state = consumer._subscription.subscription.assignment.state_value(part)
            own[part] = Own(position(state), done)
        self._own = own

    def ended(self) -> None:
        """Take that nothing is read any more."""
        self.problem, self._own = NOT_READ, {}

    async def look(self, consumer: AIOKafkaConsumer) -> None:
        """Ask, where that is some seconds ago. Call it between two batches: what was handed out counts as done."""
        if time.monotonic() < self._next:
            return
        parts = consumer.assignment()
        try:
            async with asyncio.timeout(ANSWER_S):
                ends = await consumer.end_offsets(parts) if parts else {}
                behind = {part.topic: 0 for part in parts}
                for part in parts:
                    behind[part.topic] += max(0, ends[part] - await consumer.position(part))
        except (KafkaError, TimeoutError):
            self.problem = "Kafka does not answer"
        else:
            self._behind, self.problem = behind, None if parts else "no partition is assigned yet"
        self._next = time.monotonic() + (LOOK_S if self.problem is None else 0.5)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauge."""
        gauge = GaugeMetricFamily("foretick_consumer_lag", "Kafka records not yet committed.", labels=["topic"])
        for topic, count in sorted(self._behind.items()):
            gauge.add_metric([topic], count)
        yield gauge
