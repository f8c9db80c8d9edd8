"""Publishes to the topics: in small frames, in order, recording Kafka's confirmations."""

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka.structs import RecordMetadata
from msgspec import Struct

from broker.confirmations import IN_FLIGHT, SAVE_S, Confirmations
from broker.confirmed_send import KafkaWriter
from settings.broker import Address
from sources.live.checkpoint import FeedCheckpoint
from topics import codec
from topics.catalog import DEAD_LETTERS, GAPS, MAX_MESSAGE_BYTES, TICKS, Topic
from topics.records import DeadLetter, Gap, Tick

log = logging.getLogger("foretick.live")

FRAME_ROWS = 500
MOST_QUEUED = 20_000
_TOPICS: dict[type[Struct], Topic] = {Tick: TICKS, Gap: GAPS, DeadLetter: DEAD_LETTERS}


class LiveKafkaWriter:
    """The way to Kafka. `put` never waits, so that the order of the calls is the order on the topic."""

    def __init__(self, writer: KafkaWriter, checkpoint: FeedCheckpoint, path: Path, *, counted: bool) -> None:
        self._checkpoint, self._counted = checkpoint, counted
        self._queue: deque[Struct] = deque()
        self._filled, self._has_space = asyncio.Event(), asyncio.Event()
        self._has_space.set()
        self._confirmations = Confirmations[Sequence[Struct]](writer, self._confirmed, lambda: checkpoint.save(path))
        self.settle, self.save = self._confirmations.settle, self._confirmations.save

    def put(self, records: Sequence[Struct]) -> None:
        """Queue ticks, gaps and dead letters."""
        self._queue.extend(records)
        self._filled.set()
        if self.full:
            self._has_space.clear()

    @property
    def full(self) -> bool:
        """Whether more than `MOST_QUEUED` records wait to be sent."""
        return len(self._queue) > MOST_QUEUED

    async def wait_for_space(self) -> None:
        """Wait until the queue has been processed."""
        await self._has_space.wait()

    async def run(self) -> None:
        """Send the queue, until cancelled. Raises KafkaError if Kafka does not accept it."""
        while True:
            try:
                async with asyncio.timeout(SAVE_S):
                    await self._filled.wait()
            except TimeoutError:
                await self.settle()
                continue
            self._filled.clear()
            await self._send_queued()

    async def _send_queued(self) -> None:
        records = [self._queue.popleft() for _ in range(len(self._queue))]
        self._has_space.set()
        for gap, run in itertools.groupby(records, lambda record: isinstance(record, Gap)):
            for frame in frames(list(run)):
                topic = _TOPICS[type(frame[0])]
                key = getattr(frame[0], topic.key).encode()
                await self._confirmations.send(frame, topic.name, key, codec.encode(frame), codec.HEADERS)
            # After a gap the trades that follow hide it: it is to be safe before they are sent.
            await self.settle(0 if gap else IN_FLIGHT)

    def _confirmed(self, frame: Sequence[Struct], where: RecordMetadata) -> None:
        if where.topic == TICKS.name:
            self._checkpoint.offsets[where.partition] = where.offset + 1
            for tick in frame:
                if isinstance(tick, Tick):
                    self._checkpoint.record(tick, counted=self._counted)

    async def flush(self) -> None:
        """Send and settle all that is queued."""
        await self._send_queued()
        await self.settle()


def frames(records: Sequence[Struct]) -> Iterator[list[Struct]]:
    """Cut records into frames, each of one kind and key and at most `FRAME_ROWS`; those of one key keep their order."""
    groups: dict[tuple[type[Struct], str], list[Struct]] = {}
    for record in records:
        groups.setdefault((type(record), getattr(record, _TOPICS[type(record)].key)), []).append(record)
    for (kind, _), group in groups.items():
        rows = 1 if kind is DeadLetter else FRAME_ROWS  # a dead letter may be long
        for start in range(0, len(group), rows):
            yield group[start : start + rows]


@asynccontextmanager
async def live_kafka_writer(
    bootstrap: Address, checkpoint: FeedCheckpoint, path: Path, *, counted: bool
) -> AsyncIterator[LiveKafkaWriter]:
    """Open the way to Kafka. When it is left, what is queued is sent, and what was confirmed is written down."""
    writer = KafkaWriter(bootstrap, linger_ms=5, max_batch_size=MAX_MESSAGE_BYTES // 4)
    await writer.start()
    opened = LiveKafkaWriter(writer, checkpoint, path, counted=counted)
    try:
        opened.save()  # before anything is sent: without it a crash would leave unknown ticks
        yield opened
        await opened.flush()
    finally:
        opened.save()
        await writer.stop()
