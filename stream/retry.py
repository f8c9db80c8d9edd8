"""Sends dead letters' bytes to their topic again, as they are or corrected, and keeps a record of it."""

import asyncio
from collections.abc import Sequence

import msgspec
from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord
from msgspec import Struct
from psycopg import Connection

from broker.confirmed_send import send_in_turn
from broker.reader import reader
from settings.broker import Address
from storage.dead_letters import StoredDeadLetter, sent_again
from topics import codec
from topics.catalog import MAX_MESSAGE_BYTES, Topic, by_name
from topics.dead_letters import KEY_BYTES

ANSWER_S = 20.0
_parts = msgspec.json.Decoder(list[msgspec.Raw])


class RetryError(Exception):
    """A dead letter cannot be sent again; the message is one line."""


class Correction(Struct, frozen=True):
    """What is sent instead of a letter's own value, and instead of its key if one is given."""

    value: bytes
    key: bytes | None = None


def send_again(
    address: Address,
    connection: Connection,
    some: Sequence[StoredDeadLetter],
    *,
    who: str,
    why: str,
    correction: Correction | None = None,
) -> None:
    """Send the dead letters of one Kafka record, and record who did so. It blocks.

    Raises RetryError, and KafkaError, TimeoutError or OSError if Kafka does not accept it.
    """
    if correction is None:
        asyncio.run(retry(address, some))
        sent_again(connection, some, who, why, None, None)
    else:
        asyncio.run(_send_corrected(address, some[0], correction))
        sent_again(connection, some, who, why, correction.value, correction.key)


async def _send_corrected(address: Address, letter: StoredDeadLetter, correction: Correction) -> None:
    topic = _topic(letter)
    frame = codec.decode(correction.value, topic.record, codec.HEADERS)
    if frame.rejected:
        raise RetryError(f"still no record of {topic.name}: {frame.rejected[0].reason}")
    key = letter.key if correction.key is None else correction.key
    if correction.key is None and key is not None and len(key) >= KEY_BYTES:
        raise RetryError(f"{letter.place}: its key was cut; give the whole one")
    async with asyncio.timeout(ANSWER_S):
        await send_in_turn(address, [(topic.name, key, correction.value, codec.HEADERS)])


def _topic(letter: StoredDeadLetter) -> Topic:
    try:
        return by_name(letter.topic)
    except ValueError:
        raise RetryError(f"{letter.topic} is no topic: its content can only be read there again") from None


async def retry(address: Address, stored_dead_letters: Sequence[StoredDeadLetter]) -> None:
    """Send the dead letters of one Kafka record, with its key and headers. Raises RetryError, KafkaError,
    TimeoutError."""
    first = stored_dead_letters[0]
    topic = _topic(first)
    async with asyncio.timeout(ANSWER_S):
        record = await _original(address, first)
    values = [_bytes(letter, record) for letter in stored_dead_letters]
    key, headers = (first.key, codec.HEADERS) if record is None else (record.key, list(record.headers))
    if record is None and key is not None and len(key) >= KEY_BYTES:
        raise RetryError(f"{first.topic}/{first.partition}/{first.offset}: its key was cut, and Kafka has it no more")
    async with asyncio.timeout(ANSWER_S):
        await send_in_turn(address, ((topic.name, key, value, headers) for value in values))


async def _original(address: Address, letter: StoredDeadLetter) -> ConsumerRecord | None:
    """Return the Kafka record of a dead letter, None if Kafka no longer has it."""
    partition = TopicPartition(letter.topic, letter.partition)
    # Only of a topic that it was told of does a client know the partitions.
    async with reader(
        address, letter.topic, auto_offset_reset="none", max_partition_fetch_bytes=MAX_MESSAGE_BYTES
    ) as client:
        if partition not in client.assignment():
            return None
        client.unsubscribe()
        client.assign([partition])
        begins, ends = await client.beginning_offsets([partition]), await client.end_offsets([partition])
        if not begins[partition] <= letter.offset < ends[partition]:
            return None
        client.seek(partition, letter.offset)
        result = await client.getone(partition)
        same = result.offset == letter.offset and not isinstance(result.value, codec.UnreadableValue)
        return result if same else None


def _bytes(letter: StoredDeadLetter, record: ConsumerRecord | None) -> bytes:
    """Return the bytes of a dead letter's value: its own if complete, else those in Kafka."""
    if letter.size is None:
        return letter.value
    where = f"{letter.topic}/{letter.partition}/{letter.offset}/{letter.row}"
    if record is None or record.value is None:
        raise RetryError(
            f"{where}: the dead letter has the first {len(letter.value)} of {letter.size} bytes, Kafka has none"
        )
    if len(record.value) == letter.size:
        return bytes(record.value)
    try:
        part = bytes(_parts.decode(record.value)[letter.row])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, IndexError):
        part = b""
    if len(part) != letter.size:
        raise RetryError(f"{where}: its {letter.size} bytes are not in the record that Kafka has there")
    return part
