"""Reads the topics that rules look at, from where the database says the watcher is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from msgspec import Struct

from alerts.behind import Behind
from alerts.kinds import KINDS
from alerts.watch import Place, Watch
from settings.broker import Address
from sources import broker
from stream.loss import Jump, Losses, Positions, lost
from topics import codec
from topics.catalog import ALERTS_GROUP, MAX_MESSAGE_BYTES

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
    bootstrap: Address, watch: Watch, alone: asyncio.Lock, made: Callable[[int], None], behind: Behind, losses: Losses
) -> None:
    """Read for ever, and tell `made` how many alerts came of a batch. Raises KafkaError where Kafka cannot be read.

    `alone` is held while the watcher works: what it knows in memory must be what the database has.
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
            return await watch.offsets()

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
                    made(await take(batch, watch))
                with suppress(KafkaError):  # the database has it; this only shows the lag
                    await consumer.commit()
    finally:
        behind.ended()
        await consumer.stop()


async def take(batch: Mapping[TopicPartition, Sequence[object]], watch: Watch) -> int:
    """Look at a batch a part at a time; return how many alerts came of it."""
    made = 0
    wanted = {rule.on for rule in (await watch.book()).rules}
    records: dict[str, list[Struct]] = {}
    offsets: dict[Place, int] = {}
    size = 0
    for partition, messages in batch.items():
        name, kind = KIND_OF[partition.topic]
        for message in messages:
            if name in wanted:
                frame = codec.decode(message.value, kind.record, message.headers)  # type: ignore[attr-defined]
                records.setdefault(name, []).extend(frame.records)
                size += len(message.value or b"")  # type: ignore[attr-defined]
            offsets[partition.topic, partition.partition] = message.offset + 1  # type: ignore[attr-defined]
            if size >= BYTES_AT_ONCE:
                made += await watch.take(records, offsets)
                records, offsets, size = {}, {}, 0
                await asyncio.sleep(0)
    return made + await watch.take(records, offsets)
