"""From the outbox to the topic `alerts`: every alert once, though the process may be killed at any moment.

What was sent but not yet marked when the process ended is found on the topic, and is not sent again.
"""

import asyncio
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

from aiokafka import TopicPartition
from psycopg import AsyncConnection

from alerts.watch import MOVE, OFFSETS, Place
from settings.broker import Address
from sources import broker
from sources.kafka import between
from stream.outbox import Outbox
from topics import codec
from topics.catalog import ALERTS
from topics.records import Alert

AT_ONCE = 1_000
PENDING = "SELECT number, symbol, alert FROM alert_outbox WHERE published_at IS NULL ORDER BY number LIMIT %s"
MARK = "UPDATE alert_outbox SET published_at = now() WHERE number = ANY (%s)"
MARK_FOUND = "UPDATE alert_outbox SET published_at = now() WHERE published_at IS NULL AND alert_id = ANY (%s)"


async def publish(bootstrap: Address, connection: AsyncConnection, more: Callable[[], Any]) -> None:
    """Publish for ever; `more` waits until there may be something. Raises KafkaError where Kafka does not take it."""
    await find_sent(bootstrap, connection)
    outbox = Outbox(bootstrap)
    try:
        while True:
            if not await publish_some(connection, outbox):
                await more()
    finally:
        await outbox.stop()


async def publish_some(connection: AsyncConnection, outbox: Outbox) -> int:
    """Publish what was made first, and mark it; return how many alerts."""
    rows = await (await connection.execute(PENDING, (AT_ONCE,))).fetchall()
    if not rows:
        return 0
    values = ((ALERTS, symbol, _frame([alert for *_, alert in run])) for symbol, run in groupby(rows, lambda r: r[1]))
    sent = await asyncio.gather(*await outbox.post_values(values))
    ends: dict[Place, int] = {}
    for at in sent:
        place = at.topic, at.partition
        ends[place] = max(ends.get(place, 0), at.offset + 1)
    async with connection.transaction():
        await connection.execute(MARK, ([number for number, *_ in rows],))
        await note(connection, ends)
    return len(rows)


def _frame(alerts: list[bytes]) -> bytes:
    return alerts[0] if len(alerts) == 1 else b"[" + b",".join(alerts) + b"]"


async def note(connection: AsyncConnection, ends: Mapping[Place, int]) -> None:
    """Remember up to where the topic holds only what is marked."""
    topics, partitions = zip(*ends, strict=True)
    await connection.execute(MOVE, (list(topics), list(partitions), list(ends.values())))


async def find_sent(bootstrap: Address, connection: AsyncConnection) -> None:
    """Mark what the topic has already of the alerts that are not marked."""
    if not await (await connection.execute(PENDING, (1,))).fetchall():
        return
    known = {(topic, part): at for topic, part, at in await (await connection.execute(OFFSETS)).fetchall()}
    consumer = broker.consumer(bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(ALERTS.name, number) for number in range(ALERTS.partitions)]
        first, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        starts = {at: max(first[at], known.get((at.topic, at.partition), 0)) for at in partitions}
        async for message in between(consumer, starts, end):
            found = codec.decode(message.value, Alert, message.headers).records
            await connection.execute(MARK_FOUND, ([alert.alert_id for alert in found],))
    finally:
        await consumer.stop()
