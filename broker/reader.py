"""Reads topics with offsets of one's own: in no group, so that nothing is committed."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from broker import clients
from broker.interface import Clients, ConsumerClient
from settings.broker import Address


@asynccontextmanager
async def reader(address: Address | Clients, *topics: str, **options: Any) -> AsyncIterator[ConsumerClient]:
    """Give a consumer of all partitions of these topics that is started, and close it; `options` are aiokafka's.

    Without topics it reads what it is assigned. Raises KafkaError where no Kafka answers or a topic is not there.
    """
    client = clients.consumer(address, *topics, enable_auto_commit=False, **options)
    try:
        await client.start()
        yield client
    finally:
        # Shielded: who leaves may be cancelled once more, but the connections are to be closed.
        await asyncio.shield(client.stop())


async def between(
    client: ConsumerClient, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> AsyncIterator[ConsumerRecord]:
    """Yield what partitions hold from their starts up to their ends; the consumer must have started."""
    unread = {at: start for at, start in starts.items() if start < ends[at]}
    client.assign(list(unread))
    for at, start in unread.items():
        client.seek(at, start)
    while [at for at in unread if await client.position(at) < ends[at]]:
        for records in (await client.getmany(timeout_ms=1_000)).values():
            for record in records:
                yield record
