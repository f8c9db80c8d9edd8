"""The readers' consumer lag on each topic."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from broker import clients, topic_retention
from broker.interface import ConsumerClient
from broker.reader import reader
from observability.lag import NOTHING, UNKNOWN, ConsumerLag
from observability.lag_reader import FETCH_BYTES, Span, waiting
from settings.broker import Address
from topics.catalog import (
    ALERTS_GROUP,
    PERSIST_GROUP,
    READ_BY_WORKER,
    READ_FOR_ALERTS,
    READ_FOR_UNIVERSE,
    STORED,
    TOPICS,
    WORKER_GROUP,
)

READS = {
    WORKER_GROUP: tuple(topic.name for topic in (*READ_BY_WORKER, *READ_FOR_UNIVERSE)),
    PERSIST_GROUP: tuple(topic.name for topic in STORED),
    ALERTS_GROUP: tuple(topic.name for topic in READ_FOR_ALERTS),
}
TIMEOUT_S, REQUEST_MS = 15.0, 5_000

Offsets = Mapping[TopicPartition, int]

# A broker that does not answer yet is expected here, and raises an exception: aiokafka need not log it as well.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())


async def lag(bootstrap: Address, universe: bool = False) -> dict[str, int | None]:
    """Return by topic the slowest reader's lag in Kafka records; None if unknown, as in `late`."""
    return {topic: behind.records for topic, behind in (await late(bootstrap, universe, times=False)).items()}


async def late(bootstrap: Address, universe: bool = False, times: bool = True) -> dict[str, ConsumerLag]:
    """Return by topic the slowest reader's consumer lag; None if unknown: no broker, no such topic.

    The topics of a universe's bars count only if one is set: else they have no reader. Those that no group reads, such
    as the deployments, are left out. Without `times` no record is read.
    """
    read = {name for names in READS.values() for name in names}
    topics = [topic.name for topic in TOPICS if topic.name in read and (universe or topic not in READ_FOR_UNIVERSE)]
    values = dict.fromkeys(topics, UNKNOWN)
    try:
        async with asyncio.timeout(TIMEOUT_S), admin_client(bootstrap) as admin, consumer_client(bootstrap) as consumer:
            existing = set(await admin.list_topics())
            described = await admin.describe_topics([topic for topic in topics if topic in existing])
            every = [TopicPartition(t["topic"], part["partition"]) for t in described for part in t["partitions"]]
            first, end = await consumer.beginning_offsets(every), await consumer.end_offsets(every)
            committed = {group: await committed_by(admin, group) for group in READS}
            waits = {name: slowest(name, first, end, committed) for name in topics}
            for name, places in waits.items():
                if places is not None:
                    values[name] = (
                        ConsumerLag(sum(end[part] - at for part, at in places.items())) if places else NOTHING
                    )
            if times:
                everywhere = [item for places in waits.values() for item in (places or {}).items()]
                fields = await waiting(consumer, {part: Span(first[part], at, end[part]) for part, at in everywhere})
                for name, places in waits.items():
                    if places:
                        values[name] = ConsumerLag.of(fields[part] for part in places)
    except (KafkaError, OSError, TimeoutError):
        return values
    return values


@dataclass(frozen=True, kw_only=True)
class PartitionLag:
    """One partition as one consumer group reads it: its first, next and end offsets, and what waits.

    `committed` is False where the group has committed nothing there: it is then counted from the first offset.
    """

    group: str
    topic: str
    partition: int
    first: int
    at: int
    end: int
    committed: bool
    lag: ConsumerLag


async def by_partition(bootstrap: Address, universe: bool = False) -> list[PartitionLag]:
    """Return the lag of each group in each partition of what it reads; of a group that never committed, none.

    Raises KafkaError, OSError or TimeoutError.
    """
    async with asyncio.timeout(TIMEOUT_S), admin_client(bootstrap) as admin, consumer_client(bootstrap) as consumer:
        existing = set(await admin.list_topics())
        topics = {topic for topics in READS.values() for topic in topics if topic in existing}
        if not universe:
            topics -= {topic.name for topic in READ_FOR_UNIVERSE}
        described = await admin.describe_topics(sorted(topics)) if topics else []
        every = [TopicPartition(t["topic"], part["partition"]) for t in described for part in t["partitions"]]
        first, end = await consumer.beginning_offsets(every), await consumer.end_offsets(every)
        values = []
        for group, read in READS.items():
            committed = await committed_by(admin, group)
            spans = {
                part: Span(first[part], stands(part, first, committed), end[part])
                for part in every
                if committed and part.topic in read
            }
            lags = await waiting(consumer, spans)
            values += [
                PartitionLag(
                    group=group,
                    topic=part.topic,
                    partition=part.partition,
                    first=span.first,
                    at=span.at,
                    end=span.end,
                    committed=committed.get(part, -1) >= 0,
                    lag=lags[part],
                )
                for part, span in spans.items()
            ]
    return values


async def kept_days(bootstrap: Address) -> dict[str, float | None]:
    """Return how many days Kafka keeps each topic that is not compacted, None for ever. Raises as `by_partition`."""
    async with asyncio.timeout(TIMEOUT_S), admin_client(bootstrap) as admin:
        return await topic_retention.kept_days(admin, [topic.name for topic in TOPICS])


def slowest(topic: str, first: Offsets, end: Offsets, committed: Mapping[str, Offsets]) -> Offsets | None:
    """Return the offset of a topic's slowest reader, in each partition where that is not the end.

    None if there is no such topic. A reader that never committed has read nothing; but the alerts worker need not run
    at all: it counts once it has committed.
    """
    partitions = [partition for partition in end if partition.topic == topic]
    if not partitions:
        return None
    readers = [
        {part: stands(part, first, committed.get(group, {})) for part in partitions}
        for group, topics in READS.items()
        if topic in topics and (committed.get(group) or group != ALERTS_GROUP)
    ]
    last = max(readers, key=lambda at: sum(max(0, end[part] - at[part]) for part in partitions))
    return {part: at for part, at in last.items() if at < end[part]}


def stands(partition: TopicPartition, first: Offsets, committed: Offsets) -> int:
    """Return the offset that a reader reads next: records that Kafka has deleted no longer count."""
    return max(first[partition], committed.get(partition, -1))


async def committed_by(admin: AIOKafkaAdminClient, group: str) -> Offsets:
    """Return the offsets that a consumer group has committed."""
    return {partition: at.offset for partition, at in (await admin.list_consumer_group_offsets(group)).items()}


@contextlib.asynccontextmanager
async def admin_client(bootstrap: Address) -> AsyncIterator[AIOKafkaAdminClient]:
    """Yield a started admin client, and close it."""
    client = clients.admin(bootstrap, request_timeout_ms=REQUEST_MS)
    try:
        await client.start()
        yield client
    finally:
        await client.close()


def consumer_client(bootstrap: Address) -> AbstractAsyncContextManager[ConsumerClient]:
    """Give a consumer of no topic, for asking after offsets, and close it."""
    return reader(bootstrap, request_timeout_ms=REQUEST_MS, max_partition_fetch_bytes=FETCH_BYTES)
