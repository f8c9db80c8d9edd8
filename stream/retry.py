"""Sends the bytes of dead letters to their topic again."""

import asyncio
from collections.abc import Sequence

import msgspec
from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from settings.broker import Address
from sources import broker
from sources.producer import producer
from storage.dead_letters import Letter
from topics import codec
from topics.catalog import MAX_MESSAGE_BYTES, by_name

ANSWER_S = 20.0
_parts = msgspec.json.Decoder(list[msgspec.Raw])


class RetryError(Exception):
    """A letter that cannot be sent again; the message is one line."""


async def retry(address: Address, letters: Sequence[Letter]) -> None:
    """Send the letters of one Kafka record, with its key and headers. Raises RetryError, KafkaError, TimeoutError."""
    first = letters[0]
    try:
        topic = by_name(first.topic)
    except ValueError:
        raise RetryError(f"{first.topic} is no topic: what came of it can only be read there again") from None
    async with asyncio.timeout(ANSWER_S):
        record = await _original(address, first)
    values = [_bytes(letter, record) for letter in letters]
    key, headers = (first.key, codec.HEADERS) if record is None else (record.key, list(record.headers))
    if record is None and key is not None and len(key) >= 1_024:
        raise RetryError(f"{first.topic}/{first.partition}/{first.offset}: its key was cut, and Kafka has it no more")
    sender = producer(address)
    try:
        async with asyncio.timeout(ANSWER_S):
            await sender.start()
            for value in values:
                await sender.send_and_wait(topic.name, value, key=key, headers=headers)
    finally:
        await sender.stop()


async def _original(address: Address, letter: Letter) -> ConsumerRecord | None:
    """Return the Kafka record that a letter is about, None where Kafka has it no more."""
    partition = TopicPartition(letter.topic, letter.partition)
    client = broker.consumer(
        address,
        letter.topic,  # only of a topic that it was told of does a client know the partitions
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
    )
    try:
        await client.start()
        if partition not in client.assignment():
            return None
        client.unsubscribe()
        client.assign([partition])
        begins, ends = await client.beginning_offsets([partition]), await client.end_offsets([partition])
        if not begins[partition] <= letter.offset < ends[partition]:
            return None
        client.seek(partition, letter.offset)
        found = await client.getone(partition)
        same = found.offset == letter.offset and not isinstance(found.value, codec.Unread)
        return found if same else None
    finally:
        await client.stop()


def _bytes(letter: Letter, record: ConsumerRecord | None) -> bytes:
    """Return the bytes that a letter is about: its own where it is whole, else those in Kafka."""
    if letter.size is None:
        return letter.value
    where = f"{letter.topic}/{letter.partition}/{letter.offset}/{letter.row}"
    if record is None or record.value is None:
        raise RetryError(
            f"{where}: the letter has the first {len(letter.value)} of {letter.size} bytes, Kafka has none"
        )
    if len(record.value) == letter.size:
        return bytes(record.value)
    try:
        part = bytes(_parts.decode(record.value)[letter.row])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, IndexError):
        part = b""
    if len(part) != letter.size:
        raise RetryError(f"{where}: its {letter.size} bytes are not to be found in what Kafka has there")
    return part
