"""One consumer that reads the streamed topics for all clients into a ring each."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from api.ring_buffer import BYTES, BufferedFrame, Ring
from broker.interface import ConsumerClient
from broker.reader import reader
from settings.broker import Address
from topics.catalog import ALERTS, DRIFT, GAPS, OUTCOMES, PREDICTIONS, REGIMES, Topic, by_name
from topics.value_size import BOUNDS, Bounds

STREAMED = (PREDICTIONS, OUTCOMES, REGIMES, ALERTS, DRIFT, GAPS)
REQUEST_MS, RETRY_S = 5_000, 2.0
TURN_MS, QUIET_TURNS = 1_000, 5
log = logging.getLogger("foretick")


@asynccontextmanager
async def consumer(bootstrap: Address, topics: Sequence[Topic]) -> AsyncIterator[ConsumerClient]:
    """Give a consumer of all partitions of these topics, in no group, that goes nowhere by itself; and close it.

    Raises KafkaError if no Kafka answers or a topic does not exist.
    """
    names = (topic.name for topic in topics)
    async with reader(bootstrap, *names, request_timeout_ms=REQUEST_MS, auto_offset_reset="none") as client:
        yield client


def frame(record: ConsumerRecord, bounds: Bounds = BOUNDS) -> BufferedFrame:
    """Return a Kafka record as a frame."""
    topic, value, headers = by_name(record.topic), record.value or b"", tuple(record.headers)
    return BufferedFrame(
        topic=topic,
        partition=record.partition,
        offset=record.offset,
        value=value,
        headers=headers,
        time=record.timestamp,
        bounds=bounds,
    )


class Hub:
    """The rings, of `kept` bytes each. `ready` is set while Kafka answers, `stopping` once all streams must end."""

    def __init__(self, bootstrap: Address, bounds: Bounds = BOUNDS, kept: int = BYTES) -> None:
        self.bootstrap, self.bounds = bootstrap, bounds
        self.rings = {topic: Ring(topic=topic, most=kept) for topic in STREAMED}
        self.ready = asyncio.Event()
        self.stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._begun = False

    def start(self) -> None:
        """Start reading from now on; a Kafka that does not answer is retried."""
        self._task = asyncio.create_task(self._run())

    def end_streams(self) -> None:
        """Signal the end to all clients."""
        self.stopping.set()
        self._wake()

    def _wake(self) -> None:
        for ring in self.rings.values():
            ring.wake()

    async def stop(self) -> None:
        """End the consumer."""
        self.end_streams()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        text = ""
        while True:
            try:
                async with consumer(self.bootstrap, STREAMED) as client:
                    await self._seek(client)
                    self.ready.set()
                    self._wake()
                    if text:
                        log.info("Kafka at %s is read again", self.bootstrap)
                    text = ""
                    await self._read(client)
            except OffsetOutOfRangeError as error:
                log.error("Kafka no longer has the next records of the streams (%s): they restart at its end", error)
                self._begun = False
            except (KafkaError, OSError) as error:
                why = str(error) or type(error).__name__
                if why != text:  # once, not at every retry
                    text = why
                    log.warning("Kafka at %s cannot be read for the streams: %s", self.bootstrap, why)
            except Exception:
                log.exception("the streams cannot be read on from Kafka at %s; trying again", self.bootstrap)
            finally:
                self.ready.clear()
                self._wake()
            await asyncio.sleep(RETRY_S)

    async def _seek(self, client: ConsumerClient) -> None:
        """Go on where the rings end; at first, at the end of each topic."""
        partitions = client.assignment()
        ends = await client.end_offsets(partitions)
        if not self._begun:
            for topic, ring in self.rings.items():
                ring.reset({part.partition: int(end) for part, end in ends.items() if part.topic == topic.name})
            self._begun = True
        for part in partitions:
            # A partition that was added since is read from its beginning.
            client.seek(part, self.rings[by_name(part.topic)].end.get(part.partition, 0))

    async def _read(self, client: ConsumerClient) -> None:
        """Read for ever. Raises KafkaError where nothing comes because Kafka does not answer."""
        quiet = 0
        while True:
            values: dict[TopicPartition, list[ConsumerRecord]] = await client.getmany(timeout_ms=TURN_MS)
            quiet = 0 if values else quiet + 1
            if quiet >= QUIET_TURNS:
                await client.end_offsets(client.assignment())  # a consumer waits for a lost Kafka silently
                quiet = 0
            for part, records in values.items():
                self.rings[by_name(part.topic)].add([frame(record, self.bounds) for record in records])
