"""Sends frames and returns when Kafka has them."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from msgspec import Struct

from settings.broker import Address
from sources.producer import producer
from topics import codec
from topics.catalog import MAX_MESSAGE_BYTES, Topic

ROWS, FRAME_BYTES = 2_000, 600_000
"""Rows and, about, bytes in one outgoing frame: each costs Faust the same, whatever is in it."""

MOST_BYTES = MAX_MESSAGE_BYTES // 2
"""Bytes of a frame of several records, at most: Kafka takes twice as many in a message, with its key and headers."""

Delivery = asyncio.Future[Any]


def encoded(records: Sequence[Struct]) -> Iterator[bytes]:
    """Yield the records as frames. Of records of one kind the last is about the longest: there, indicators are warm.

    Dead letters are not of one kind. What has become too large is cut again.
    """
    if records:
        rows = min(max(FRAME_BYTES // len(codec.encode_one(records[-1])), 1), ROWS)
        for start in range(0, len(records), rows):
            yield from _cut(records[start : start + rows])


def _cut(records: Sequence[Struct]) -> Iterator[bytes]:
    value = codec.encode(records)
    if len(value) <= MOST_BYTES or len(records) == 1:
        yield value
    else:
        del value
        middle = len(records) // 2
        yield from _cut(records[:middle])
        yield from _cut(records[middle:])


class Outbox:
    """A producer with which a batch is complete, on every replica, before it counts."""

    def __init__(self, bootstrap: Address) -> None:
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()  # several agents share an outbox

    async def _connected(self) -> AIOKafkaProducer:
        async with self._connecting:
            if self._producer is None:
                to_kafka = producer(self._bootstrap, linger_ms=2)
                await to_kafka.start()
                self._producer = to_kafka
            return self._producer

    async def stop(self) -> None:
        """Flush and disconnect."""
        if self._producer is not None:
            to_kafka, self._producer = self._producer, None
            await to_kafka.stop()

    async def send(self, frames: Iterable[tuple[Topic, str, Sequence[Struct]]]) -> None:
        """Send (topic, key, records) and wait until all are delivered. Raises KafkaError where one is not."""
        await asyncio.gather(*await self.post(frames))

    async def post(
        self, frames: Iterable[tuple[Topic, str, Sequence[Struct]]], arrived: int | None = None
    ) -> list[Delivery]:
        """Hand (topic, key, records) over in order; the futures returned are done when Kafka has them.

        What is posted next, after this has returned, comes after it on the topics. `arrived` is when what they were
        made of came, epoch ms.
        """
        return await self.post_values(
            ((topic, key, value) for topic, key, records in frames for value in encoded(records)), arrived
        )

    async def post_values(
        self, values: Iterable[tuple[Topic, str, bytes]], arrived: int | None = None
    ) -> list[Delivery]:
        """Hand (topic, key, encoded frame) over in order, as `post` does with records."""
        to_kafka = await self._connected()
        headers = codec.HEADERS if arrived is None else [*codec.HEADERS, (codec.ARRIVED_HEADER, b"%d" % arrived)]
        return [
            await to_kafka.send(topic.name, value, key=key.encode(), headers=headers) for topic, key, value in values
        ]
