"""Reads the topics that rules look at, from where the database says the watcher is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from msgspec import Struct

from alerts.behind import Behind
from alerts.kinds import KINDS
from alerts.watch import Place, Watch
from settings.broker import Address
from sources import broker
from storage.timescale import REFUSED
from stream.guard import Guard
from stream.letters import decode_record, of_record, told
from stream.loss import Jump, Losses, Positions, lost
from stream.outbox import Outbox
from topics.catalog import ALERTS_GROUP, DEAD_LETTERS, MAX_MESSAGE_BYTES, by_name
from topics.codec import encode_one
from topics.records import DeadLetter

log = logging.getLogger("foretick")

KIND_OF = {kind.topic.name: (name, kind) for name, kind in KINDS.items() if kind.topic is not None}
MOST_MESSAGES = 100
"""Kafka records in one transaction: each may be a frame of hundreds of rows."""
BYTES_AT_ONCE = 2_097_152
"""What a fold may take on before the event loop gets a turn: heartbeats must go out in a backfill too."""


class Seek(ConsumerRebalanceListener):  # type: ignore[misc, unused-ignore]
    """Puts every partition that is assigned where the database says; Kafka's committed offsets only show the lag."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        offsets: Callable[[], Awaitable[dict[Place, int]]],
        positions: Positions,
        losses: Losses,
    ) -> None:
        self._consumer, self._offsets, self._positions, self._losses = consumer, offsets, positions, losses

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Nothing to do: what was read is stored, or will be read again."""

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Seek; where nothing was ever read, the beginning. Tell what was deleted before it was read."""
        known = await self._offsets()
        await self._tell(assigned, known)
        unread = [partition for partition in assigned if (partition.topic, partition.partition) not in known]
        for partition in assigned:
            if partition not in unread:
                self._consumer.seek(partition, known[partition.topic, partition.partition])
        if unread:
            # All at once: each takes a while, in which what comes already is read, and would be read again.
            await self._consumer.seek_to_beginning(*unread)

    async def _tell(self, assigned: list[TopicPartition], known: Mapping[Place, int]) -> None:
        """Note where each partition is read from, and what lies behind its beginning already."""
        stands = {at: known[at.topic, at.partition] for at in assigned if (at.topic, at.partition) in known}
        for at, offset in stands.items():
            self._positions.stand(at, offset)
        if stands:
            with suppress(KafkaError):  # it is seen at the next fetch then
                begins = await self._consumer.beginning_offsets(list(stands))
                for loss in await lost(self._consumer, [Jump(at, stands[at], begin) for at, begin in begins.items()]):
                    self._losses.note(loss)


async def read(
    bootstrap: Address,
    intake: "Intake",
    alone: asyncio.Lock,
    made: Callable[[int], None],
    behind: Behind,
    losses: Losses,
) -> None:
    """Read for ever, and tell `made` how many alerts came of a batch. Raises KafkaError where Kafka cannot be read.

    `alone` is held while the watcher works: what it knows in memory must be what the database has. Raises DefectError
    where too many records fail.
    """
    consumer = broker.consumer(
        bootstrap,
        group_id=ALERTS_GROUP,
        # Only one reads at a time (alerts/worker.py). So one that begins takes the place of one that was killed, at
        # once, and need not wait until Kafka believes that it is gone.
        group_instance_id=ALERTS_GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
        session_timeout_ms=15_000,
        max_poll_interval_ms=600_000,
    )

    async def offsets() -> dict[Place, int]:
        async with alone:
            return await intake.watch.offsets()

    positions = Positions()
    jumps: list[Jump] = []
    consumer.subscribe(list(KIND_OF), listener=Seek(consumer, offsets, positions, losses))
    await consumer.start()
    try:
        while True:
            await behind.look(consumer)
            batch = await consumer.getmany(timeout_ms=500, max_records=MOST_MESSAGES)
            jumps += positions.jumps(batch)
            for loss in await lost(consumer, jumps):
                losses.note(loss)
            jumps.clear()
            behind.reading(consumer, not batch)
            if batch:
                async with alone:
                    made(await intake.take(batch))
                with suppress(KafkaError):  # the database has it; this only shows the lag
                    await consumer.commit()
    finally:
        behind.ended()
        await consumer.stop()


@dataclass
class Taking:
    """What is to be looked at together: the records by the name of their kind, and where to read on afterwards."""

    records: dict[str, list[Struct]] = field(default_factory=dict)
    offsets: dict[Place, int] = field(default_factory=dict)
    messages: list[ConsumerRecord] = field(default_factory=list)
    size: int = 0

    def add(self, message: ConsumerRecord, name: str, found: Sequence[Struct]) -> None:
        """Add a Kafka record with what it holds."""
        self.records.setdefault(name, []).extend(found)
        self.offsets[message.topic, message.partition] = message.offset + 1
        self.messages.append(message)
        self.size += len(message.value or b"")


@dataclass
class Intake:
    """Looks at what was read. A record that the watcher fails on becomes a dead letter; the others are looked at."""

    watch: Watch
    guard: Guard
    outbox: Outbox

    async def take(self, batch: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> int:
        """Look at a batch a part at a time; return how many alerts came of it."""
        made = 0
        wanted = {rule.on for rule in (await self.watch.book()).rules}
        taking = Taking()
        for partition, messages in batch.items():
            name, _ = KIND_OF[partition.topic]
            for message in messages:
                found = await self._read(message) if name in wanted else []
                taking.add(message, name, [record for _, record in found])
                if taking.size >= BYTES_AT_ONCE:
                    made += await self._look(taking)
                    taking = Taking()
                    await asyncio.sleep(0)
        made += await self._look(taking)
        self.guard.check()
        return made

    async def _read(self, message: ConsumerRecord) -> list[tuple[int, Struct]]:
        """Return the rows of a Kafka record; what is none persist tells, which reads all of these topics."""
        why = self.guard.skips.of(message.topic).get((message.partition, message.offset))
        if why is not None:
            await self._tell(of_record(message.topic, message, 0, message.value or b"", why))
            return []
        rows, found, _ = decode_record(by_name(message.topic), message, self.guard.bounds)
        return list(zip(rows, found, strict=True))

    async def _look(self, taking: Taking) -> int:
        """Look at records together; where that fails by what is in them, at each by itself."""
        try:
            return await self.watch.take(taking.records, taking.offsets)
        except Exception as error:
            if _away(error):
                raise
            log.warning("alerts: %s; the record is looked for", told(error))
        made = 0
        for message in taking.messages:
            name, _ = KIND_OF[message.topic]
            for row, record in await self._read(message):
                try:
                    made += await self.watch.take({name: [record]}, {})
                except Exception as error:
                    if _away(error):
                        raise
                    self.guard.failed((message.topic, message.partition, message.offset), told(error))
                    reason = f"alerts: {told(error)}"
                    await self._tell(of_record(message.topic, message, row, encode_one(record), reason))
            await self.watch.take({}, {(message.topic, message.partition): message.offset + 1})
        return made

    async def _tell(self, letter: DeadLetter) -> None:
        await self.outbox.send([(DEAD_LETTERS, letter.topic, [letter])])


def _away(error: Exception) -> bool:
    """Tell whether an error is no record's fault: a server is away, or the database is not set up."""
    if isinstance(error, psycopg.Error):
        return not isinstance(error, REFUSED)
    return isinstance(error, KafkaError | OSError)
