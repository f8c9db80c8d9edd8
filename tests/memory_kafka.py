"""Kafka in memory, for tests whose subject it is not: `broker.clients` takes it in the place of an address.

A producer's partition is the one of aiokafka's partitioner; a record counts at once. Groups, retention by time and
transactions are not there. `tests/broker/test_broker_interface.py` asks it and a real Kafka the same.
"""

import asyncio
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    OffsetOutOfRangeError,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import ConsumerRecord, OffsetAndTimestamp, RecordMetadata

from broker.interface import Headers
from topics.catalog import TOPICS

CLUSTER = "memory"
_partitioner = DefaultPartitioner()


@dataclass(kw_only=True)
class MemoryKafka:
    """The partitions of the catalog's topics. `away`: whoever asks gets KafkaConnectionError, as without a broker."""

    topics: Mapping[str, int] = field(default_factory=lambda: {topic.name: topic.partitions for topic in TOPICS})
    away: bool = False
    logs: defaultdict[TopicPartition, list[ConsumerRecord]] = field(default_factory=lambda: defaultdict(list))
    begins: defaultdict[TopicPartition, int] = field(default_factory=lambda: defaultdict(int))
    _waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def producer(self, **options: Any) -> "MemoryProducer":
        """Return a producer."""
        return MemoryProducer(self, options.get("max_request_size", 1 << 20))

    def consumer(self, *topics: str, **options: Any) -> "MemoryConsumer":
        """Return a consumer."""
        return MemoryConsumer(self, topics, options.get("auto_offset_reset", "latest"))

    def admin(self, **_: Any) -> "MemoryAdmin":
        """Return an admin client."""
        return MemoryAdmin(self)

    def __str__(self) -> str:
        return CLUSTER

    def ask(self) -> None:
        """Raise KafkaConnectionError where nobody answers."""
        if self.away:
            raise KafkaConnectionError("the Kafka in memory is away")

    def partitions(self, topic: str) -> list[TopicPartition]:
        """Return the partitions of a topic. Raises UnknownTopicOrPartitionError where it is not there."""
        if topic not in self.topics:
            raise UnknownTopicOrPartitionError(topic)
        return [TopicPartition(topic, number) for number in range(self.topics[topic])]

    def end(self, at: TopicPartition) -> int:
        """Return the offset after the last record."""
        log = self.logs[at]
        return log[-1].offset + 1 if log else self.begins[at]

    def delete_before(self, at: TopicPartition, offset: int) -> None:
        """Delete what lies before an offset, as DeleteRecords does."""
        self.logs[at] = [record for record in self.logs[at] if record.offset >= offset]
        self.begins[at] = max(self.begins[at], offset)

    def append(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> RecordMetadata:
        """Put a record at the end of its partition, and wake who waits."""
        places = self.partitions(topic)
        at = _partitioner(key, places, places)
        now = int(time.time() * 1000)
        with self._lock:
            offset = self.end(at)
            size = -1 if value is None else len(value)
            key_size = -1 if key is None else len(key)
            self.logs[at].append(
                ConsumerRecord(
                    topic, at.partition, offset, now, 0, key, value, None, key_size, size, tuple(headers or ())
                )
            )
            waiting, self._waiting = self._waiting, []
        for loop, news in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(news.set)
        return RecordMetadata(topic, at.partition, at, offset, now, 0, self.begins[at])

    def news(self) -> asyncio.Event:
        """Return what is set by the next record of any partition."""
        event = asyncio.Event()
        with self._lock:
            self._waiting.append((asyncio.get_running_loop(), event))
        return event


@dataclass
class MemoryProducer:
    """A producer."""

    kafka: MemoryKafka
    largest: int

    async def start(self) -> None:
        self.kafka.ask()

    async def stop(self) -> None:
        """Nothing is left to send."""

    async def close(self) -> None:
        """Nothing is open."""

    async def send(
        self, topic: str, value: bytes | None = None, *, key: bytes | None = None, headers: Headers | None = None
    ) -> "asyncio.Future[RecordMetadata]":
        if len(value or b"") > self.largest:
            raise MessageSizeTooLargeError(f"The message is {len(value or b'')} bytes when serialized")
        delivery: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
        try:
            self.kafka.ask()
            delivery.set_result(self.kafka.append(topic, key, value, headers or ()))
        except (KafkaConnectionError, UnknownTopicOrPartitionError) as error:
            delivery.set_exception(error)
        return delivery

    async def send_and_wait(self, topic: str, value: bytes | None = None, **fields: Any) -> RecordMetadata:
        return await (await self.send(topic, value, **fields))


@dataclass
class MemoryConsumer:
    """A consumer in no group."""

    kafka: MemoryKafka
    wanted: Sequence[str]
    reset: str
    places: dict[TopicPartition, int | None] = field(default_factory=dict)

    async def start(self) -> None:
        self.kafka.ask()
        self.assign([at for topic in self.wanted for at in self.kafka.partitions(topic)])

    async def stop(self) -> None:
        """Nothing is open."""

    async def topics(self) -> set[str]:
        self.kafka.ask()
        return set(self.kafka.topics)

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        self.places = dict.fromkeys(partitions)

    def unsubscribe(self) -> None:
        self.places = {}

    def assignment(self) -> set[TopicPartition]:
        return set(self.places)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        assert partition in self.places
        self.places[partition] = offset

    async def seek_to_beginning(self, *partitions: TopicPartition) -> None:
        for at in partitions or self.places:
            self.places[at] = self.kafka.begins[at]

    async def position(self, partition: TopicPartition) -> int:
        place = self.places[partition]
        if place is None:
            place = self.kafka.begins[partition] if self.reset == "earliest" else self.kafka.end(partition)
            self.places[partition] = place
        return place

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        self.kafka.ask()
        return {at: self.kafka.begins[at] for at in partitions}

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        self.kafka.ask()
        return {at: self.kafka.end(at) for at in partitions}

    async def offsets_for_times(
        self, times: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, OffsetAndTimestamp | None]:
        self.kafka.ask()
        found = {}
        for at, time_ms in times.items():
            first = next((record for record in self.kafka.logs[at] if record.timestamp >= time_ms), None)
            found[at] = None if first is None else OffsetAndTimestamp(first.offset, first.timestamp)
        return found

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        deadline = asyncio.get_running_loop().time() + timeout_ms / 1000
        while True:
            news = self.kafka.news()  # before looking: what comes meanwhile is not missed
            taken = {} if self.kafka.away else await self._take(partitions or tuple(self.places), max_records)
            left = deadline - asyncio.get_running_loop().time()
            if taken or left <= 0:
                return taken
            try:
                async with asyncio.timeout(left):
                    await news.wait()
            except TimeoutError:
                continue

    async def _take(
        self, partitions: Sequence[TopicPartition], most: int | None
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        taken: dict[TopicPartition, list[ConsumerRecord]] = {}
        for at in partitions:
            place = await self.position(at)
            if not self.kafka.begins[at] <= place <= self.kafka.end(at):
                if self.reset == "none":
                    raise OffsetOutOfRangeError({at: place})
                self.places[at] = None
                place = await self.position(at)
            left = None if most is None else most - sum(map(len, taken.values()))
            records = [record for record in self.kafka.logs[at] if record.offset >= place][:left]
            if records:
                taken[at] = records
                self.places[at] = records[-1].offset + 1
        return taken

    async def getone(self, *partitions: TopicPartition) -> ConsumerRecord:
        while True:
            for records in (await self.getmany(*partitions, timeout_ms=1_000, max_records=1)).values():
                return records[0]

    async def __aiter__(self) -> AsyncIterator[ConsumerRecord]:
        while True:
            yield await self.getone()


@dataclass
class MemoryAdmin:
    """An admin client."""

    kafka: MemoryKafka

    async def start(self) -> None:
        self.kafka.ask()

    async def close(self) -> None:
        """Nothing is open."""

    async def list_topics(self) -> list[str]:
        return list(self.kafka.topics)

    async def describe_topics(self, topics: Sequence[str]) -> list[dict[str, Any]]:
        return [
            {"topic": name, "partitions": [{"partition": at.partition} for at in self.kafka.partitions(name)]}
            for name in topics
        ]

    async def describe_cluster(self) -> dict[str, str]:
        return {"cluster_id": CLUSTER}
