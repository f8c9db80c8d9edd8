"""How far readers are behind: Kafka records, the rows in them, and their event time, on a real Kafka."""

import asyncio
from collections.abc import Iterator

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata
from stacks import Servers, running

from broker import clients
from broker.admin import create_topics
from observability.lag import NOTHING, ConsumerLag
from settings.broker import Broker
from stack.topic_lag import lag, late
from topics import codec
from topics.catalog import ALERTS_GROUP, BARS, DEAD_LETTERS, GAPS, PERSIST_GROUP, WORKER_GROUP
from topics.records import Bar, DeadLetter, Gap

T0, MINUTE = 1_748_044_800_000, 60_000

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def kafka() -> Iterator[Servers]:
    with running(("kafka",)) as servers:
        create_topics(servers.broker)
        asyncio.run(send(servers.broker))
        yield servers


def frame(first: int, rows: int) -> bytes:
    """Return bars of so many minutes from minute `first` on, in one Kafka record."""
    times = (T0 + (first + row) * MINUTE for row in range(rows))
    return codec.encode([Bar("BTCUSDT", "1m", time, 1.0, 1.0, 1.0, 1.0, 1.0) for time in times])


async def send(kafka: Broker) -> None:
    letter = DeadLetter(topic="bars", partition=0, offset=0, reason="no bar", value=b"x", time=T0)
    gap = Gap(symbol="BTCUSDT", venue="binance", start=T0, end=T0 + 5_000, reason="lost")
    producer = clients.producer(kafka)
    await producer.start()
    for topic, partition, value in (
        *((BARS, 0, frame(first, 500)) for first in (0, 500, 1_000)),
        (BARS, 1, frame(0, 3)),
        (GAPS, 0, codec.encode_one(gap)),
        (DEAD_LETTERS, 0, codec.encode_one(letter)),
        (DEAD_LETTERS, 0, b"no letter"),
    ):
        await producer.send_and_wait(topic.name, value, partition=partition)
    await producer.stop()


async def commit(kafka: Broker, group: str, offsets: dict[TopicPartition, int]) -> None:
    consumer = clients.consumer(kafka, group_id=group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign(list(offsets))
    await consumer.commit({part: OffsetAndMetadata(at, "") for part, at in offsets.items()})
    await consumer.stop()


def test_rows_that_wait_are_told_in_event_time(kafka: Servers) -> None:
    bars = [TopicPartition(BARS.name, number) for number in range(BARS.partitions)]

    async def found() -> dict[str, ConsumerLag]:
        for _ in range(100):
            if (fields := await late(kafka.broker))["bars"].records is not None:
                break
            await asyncio.sleep(0.1)  # a broker that has just begun knows no groups yet
        return fields

    nothing_read = asyncio.run(found())
    assert nothing_read["bars"] == ConsumerLag(4, 1_503, 1_499 * 60.0)  # from the first bar that waits to the newest
    assert nothing_read["gaps"] == ConsumerLag(1, 1, 0.0)
    assert nothing_read["dead-letters"] == ConsumerLag(2, None, None)  # the newest is no letter, and tells no time
    assert nothing_read["ticks"] == NOTHING

    for group in (WORKER_GROUP, PERSIST_GROUP):
        asyncio.run(commit(kafka.broker, group, {bars[0]: 1, bars[1]: 1}))
    asyncio.run(commit(kafka.broker, ALERTS_GROUP, {bars[0]: 3}))
    assert asyncio.run(found())["bars"] == ConsumerLag(2, 1_000, 1_000 * 60.0)  # two frames of 500 minutes
    assert asyncio.run(lag(kafka.broker))["bars"] == 2

    asyncio.run(commit(kafka.broker, WORKER_GROUP, {bars[0]: 3}))
    asyncio.run(commit(kafka.broker, PERSIST_GROUP, {bars[0]: 2}))
    assert asyncio.run(found())["bars"] == ConsumerLag(1, 500, 500 * 60.0)  # the slower of the two
    asyncio.run(commit(kafka.broker, PERSIST_GROUP, {bars[0]: 3}))
    assert asyncio.run(found())["bars"] == NOTHING


def test_what_is_too_much_to_be_read_at_once_is_told_in_event_time_and_its_rows_are_unknown(kafka: Servers) -> None:
    async def more() -> ConsumerLag:
        producer = clients.producer(kafka.broker)
        await producer.start()
        for first in range(2_000, 7_000, 500):
            await producer.send_and_wait(BARS.name, frame(first, 500), partition=2)
        await producer.stop()
        return (await late(kafka.broker))["bars"]

    assert asyncio.run(more()) == ConsumerLag(10, None, 4_999 * 60.0)


def test_without_a_kafka_nothing_is_known() -> None:
    assert set(asyncio.run(late("127.0.0.1:1")).values()) == {ConsumerLag()}
