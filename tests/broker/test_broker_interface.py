"""The Kafka in memory answers as the real one does, and what is sent through either is confirmed in order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError, OffsetOutOfRangeError
from aiokafka.structs import RecordMetadata
from memory_kafka import MemoryKafka

from broker import clients
from broker.admin import create_topics
from broker.confirmations import Confirmations
from broker.confirmed_send import KafkaWriter, send_in_turn
from broker.data_loss import Jump, lost
from broker.interface import Clients
from broker.reader import between, reader
from settings.broker import Address
from topics import codec
from topics.catalog import BARS, GAPS, MAX_MESSAGE_BYTES
from topics.records import Bar

GAP = TopicPartition(GAPS.name, 0)
PLACES = [TopicPartition(BARS.name, number) for number in range(BARS.partitions)]


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.services)])
def kafka(request: pytest.FixtureRequest) -> Address | Clients:
    if request.param == "memory":
        return MemoryKafka()
    servers = request.getfixturevalue("servers")
    create_topics(servers.broker)
    return servers.broker


def bar(symbol: str, minute: int) -> Bar:
    return Bar(symbol, "1m", 1_600_000_020_000 + minute * 60_000, 1.0, 1.0, 1.0, 1.0, 1.0)


@asynccontextmanager
async def writing(kafka: Address | Clients) -> AsyncIterator[KafkaWriter]:
    writer = KafkaWriter(kafka)
    try:
        yield writer
    finally:
        await writer.stop()


async def delete_before(kafka: Address | Clients, at: TopicPartition, offset: int) -> None:
    if isinstance(kafka, MemoryKafka):
        kafka.delete_before(at, offset)
        return
    admin = clients.admin(kafka)
    await admin.start()
    await admin.delete_records({at: RecordsToDelete(before_offset=offset)})
    await admin.close()


def test_frames_come_back_in_order_from_the_partitions_of_their_keys(kafka: Address | Clients) -> None:
    names = [f"{uuid4().hex[:8].upper()}USDT" for _ in range(12)]
    frames = [[bar(name, minute), bar(name, minute + 1)] for minute in (0, 2, 4) for name in names]

    async def story() -> tuple[Sequence[RecordMetadata], list[list[Bar]], set[tuple[str, int]]]:
        async with reader(kafka) as client:
            starts = await client.end_offsets(PLACES)
            async with writing(kafka) as writer:
                sent = await asyncio.gather(*await writer.post([(BARS, rows[0].symbol, rows) for rows in frames]))
            ends = await client.end_offsets(PLACES)
            found = [record async for record in between(client, starts, ends)]
        assert all(tuple(record.headers) == tuple(codec.HEADERS) for record in found)
        places = {(record.key.decode(), record.partition) for record in found}
        return sent, [codec.decode(record.value, Bar, record.headers).records for record in found], places

    sent, found, places = asyncio.run(story())
    assert [[rows for rows in found if rows[0].symbol == name] for name in names] == [
        [rows for rows in frames if rows[0].symbol == name] for name in names
    ]
    # Partitions are a matter of the key alone, and the same in memory and in Kafka.
    assert places == {(rows[0].symbol, at.partition) for rows, at in zip(frames, sent, strict=True)}
    memory = MemoryKafka()
    assert places == {(name, memory.append(BARS.name, name.encode(), b"", ()).partition) for name in names}


def test_what_is_deleted_before_it_was_read_is_a_loss_and_out_of_range(kafka: Address | Clients) -> None:
    async def story() -> None:
        values = [(GAPS.name, b"k", codec.encode_one(bar("A", number)), codec.HEADERS) for number in range(5)]
        async with reader(kafka, GAPS.name, auto_offset_reset="none") as client:
            (first,) = (await client.end_offsets([GAP])).values()
            await send_in_turn(kafka, values)
            await delete_before(kafka, GAP, first + 3)
            assert await client.beginning_offsets([GAP]) == {GAP: first + 3}
            assert await client.end_offsets([GAP]) == {GAP: first + 5}
            client.seek(GAP, first)
            with pytest.raises(OffsetOutOfRangeError):
                await client.getone(GAP)
            (loss,) = await lost(client, [Jump(GAP, first, first + 3)])
            assert (loss.first, loss.end) == (first, first + 3)
            client.seek(GAP, first + 3)
            record = await client.getone(GAP)
            assert (record.offset, loss.time) == (first + 3, record.timestamp)

    asyncio.run(story())


def test_a_reader_is_woken_by_what_comes(kafka: Address | Clients) -> None:
    async def story() -> bytes:
        async with reader(kafka, GAPS.name) as client, writing(kafka) as writer:
            assert await client.position(GAP) == (await client.end_offsets([GAP]))[GAP]
            waiting = asyncio.create_task(client.getmany(timeout_ms=60_000))
            await asyncio.sleep(0)
            await (await writer.hand(GAPS.name, b"k", b"news", codec.HEADERS))
            async with asyncio.timeout(30):
                ((record,),) = (await waiting).values()
            return record.value

    assert asyncio.run(story()) == b"news"


def test_a_value_that_is_too_large_is_refused_when_it_is_handed_over(kafka: Address | Clients) -> None:
    async def story() -> None:
        async with writing(kafka) as writer:
            with pytest.raises(MessageSizeTooLargeError):
                await writer.hand(GAPS.name, b"k", b"x" * (MAX_MESSAGE_BYTES + 1), codec.HEADERS)

    asyncio.run(story())


def test_what_kafka_has_is_noted_in_the_order_in_which_it_was_sent(kafka: Address | Clients) -> None:
    async def story() -> tuple[list[int], list[int], int]:
        noted: list[int] = []
        written: list[int] = []
        async with writing(kafka) as writer:
            confirmations = Confirmations[int](writer, lambda n, _: noted.append(n), lambda: written.append(len(noted)))
            for number in range(10):
                await confirmations.send(number, GAPS.name, b"k", b"%d" % number, codec.HEADERS)
            await confirmations.settle(4)
            least = len(noted)
            await confirmations.settle()
            confirmations.save()
        return noted, written, least

    noted, written, least = asyncio.run(story())
    assert noted == list(range(10))
    assert least >= 6
    assert written[-1] == 10


def test_what_kafka_did_not_take_is_not_noted_and_raises() -> None:
    async def story() -> list[int]:
        kafka, noted = MemoryKafka(), list[int]()
        async with writing(kafka) as writer:
            confirmations = Confirmations[int](writer, lambda n, _: noted.append(n), lambda: None)
            await confirmations.send(1, GAPS.name, b"k", b"1", codec.HEADERS)
            kafka.away = True
            await confirmations.send(2, GAPS.name, b"k", b"2", codec.HEADERS)
            for _ in range(2):  # it stays unconfirmed: nothing after it can be taken for whole
                with pytest.raises(KafkaConnectionError):
                    await confirmations.settle()
        return noted

    assert asyncio.run(story()) == [1]
