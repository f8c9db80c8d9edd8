"""Reads the topics for the rules, from the offsets in the database."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from msgspec import Struct

from alerts.consumer_lag import ConsumerLag
from alerts.rules.kinds import KINDS
from alerts.watch import AlertEngine, Place
from broker import clients
from broker.confirmed_send import KafkaWriter
from broker.data_loss import Jump, Losses, Positions, lost
from broker.dead_letters import decode_record, error_text, of_record
from observability.tracer import OFF, Tracer
from settings.broker import Address
from storage.timescale import REFUSED
from stream.poison_records import Guard
from topics.catalog import ALERTS_GROUP, DEAD_LETTERS, MAX_MESSAGE_BYTES, by_name
from topics.codec import encode_one
from topics.records import DeadLetter

log = logging.getLogger("foretick")

KIND_OF = {kind.topic.name: (name, kind) for name, kind in KINDS.items() if kind.topic is not None}
MOST_MESSAGES = 100
"""Kafka records in one transaction: each may be a frame of hundreds of rows."""
BYTES_AT_ONCE = 2_097_152
"""The most records in a fold before the event loop runs, so that heartbeats are sent in a backfill too."""


class Seek(ConsumerRebalanceListener):  # type: ignore[misc, unused-ignore] # aiokafka has no types
    """Seeks every assigned partition to its offset in the database; Kafka's committed offsets only show the lag."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        offsets: Callable[[], Awaitable[dict[Place, int]]],
        positions: Positions,
        losses: Losses,
    ) -> None:
        self._consumer, self._offsets, self._positions, self._losses = consumer, offsets, positions, losses

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        """Nothing to do: read records are stored, or will be read again."""

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        """Seek; to the beginning if nothing was ever read. Report records that were deleted before they were read."""
        known = await self._offsets()
        await self._tell(assigned, known)
        unread = [partition for partition in assigned if (partition.topic, partition.partition) not in known]
        for partition in assigned:
            if partition not in unread:
                self._consumer.seek(partition, known[partition.topic, partition.partition])
        if unread:
            # Concurrently: each takes a while, during which arriving records are read, and would be read again.
            await self._consumer.seek_to_beginning(*unread)

    async def _tell(self, assigned: list[TopicPartition], known: Mapping[Place, int]) -> None:
        """Record the offset of each partition, and the losses before its beginning."""
        stands = {at: known[at.topic, at.partition] for at in assigned if (at.topic, at.partition) in known}
        for at, offset in stands.items():
            self._positions.stand(at, offset)
        if stands:
            with suppress(KafkaError):  # it is then found at the next fetch
                begins = await self._consumer.beginning_offsets(list(stands))
                for loss in await lost(self._consumer, [Jump(at, stands[at], begin) for at, begin in begins.items()]):
                    self._losses.note(loss)


async def read(
    bootstrap: Address,
    evaluator: "BatchEvaluator",
    alone: asyncio.Lock,
    made: Callable[[int], None],
    lag: ConsumerLag,
    losses: Losses,
) -> None:
    """Read for ever, and call `made` with the number of alerts of each batch. Raises KafkaError if Kafka cannot be
    read.

    `alone` is locked while the engine works: its state in memory must equal the database's. Raises DefectError if too
    many records fail.
    """
    consumer = clients.consumer(
        bootstrap,
        group_id=ALERTS_GROUP,
        # Only one reads at a time (alerts/worker.py). So a new one replaces a killed one at once, without waiting for
        # the end of its session in Kafka.
        group_instance_id=ALERTS_GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
        session_timeout_ms=15_000,
        max_poll_interval_ms=600_000,
    )

    async def offsets() -> dict[Place, int]:
        async with alone:
            return await evaluator.engine.offsets()

    positions = Positions()
    jumps: list[Jump] = []
    consumer.subscribe(list(KIND_OF), listener=Seek(consumer, offsets, positions, losses))
    await consumer.start()
    try:
        while True:
            await lag.look(consumer)
            batch = await consumer.getmany(timeout_ms=500, max_records=MOST_MESSAGES)
            jumps += positions.jumps(batch)
            for loss in await lost(consumer, jumps):
                losses.note(loss)
            jumps.clear()
            lag.reading(consumer, not batch)
            if batch:
                async with alone:
                    made(await evaluator.take(batch))
                with suppress(KafkaError):  # the database has the offsets; this only shows the lag
                    await consumer.commit()
    finally:
        lag.ended()
        await consumer.stop()


@dataclass
class Batch:
    """Records to be evaluated together, by the name of their kind, and the offsets after them."""

    records: dict[str, list[Struct]] = field(default_factory=dict)
    offsets: dict[Place, int] = field(default_factory=dict)
    messages: list[ConsumerRecord] = field(default_factory=list)
    size: int = 0

    def add(self, message: ConsumerRecord, name: str, results: Sequence[Struct]) -> None:
        """Add a Kafka record with its rows."""
        self.records.setdefault(name, []).extend(results)
        self.offsets[message.topic, message.partition] = message.offset + 1
        self.messages.append(message)
        self.size += len(message.value or b"")

    def evaluated(self) -> Iterator[ConsumerRecord]:
        """Yield the Kafka records of the kinds for which there is a rule."""
        return (message for message in self.messages if self.records.get(KIND_OF[message.topic][0]))

    def topics(self) -> str:
        """Return the names of the topics."""
        return ", ".join(sorted({topic for topic, _ in self.offsets}))


@dataclass
class BatchEvaluator:
    """Evaluates read records. A record on which the engine fails becomes a dead letter; the others are evaluated."""

    engine: AlertEngine
    guard: Guard
    writer: KafkaWriter
    tracer: Tracer = OFF

    async def take(self, batch: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> int:
        """Evaluate a batch a part at a time; return the number of its alerts."""
        made = 0
        wanted = {rule.on for rule in (await self.engine.rule_set()).rules}
        taking = Batch()
        for partition, messages in batch.items():
            name, _ = KIND_OF[partition.topic]
            for message in messages:
                results = await self._read(message) if name in wanted else []
                taking.add(message, name, [record for _, record in results])
                if taking.size >= BYTES_AT_ONCE:
                    made += await self._look(taking)
                    taking = Batch()
                    await asyncio.sleep(0)
        made += await self._look(taking)
        self.guard.check()
        return made

    async def _read(self, message: ConsumerRecord) -> list[tuple[int, Struct]]:
        """Return the rows of a Kafka record; invalid ones are reported by persist, which reads all of these topics."""
        why = self.guard.skips.of(message.topic).get((message.partition, message.offset))
        if why is not None:
            await self._report(of_record(message.topic, message, 0, message.value or b"", why))
            return []
        rows, results, _ = decode_record(by_name(message.topic), message, self.guard.bounds)
        return list(zip(rows, results, strict=True))

    async def _look(self, batch: Batch) -> int:
        """Evaluate records together; if their content makes that fail, one by one."""
        try:
            with self.tracer.span("alerts", batch.topics(), batch.evaluated()) as span:
                return await self.engine.take(batch.records, batch.offsets, span.traceparent)
        except Exception as error:
            if _away(error):
                raise
            log.warning("alerts: %s; searching for the record", error_text(error))
        made = 0
        for message in batch.messages:
            name, _ = KIND_OF[message.topic]
            for row, record in await self._read(message):
                try:
                    with self.tracer.span("alerts", message.topic, [message]) as span:
                        made += await self.engine.take({name: [record]}, {}, span.traceparent)
                except Exception as error:
                    if _away(error):
                        raise
                    self.guard.failed((message.topic, message.partition, message.offset), error_text(error))
                    reason = f"alerts: {error_text(error)}"
                    await self._report(of_record(message.topic, message, row, encode_one(record), reason))
            await self.engine.take({}, {(message.topic, message.partition): message.offset + 1})
        return made

    async def _report(self, letter: DeadLetter) -> None:
        await self.writer.send([(DEAD_LETTERS, letter.topic, [letter])])


def _away(error: Exception) -> bool:
    """Return whether an error is not caused by a record: a server is away, or the database is not set up."""
    if isinstance(error, psycopg.Error):
        return not isinstance(error, REFUSED)
    return isinstance(error, KafkaError | OSError)
