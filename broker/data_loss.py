"""Reports Kafka records that were deleted before they were read: in the log, as a metric and on `gaps`.

Kafka deletes at a partition's beginning only (retention, DeleteRecords). So a reader lost the records between its
offset and the partition's present beginning; any other jump is no loss, but a transaction marker or compaction.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from prometheus_client import Counter

from broker.confirmed_send import KafkaWriter
from topics.catalog import GAPS
from topics.records import Gap

log = logging.getLogger("foretick")

LOST = Counter("foretick_lost_offsets", "Kafka records that were deleted before they were read.", ["group", "topic"])
EVERY_SYMBOL = "ALL"
AGAIN_S = 2.0

Done = Callable[[], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Loss:
    """The offsets from `first` up to `end`, itself left out; `time` is the append time of the first remaining record,
    epoch ms.

    `done` is called once Kafka has the record of the loss.
    """

    topic: str
    partition: int
    first: int
    end: int
    time: int
    done: Done | None = None


def gap(group: str, loss: Loss) -> Gap:
    """Return the record of a loss. If repeated, it has the same identity: symbol, venue and start."""
    count, last = loss.end - loss.first, loss.end - 1
    why = f"Kafka deleted {count} records of {loss.topic}, partition {loss.partition}, before {group} had read them"
    return Gap(
        symbol=EVERY_SYMBOL,
        venue=f"kafka:{group}:{loss.topic}-{loss.partition}",
        start=loss.time,
        end=loss.time,
        reason=f"{why}: offsets {loss.first} to {last}",
        after_id=str(loss.first - 1) if loss.first else None,
        before_id=str(loss.end),
        reader=group,
        topic=loss.topic,
        partition=loss.partition,
        first_offset=loss.first,
        last_offset=last,
    )


class Losses:
    """Counts the lost offsets of a consumer group, each once, and publishes them on `gaps` as soon as Kafka accepts
    it."""

    def __init__(self, group: str, writer: KafkaWriter, topics: Sequence[str]) -> None:
        self._group, self._writer = group, writer
        self._counted: dict[tuple[str, int], int] = {}
        self._waiting: asyncio.Queue[Loss] = asyncio.Queue()
        for topic in topics:
            LOST.labels(group, topic)  # the series begins at 0

    def note(self, loss: Loss) -> None:
        """Record a loss; offsets recorded before are not counted again."""
        place = loss.topic, loss.partition
        first = max(loss.first, self._counted.get(place, 0))
        if first >= loss.end:
            return
        self._counted[place] = loss.end
        result = Loss(
            topic=loss.topic, partition=loss.partition, first=first, end=loss.end, time=loss.time, done=loss.done
        )
        LOST.labels(self._group, loss.topic).inc(loss.end - first)
        log.error("%s", gap(self._group, result).reason)
        self._waiting.put_nowait(result)

    async def run(self) -> None:
        """Publish recorded losses for ever."""
        while True:
            loss = await self._waiting.get()
            try:
                await self._send(loss)
            except BaseException:
                self._waiting.put_nowait(loss)  # the next run publishes it
                raise
            if loss.done is not None:
                await loss.done()

    async def _send(self, loss: Loss) -> None:
        while True:
            try:
                return await self._writer.send([(GAPS, EVERY_SYMBOL, [gap(self._group, loss)])])
            except (KafkaError, OSError) as error:
                log.warning("a loss cannot be published yet: %s", error)
                await asyncio.sleep(AGAIN_S)


@dataclass(frozen=True)
class Jump:
    """A jump of a reader from the `expected` offset to `first`."""

    at: TopicPartition
    expected: int
    first: int


class Positions:
    """A reader's position in each partition: the next offset."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, int], int] = {}

    def stand(self, at: tuple[str, int], offset: int) -> None:
        """Set the offset from which a partition is read."""
        self._next[at[0], at[1]] = offset

    def jumps(self, fetched: Mapping[Any, Sequence[Any]]) -> list[Jump]:
        """Advance by the fetched records; return the jumps between them and the previous ones."""
        results = []
        for at, messages in fetched.items():
            if messages:
                topic, partition = at
                expected = self._next.get((topic, partition))
                if expected is not None and messages[0].offset > expected:
                    results.append(Jump(TopicPartition(topic, partition), expected, messages[0].offset))
                self._next[topic, partition] = messages[-1].offset + 1
        return results


async def lost(consumer: Any, jumps: Sequence[Jump]) -> list[Loss]:
    """Return the losses among the jumps. Raises KafkaError if aiokafka's consumer gets no answer."""
    if not jumps:
        return []
    begins = await consumer.beginning_offsets([jump.at for jump in jumps])
    real = [jump for jump in jumps if begins[jump.at] > jump.expected]
    times = await first_times(consumer, [jump.at for jump in real]) if real else {}
    return [
        Loss(
            topic=jump.at.topic,
            partition=jump.at.partition,
            first=jump.expected,
            end=min(jump.first, begins[jump.at]),
            time=times[jump.at],
        )
        for jump in real
    ]


async def first_times(consumer: Any, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """Return when the first record of each partition was appended, or the present time if there is none, epoch ms."""
    result = await consumer.offsets_for_times(dict.fromkeys(partitions, 0))
    now = int(time.time() * 1000)
    return {at: result[at].timestamp if result.get(at) is not None else now for at in partitions}
