"""Records to Kafka, with what was confirmed written down."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError
from aiokafka.structs import ConsumerRecord, RecordMetadata
from msgspec import Struct

from settings.broker import Address
from sources import broker
from sources.answering import LEAVE_S, LOOK_S, QUIET_S, Answering
from sources.errors import SourceError
from sources.producer import producer
from sources.progress import Progress, save
from topics import codec
from topics.catalog import BARS, DEAD_LETTERS, MAX_MESSAGE_BYTES, TICKS

TOPICS = (BARS.name, TICKS.name, DEAD_LETTERS.name)
HEADER = "foretick-replay"
"""The header of a replayed record: the run, the series' key, and how many of its rows there are up to this record's
last.
"""
IN_FLIGHT = 64
_SAVE_SECONDS = 0.5
STOP_S = 2.0


@dataclass(frozen=True)
class Cluster:
    """A Kafka cluster: its id, and the partitions of the topics that a replay writes."""

    id: str
    partitions: list[TopicPartition]


def unwatched(bootstrap: Address) -> Answering:
    """Return what nobody looks at."""
    return Answering(str(bootstrap), inf, lambda _line: None)


async def cluster_at(bootstrap: Address, answering: Answering | None = None) -> Cluster:
    """Return the cluster at an address. Raises SourceError where no Kafka answers, or it has not our topics."""
    answering = answering or unwatched(bootstrap)
    admin = await _admin(bootstrap, answering)
    with answering.owes():
        return await _cluster(bootstrap, admin)


async def _admin(bootstrap: Address, answering: Answering) -> AIOKafkaAdminClient:
    """Return a client that is connected. Where nobody listens that is an error at once; who hangs is waited for."""
    while True:
        admin = broker.admin(bootstrap)
        try:
            with answering.owes():
                await admin.start()
        except KafkaConnectionError as error:
            await admin.close()
            if answering.quiet_s() < QUIET_S:
                raise SourceError(f"no Kafka answers at {bootstrap}: `./foretick up` starts one") from error
            await asyncio.sleep(LOOK_S)
        else:
            return admin


async def _cluster(bootstrap: Address, admin: AIOKafkaAdminClient) -> Cluster:
    try:
        lacking = sorted(set(TOPICS) - set(await admin.list_topics()))
        if lacking:
            raise SourceError(f"Kafka at {bootstrap} has no topic {', '.join(lacking)}: `./foretick up` makes them")
        topics = await admin.describe_topics(list(TOPICS))
        found = [TopicPartition(topic["topic"], at["partition"]) for topic in topics for at in topic["partitions"]]
        return Cluster(str((await admin.describe_cluster())["cluster_id"]), sorted(found))
    finally:
        await admin.close()


async def catch_up(bootstrap: Address, cluster: Cluster, progress: Progress, answering: Answering) -> None:
    """Add to the progress what the topics hold beyond it; at its beginning, note where the topics end.

    Raises SourceError where the topics were made anew since.
    """
    with answering.owes():
        await _catch_up(bootstrap, cluster, progress, answering)


async def _catch_up(bootstrap: Address, cluster: Cluster, progress: Progress, answering: Answering) -> None:
    consumer = broker.consumer(bootstrap, enable_auto_commit=False)
    try:
        await consumer.start()
        answering.heard()
        ends = await consumer.end_offsets(cluster.partitions)
        begins = await consumer.beginning_offsets(cluster.partitions)
        unread = {}
        for at, end in ends.items():
            known = progress.offsets.setdefault(at.topic, {}).setdefault(at.partition, end)
            if known > end:
                raise SourceError(f"the topic {at.topic} was made anew since this replay stopped: --restart sends all")
            if known < end:
                unread[at] = max(known, begins[at])
        async for record in between(consumer, unread, ends):
            answering.heard()
            _note(progress, dict(record.headers).get(HEADER))
        for at, end in ends.items():
            progress.offsets[at.topic][at.partition] = end
    finally:
        await consumer.stop()


async def between(
    consumer: AIOKafkaConsumer, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> AsyncIterator[ConsumerRecord]:
    """Yield what partitions hold from their starts up to their ends; the consumer must have started."""
    unread = {at: start for at, start in starts.items() if start < ends[at]}
    consumer.assign(list(unread))
    for at, start in unread.items():
        consumer.seek(at, start)
    while [at for at in unread if await consumer.position(at) < ends[at]]:
        for records in (await consumer.getmany(timeout_ms=1_000)).values():
            for record in records:
                yield record


def _note(progress: Progress, header: bytes | None) -> None:
    run, key, last = (header or b"- - 0").decode().split(" ")
    if run == progress.run:
        progress.positions[key] = max(progress.positions.get(key, 0), int(last))


class Sender:
    """Sends records, at most `IN_FLIGHT` unconfirmed, and writes down what was confirmed."""

    def __init__(self, to_kafka: AIOKafkaProducer, progress: Progress, path: Path, answering: Answering) -> None:
        self._producer, self._progress, self._path, self._answering = to_kafka, progress, path, answering
        self._pending: deque[tuple[asyncio.Future[RecordMetadata], str, int]] = deque()
        self._saved = 0.0

    async def send(self, topic: str, key: str, series: str, last: int, records: Sequence[Struct]) -> None:
        """Send records in one frame; `last` counts the series' rows up to the frame's last."""
        headers = [*codec.HEADERS, (HEADER, f"{self._progress.run} {series} {last}".encode())]
        with self._answering.owes():
            sent = await self._producer.send(topic, codec.encode(records), key=key.encode(), headers=headers)
        self._pending.append((sent, series, last))
        await self.settle(IN_FLIGHT)

    async def settle(self, unconfirmed: int = 0) -> None:
        """Wait until at most so many records are unconfirmed. Raises the error of a record that Kafka did not take."""
        while len(self._pending) > unconfirmed or (self._pending and self._pending[0][0].done()):
            sent, series, last = self._pending[0]
            with self._answering.owes():
                where = await asyncio.shield(sent)
            self._pending.popleft()
            self._progress.positions[series] = last
            self._progress.offsets[where.topic][where.partition] = where.offset + 1
        if time.monotonic() - self._saved > _SAVE_SECONDS:
            self.save()

    def save(self) -> None:
        """Write down what was confirmed."""
        save(self._path, self._progress)
        self._saved = time.monotonic()


@asynccontextmanager
async def sender(
    bootstrap: Address, progress: Progress, path: Path, answering: Answering, patience_s: float
) -> AsyncIterator[Sender]:
    """Open the way to Kafka. However it is left, what was confirmed is written down."""
    # By itself aiokafka gives up a record after 40 s without its broker: here that is for `answering` to say.
    request_ms = int(1_000 * max(patience_s + LEAVE_S, 40.0))
    to_kafka = producer(bootstrap, linger_ms=10, max_batch_size=MAX_MESSAGE_BYTES // 4, request_timeout_ms=request_ms)
    opened = Sender(to_kafka, progress, path, answering)
    try:
        with answering.owes():
            await to_kafka.start()
        yield opened
        await opened.settle()
    finally:
        opened.save()
        await _stop(to_kafka)


async def _stop(to_kafka: AIOKafkaProducer) -> None:
    """Disconnect; what waits for a Kafka that is gone is given up, since a later run sends it."""
    try:
        async with asyncio.timeout(STOP_S):
            await to_kafka.stop()
    except TimeoutError:
        await to_kafka.client.close()
