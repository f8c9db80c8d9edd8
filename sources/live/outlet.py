"""What may be sent, onto the topics: in small frames, in order, with what Kafka confirmed noted."""

import asyncio
import itertools
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata
from msgspec import Struct

from settings.broker import Address
from sources.live.memory import Memory
from sources.producer import producer
from topics import codec
from topics.catalog import DEAD_LETTERS, GAPS, MAX_MESSAGE_BYTES, TICKS, Topic
from topics.records import DeadLetter, Gap, Tick

log = logging.getLogger("foretick.live")

FRAME_ROWS = 500
MOST_QUEUED = 20_000
IN_FLIGHT = 64
SAVE_S = 0.5
_TOPICS: dict[type[Struct], Topic] = {Tick: TICKS, Gap: GAPS, DeadLetter: DEAD_LETTERS}


class Outlet:
    """The way to Kafka. `put` never waits, so that the order of the calls is the order on the topic."""

    def __init__(self, to_kafka: AIOKafkaProducer, memory: Memory, path: Path, *, counted: bool) -> None:
        self._producer, self._memory, self._path, self._counted = to_kafka, memory, path, counted
        self._queue: deque[Struct] = deque()
        self._pending: deque[tuple[asyncio.Future[RecordMetadata], Sequence[Struct]]] = deque()
        self._filled, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._saved = 0.0

    def put(self, records: Sequence[Struct]) -> None:
        """Queue ticks, gaps and dead letters."""
        self._queue.extend(records)
        self._filled.set()
        if self.full:
            self._room.clear()

    @property
    def full(self) -> bool:
        """Whether more than `MOST_QUEUED` records wait to be sent."""
        return len(self._queue) > MOST_QUEUED

    async def room(self) -> None:
        """Wait until what is queued has been taken in hand."""
        await self._room.wait()

    async def run(self) -> None:
        """Send what is queued, until cancelled. Raises KafkaError where Kafka does not take it."""
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
        self._room.set()
        for gap, run in itertools.groupby(records, lambda record: isinstance(record, Gap)):
            for frame in frames(list(run)):
                topic = _TOPICS[type(frame[0])]
                key = getattr(frame[0], topic.key).encode()
                sent = await self._producer.send(topic.name, codec.encode(frame), key=key, headers=codec.HEADERS)
                self._pending.append((sent, frame))
            # After a gap the trades that follow hide it: it is to be safe before they are sent.
            await self.settle(0 if gap else IN_FLIGHT)

    async def settle(self, unconfirmed: int = 0) -> None:
        """Wait until at most so many frames are unconfirmed. Raises KafkaError where one was not taken."""
        while len(self._pending) > unconfirmed or (self._pending and self._pending[0][0].done()):
            where = await asyncio.shield(self._pending[0][0])
            _, frame = self._pending.popleft()
            if where.topic == TICKS.name:
                self._memory.offsets[where.partition] = where.offset + 1
                for tick in frame:
                    if isinstance(tick, Tick):
                        self._memory.note(tick, counted=self._counted)
        if time.monotonic() - self._saved > SAVE_S:
            self.save()

    async def flush(self) -> None:
        """Send and settle all that is queued."""
        await self._send_queued()
        await self.settle()

    def save(self) -> None:
        """Write down what was confirmed."""
        self._memory.save(self._path)
        self._saved = time.monotonic()


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
async def outlet(bootstrap: Address, memory: Memory, path: Path, *, counted: bool) -> AsyncIterator[Outlet]:
    """Open the way to Kafka. When it is left, what is queued is sent, and what was confirmed is written down."""
    to_kafka = producer(bootstrap, linger_ms=5, max_batch_size=MAX_MESSAGE_BYTES // 4)
    await to_kafka.start()
    opened = Outlet(to_kafka, memory, path, counted=counted)
    try:
        opened.save()  # before anything is sent: without it a crash would leave ticks that nobody knows of
        yield opened
        await opened.flush()
    finally:
        opened.save()
        await to_kafka.stop()
