"""How far the readers are behind on each topic, and whether each is there."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from settings.broker import Address
from sources import broker
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

# A broker that does not answer yet is expected here, and told by the exception: aiokafka need not print it as well.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())


async def lag(bootstrap: Address, universe: bool = False) -> dict[str, int | None]:
    """Return by topic how many records its slowest reader is behind; None where unknown: no broker, no such topic.

    The topics on the way of a universe's bars count only where one is set: else nobody reads what may still be there.
    Those that no group reads, as the deployments, are left out.
    """
    read = {name for names in READS.values() for name in names}
    topics = [topic.name for topic in TOPICS if topic.name in read and (universe or topic not in READ_FOR_UNIVERSE)]
    try:
        async with asyncio.timeout(TIMEOUT_S), admin_client(bootstrap) as admin, consumer_client(bootstrap) as consumer:
            existing = set(await admin.list_topics())
            described = await admin.describe_topics([topic for topic in topics if topic in existing])
            every = [TopicPartition(t["topic"], part["partition"]) for t in described for part in t["partitions"]]
            first, end = await consumer.beginning_offsets(every), await consumer.end_offsets(every)
            committed = {group: await committed_by(admin, group) for group in READS}
    except (KafkaError, OSError, TimeoutError):
        return dict.fromkeys(topics)
    return {topic: behind(topic, first, end, committed) for topic in topics}


def behind(topic: str, first: Offsets, end: Offsets, committed: Mapping[str, Offsets]) -> int | None:
    """Return how many records of a topic its slowest reader has not read; one that never committed has read none.

    But for the alerts' reader, which need not run at all: it counts once it has committed.
    """
    partitions = [partition for partition in end if partition.topic == topic]
    if not partitions:
        return None
    return max(
        sum(max(0, end[p] - max(first[p], committed.get(group, {}).get(p, -1))) for p in partitions)
        for group, topics in READS.items()
        if topic in topics and (committed.get(group) or group != ALERTS_GROUP)
    )


async def committed_by(admin: AIOKafkaAdminClient, group: str) -> Offsets:
    """Return the offsets that a consumer group has committed."""
    return {partition: at.offset for partition, at in (await admin.list_consumer_group_offsets(group)).items()}


@contextlib.asynccontextmanager
async def admin_client(bootstrap: Address) -> AsyncIterator[AIOKafkaAdminClient]:
    """Give an admin client that is started, and close it."""
    client = broker.admin(bootstrap, request_timeout_ms=REQUEST_MS)
    try:
        await client.start()
        yield client
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def consumer_client(bootstrap: Address) -> AsyncIterator[AIOKafkaConsumer]:
    """Give a consumer of no topic, for asking after offsets, and close it."""
    client = broker.consumer(bootstrap, request_timeout_ms=REQUEST_MS, enable_auto_commit=False)
    try:
        await client.start()
        yield client
    finally:
        await client.stop()
