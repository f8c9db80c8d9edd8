"""Sends records to Kafka, and saves the confirmed progress."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError
from aiokafka.structs import RecordMetadata
from msgspec import Struct

from broker import clients
from broker.availability import LEAVE_S, LOOK_S, QUIET_S, KafkaWatchdog
from broker.confirmations import IN_FLIGHT, Confirmations
from broker.confirmed_send import KafkaWriter
from broker.reader import between, reader
from broker.tls_refusal import tls_refusal
from settings.broker import Address
from sources.errors import SourceError
from sources.replay.checkpoint import Progress, save
from topics import codec
from topics.catalog import BARS, DEAD_LETTERS, MAX_MESSAGE_BYTES, TICKS

TOPICS = (BARS.name, TICKS.name, DEAD_LETTERS.name)
HEADER = "foretick-replay"
"""The header of a replayed record: the run, the series' key, and how many of its rows there are up to this record's
last.
"""
STOP_S = 2.0


@dataclass(frozen=True)
class Cluster:
    """A Kafka cluster: its id, and the partitions of the topics that a replay writes."""

    id: str
    partitions: list[TopicPartition]


def unwatched(bootstrap: Address) -> KafkaWatchdog:
    """Return a value that is not used."""
    return KafkaWatchdog(str(bootstrap), inf, lambda _line: None)


async def cluster_at(bootstrap: Address, watchdog: KafkaWatchdog | None = None) -> Cluster:
    """Return the cluster at an address. Raises SourceError if no Kafka answers, or it has not our topics."""
    watchdog = watchdog or unwatched(bootstrap)
    admin = await _admin(bootstrap, watchdog)
    with watchdog.expecting():
        return await _cluster(bootstrap, admin)


async def _admin(bootstrap: Address, watchdog: KafkaWatchdog) -> AIOKafkaAdminClient:
    """Return a connected client. A refused connection is an error at once; a broker that hangs is waited for."""
    while True:
        admin = clients.admin(bootstrap)
        try:
            with watchdog.expecting():
                await admin.start()
        except KafkaConnectionError as error:
            await admin.close()
            if (why := await tls_refusal(bootstrap)) is not None:
                raise SourceError(f"Kafka at {bootstrap}: {why}") from error
            if watchdog.quiet_s() < QUIET_S:
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
        results = [TopicPartition(topic["topic"], at["partition"]) for topic in topics for at in topic["partitions"]]
        return Cluster(str((await admin.describe_cluster())["cluster_id"]), sorted(results))
    finally:
        await admin.close()


async def catch_up(bootstrap: Address, cluster: Cluster, progress: Progress, watchdog: KafkaWatchdog) -> None:
    """Add the topics' later rows to the progress; at its beginning, record the topics' end offsets.

    Raises SourceError if the topics were recreated since.
    """
    with watchdog.expecting():
        await _catch_up(bootstrap, cluster, progress, watchdog)


async def _catch_up(bootstrap: Address, cluster: Cluster, progress: Progress, watchdog: KafkaWatchdog) -> None:
    async with reader(bootstrap) as consumer:
        watchdog.answered()
        ends = await consumer.end_offsets(cluster.partitions)
        begins = await consumer.beginning_offsets(cluster.partitions)
        unread = {}
        for at, end in ends.items():
            known = progress.offsets.setdefault(at.topic, {}).setdefault(at.partition, end)
            if known > end:
                raise SourceError(f"the topic {at.topic} was recreated since this replay stopped: --restart sends all")
            if known < end:
                unread[at] = max(known, begins[at])
        async for record in between(consumer, unread, ends):
            watchdog.answered()
            _note(progress, dict(record.headers).get(HEADER))
        for at, end in ends.items():
            progress.offsets[at.topic][at.partition] = end


def _note(progress: Progress, header: bytes | None) -> None:
    run, key, last = (header or b"- - 0").decode().split(" ")
    if run == progress.run:
        progress.positions[key] = max(progress.positions.get(key, 0), int(last))


class ReplayKafkaWriter:
    """Sends records, at most `IN_FLIGHT` unconfirmed, and saves the confirmed progress."""

    def __init__(self, writer: KafkaWriter, progress: Progress, path: Path, watchdog: KafkaWatchdog) -> None:
        self._progress = progress
        self._confirmations = Confirmations[tuple[str, int]](
            writer, self._confirmed, lambda: save(path, progress), watchdog.expecting
        )
        self.settle, self.save = self._confirmations.settle, self._confirmations.save

    async def send(self, topic: str, key: str, series: str, last: int, records: Sequence[Struct]) -> None:
        """Send records in one frame; `last` counts the series' rows up to the frame's last."""
        headers = [*codec.HEADERS, (HEADER, f"{self._progress.run} {series} {last}".encode())]
        await self._confirmations.send((series, last), topic, key.encode(), codec.encode(records), headers)
        await self.settle(IN_FLIGHT)

    def _confirmed(self, place: tuple[str, int], where: RecordMetadata) -> None:
        series, last = place
        self._progress.positions[series] = last
        self._progress.offsets[where.topic][where.partition] = where.offset + 1


@asynccontextmanager
async def replay_kafka_writer(
    bootstrap: Address, progress: Progress, path: Path, watchdog: KafkaWatchdog, patience_s: float
) -> AsyncIterator[ReplayKafkaWriter]:
    """Open the way to Kafka. However it is left, what was confirmed is written down."""
    # By itself aiokafka gives up a record after 40 s without its broker: here that is for the watchdog to say.
    request_ms = int(1_000 * max(patience_s + LEAVE_S, 40.0))
    writer = KafkaWriter(bootstrap, linger_ms=10, max_batch_size=MAX_MESSAGE_BYTES // 4, request_timeout_ms=request_ms)
    opened = ReplayKafkaWriter(writer, progress, path, watchdog)
    try:
        with watchdog.expecting():
            await writer.start()
        yield opened
        await opened.settle()
    finally:
        opened.save()
        await writer.stop(within_s=STOP_S)  # what waits for a Kafka that is gone, a later run sends
