"""A consumer that returns the messages of a topic in the order of their arrival in Kafka, across its partitions.

A reader of several partitions otherwise gets all fetched messages of one before the first of the next: after a pause,
hundreds. A stage that compares symbols with each other would then treat most of them as late.
"""

import heapq
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from faust.types import TP

from broker import clients
from observability.consumer_lag import position
from settings.broker import Address
from stream.recovery import SeekingConsumer

Queues = defaultdict[TP, deque[Any]]
Ends = Mapping[TP, int]
"""The offset after the last message of each partition."""


class InOrderConsumer(SeekingConsumer):
    """Merges the partitions of the topics `app.in_order` by the broker's time of arrival; others are unchanged.

    A message is buffered while another partition of its topic has messages at the broker that were not fetched.
    Buffered messages are not acknowledged: after a crash or a rebalance they are read again. Two workers that share the
    partitions each have an order of their own.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._topics: frozenset[str] = self.app.in_order  # type: ignore[attr-defined] # of our own app, which Faust takes for any
        self._address: Address = self.app.address  # type: ignore[attr-defined] # of our own app, which Faust takes for any
        self._held: defaultdict[str, Queues] = defaultdict(lambda: defaultdict(deque))
        self._asker: AIOKafkaConsumer | None = None

    async def perform_seek(self) -> None:
        """Seek and drop the buffered messages, which will be read again."""
        self._held.clear()
        await super().perform_seek()

    async def on_stop(self) -> None:
        """Disconnect."""
        await super().on_stop()
        if self._asker is not None:
            asker, self._asker = self._asker, None
            await asker.stop()

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109 - Faust's
        """Yield the fetched messages, in order."""
        async for tp, message in super().getmany(timeout):
            if tp.topic not in self._topics:
                yield tp, message
                continue
            queue = self._held[tp.topic][tp]
            while queue and queue[-1].offset >= message.offset:
                queue.pop()  # the partition was sought back
            queue.append(message)
        topics = [topic for topic, queues in self._held.items() if any(queues.values())]
        # Requested after all buffered messages were fetched, so that every earlier message in Kafka is counted.
        ends = await self._ends([tp for tp in self.assignment() if tp.topic in topics]) if topics else {}
        for topic in topics:
            for message in self._due(topic, ends):
                if not self.flow_active:
                    return
                if message.generation_id == self.app.consumer_generation_id:  # else it will be read again
                    yield message.tp, message

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's
        """Fetch, of topics with buffered messages, only the partitions that are waited for, which bounds the
        buffers."""
        held = {tp for queues in self._held.values() for tp, queue in queues.items() if queue}
        if active_partitions is not None and active_partitions - held:
            active_partitions = active_partitions - held
        return await super()._getmany(active_partitions, timeout)

    def _due(self, topic: str, ends: Ends) -> Iterator[Any]:
        """Yield the buffered messages of a topic, the earliest first, until one might have a predecessor at the
        broker."""
        queues = self._held[topic]
        silent = [tp for tp in self.assignment() if tp.topic == topic and not queues.get(tp)]
        heads = [(queue[0].timestamp, tp.partition, tp) for tp, queue in queues.items() if queue]
        heapq.heapify(heads)
        while heads and not any(self._unread(tp, ends) for tp in silent):
            _, partition, tp = heapq.heappop(heads)
            queue = queues[tp]
            yield queue.popleft()
            if queue:
                heapq.heappush(heads, (queue[0].timestamp, partition, tp))
            else:
                silent.append(tp)

    def _unread(self, tp: TP, ends: Ends) -> bool:
        """Return whether a partition has, or might have, messages that were not fetched."""
        assignment = self._thread._ensure_consumer()._subscription.subscription.assignment
        if assignment is None or tp not in assignment.tps:
            return False
        at = position(assignment.state_value(tp))
        return at is None or tp not in ends or at < ends[tp]

    async def _ends(self, partitions: list[TP]) -> Ends:
        """Fetch the end offsets of partitions; none if Kafka does not answer.

        By a separate connection: on the consumer's, the answer would wait for a pending fetch.
        """
        try:
            if self._asker is None:
                asker = clients.consumer(self._address, enable_auto_commit=False)
                try:
                    await asker.start()
                except KafkaError:
                    await asker.stop()
                    raise
                self._asker = asker
            result = await self._asker.end_offsets([TopicPartition(tp.topic, tp.partition) for tp in partitions])
        except KafkaError:
            return {}
        return {TP(at.topic, at.partition): end for at, end in result.items()}
