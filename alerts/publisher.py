"""Publishes the outbox on the topic `alerts`: every alert once, even if the process is killed at any time.

Alerts that were sent but not yet marked when the process ended are found on the topic, and are not sent again.
"""

import asyncio
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

from aiokafka import TopicPartition
from psycopg import AsyncConnection

from alerts.watch import MOVE, OFFSETS, Place
from broker.confirmed_send import KafkaWriter
from broker.interface import Delivery
from broker.origin import Origin
from broker.reader import between, reader
from settings.broker import Address
from topics import codec
from topics.catalog import ALERTS
from topics.records import Alert

AT_ONCE = 1_000
PENDING = (
    "SELECT number, symbol, alert, traceparent FROM alert_outbox WHERE published_at IS NULL ORDER BY number LIMIT %s"
)
MARK = "UPDATE alert_outbox SET published_at = now() WHERE number = ANY (%s)"
MARK_FOUND = "UPDATE alert_outbox SET published_at = now() WHERE published_at IS NULL AND alert_id = ANY (%s)"


async def publish(bootstrap: Address, connection: AsyncConnection, more: Callable[[], Any]) -> None:
    """Publish for ever; `more` waits until there may be something. Raises KafkaError if Kafka does not accept it."""
    await find_sent(bootstrap, connection)
    writer = KafkaWriter(bootstrap)
    try:
        while True:
            if not await publish_some(connection, writer):
                await more()
    finally:
        await writer.stop()


async def publish_some(connection: AsyncConnection, writer: KafkaWriter) -> int:
    """Publish the oldest alerts, and mark them; return their number."""
    rows = await (await connection.execute(PENDING, (AT_ONCE,))).fetchall()
    if not rows:
        return 0
    posted: list[Delivery] = []
    for (symbol, traceparent), run in groupby(rows, lambda row: (row[1], row[3])):
        frame = _frame([alert for _, _, alert, _ in run])
        posted += await writer.post_values([(ALERTS, symbol, frame)], Origin(traceparent=traceparent))
    sent = await asyncio.gather(*posted)
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
    """Store the offset up to which the topic has only marked alerts."""
    topics, partitions = zip(*ends, strict=True)
    await connection.execute(MOVE, (list(topics), list(partitions), list(ends.values())))


async def find_sent(bootstrap: Address, connection: AsyncConnection) -> None:
    """Mark those unmarked alerts that are on the topic already."""
    if not await (await connection.execute(PENDING, (1,))).fetchall():
        return
    known = {(topic, part): at for topic, part, at in await (await connection.execute(OFFSETS)).fetchall()}
    async with reader(bootstrap) as consumer:
        partitions = [TopicPartition(ALERTS.name, number) for number in range(ALERTS.partitions)]
        first, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        starts = {at: max(first[at], known.get((at.topic, at.partition), 0)) for at in partitions}
        async for message in between(consumer, starts, end):
            alerts = codec.decode(message.value, Alert, message.headers).records
            await connection.execute(MARK_FOUND, ([alert.alert_id for alert in alerts],))
