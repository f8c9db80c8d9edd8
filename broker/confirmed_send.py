"""Sends frames and returns when Kafka has confirmed them."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct

from broker.interface import Clients, Delivery, Headers, ProducerClient
from broker.producer import producer
from settings.broker import Address
from topics import codec
from topics.catalog import MAX_MESSAGE_BYTES, Topic

ROWS, FRAME_BYTES = 2_000, 600_000
"""The most rows and the approximate bytes of one outgoing frame: Faust's cost is per frame, whatever its size."""

MOST_BYTES = MAX_MESSAGE_BYTES // 2
"""The most bytes of a frame of several records: Kafka accepts twice as many in a message, with its key and headers."""


def encoded(records: Sequence[Struct]) -> Iterator[bytes]:
    """Yield the records as frames. Of one kind of record the last is about the longest, since indicators are warm
    there. Dead letters vary in size: a frame that is too large is split again.
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


def headers_from(arrived: int | None) -> Headers:
    """Return the headers of a frame whose input arrived at that time, epoch ms."""
    return codec.HEADERS if arrived is None else [*codec.HEADERS, (codec.ARRIVED_HEADER, b"%d" % arrived)]


class KafkaWriter:
    """A producer with which a batch is complete, on every replica, before it counts; `options` are aiokafka's."""

    def __init__(self, bootstrap: Address | Clients, **options: Any) -> None:
        self._bootstrap = bootstrap
        self._options = options
        self._producer: ProducerClient | None = None
        self._connecting = asyncio.Lock()  # several agents share a writer

    async def start(self) -> None:
        """Connect, which sending does as well. Raises KafkaError."""
        await self._connected()

    async def _connected(self) -> ProducerClient:
        if self._producer is not None:
            return self._producer
        async with self._connecting:
            if self._producer is None:
                to_kafka = producer(self._bootstrap, **self._options)
                await to_kafka.start()
                self._producer = to_kafka
            return self._producer

    async def stop(self, within_s: float | None = None) -> None:
        """Flush and disconnect; what is not sent within so many seconds is given up."""
        if self._producer is not None:
            to_kafka, self._producer = self._producer, None
            try:
                async with asyncio.timeout(within_s):
                    await to_kafka.stop()
            except TimeoutError:
                if within_s is None:
                    raise
                await to_kafka.close()

    async def send(self, frames: Iterable[tuple[Topic, str, Sequence[Struct]]]) -> None:
        """Send (topic, key, records) and wait until all are delivered. Raises KafkaError if one is not."""
        await asyncio.gather(*await self.post(frames))

    async def post(
        self, frames: Iterable[tuple[Topic, str, Sequence[Struct]]], arrived: int | None = None
    ) -> list[Delivery]:
        """Post (topic, key, records) in order; the returned futures are done when Kafka has confirmed them.

        Records posted after this returns come later on the topics. `arrived` is the arrival time of their input, epoch
        ms.
        """
        return await self.post_values(
            ((topic, key, value) for topic, key, records in frames for value in encoded(records)), arrived
        )

    async def post_values(
        self, values: Iterable[tuple[Topic, str, bytes]], arrived: int | None = None
    ) -> list[Delivery]:
        """Hand (topic, key, encoded frame) over in order, as `post` does with records."""
        await self.start()
        headers = headers_from(arrived)
        return [await self.hand(topic.name, key.encode(), value, headers) for topic, key, value in values]

    async def hand(self, topic: str, key: bytes | None, value: bytes, headers: Headers) -> Delivery:
        """Hand one value over; all others here come to this."""
        to_kafka = await self._connected()
        return await to_kafka.send(topic, value, key=key, headers=headers)


async def send_in_turn(address: Address | Clients, values: Iterable[tuple[str, bytes | None, bytes, Headers]]) -> None:
    """Send (topic, key, value, headers) once Kafka has the one before. Raises KafkaError."""
    writer = KafkaWriter(address)
    try:
        await writer.start()
        for value in values:
            await (await writer.hand(*value))
    finally:
        await writer.stop()
