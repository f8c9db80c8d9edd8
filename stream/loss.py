"""Kafka records that were deleted before a reader got to them: told in the log, as a metric and on `gaps`.

Kafka deletes at a partition's beginning only (retention, DeleteRecords). So what a reader lost lies between where it
stood and where the partition begins now; any other jump is none, but a transaction's mark or what compaction took.
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

from stream.outbox import Outbox
from topics.catalog import GAPS
from topics.records import Gap

log = logging.getLogger("foretick")

LOST = Counter("foretick_lost_offsets", "Kafka records that were deleted before they were read.", ["group", "topic"])
EVERY_SYMBOL = "ALL"
AGAIN_S = 2.0

Done = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Loss:
    """The offsets from `first` up to `end`, itself left out; `time` is the append time of what is there now, epoch ms.

    `done` is called once Kafka has the record that tells of it.
    """

    topic: str
    partition: int
    first: int
    end: int
    time: int
    done: Done | None = None


def gap(group: str, loss: Loss) -> Gap:
    """Return the record that tells of a loss. Told again, it has the same identity: symbol, venue and start."""
    count, last = loss.end - loss.first, loss.end - 1
    why = f"Kafka deleted {count} records of {loss.topic}, partition {loss.partition}, before {group} had read them"
    return Gap(
        EVERY_SYMBOL,
        f"kafka:{group}:{loss.topic}-{loss.partition}",
        loss.time,
        loss.time,
        f"{why}: offsets {loss.first} to {last}",
        after_id=str(loss.first - 1) if loss.first else None,
        before_id=str(loss.end),
        reader=group,
        topic=loss.topic,
        partition=loss.partition,
        first_offset=loss.first,
        last_offset=last,
    )


class Losses:
    """Counts what a consumer group lost, each offset once, and tells `gaps` of it as soon as Kafka takes that."""

    def __init__(self, group: str, outbox: Outbox, topics: Sequence[str]) -> None:
        self._group, self._outbox = group, outbox
        self._told: dict[tuple[str, int], int] = {}
        self._waiting: asyncio.Queue[Loss] = asyncio.Queue()
        for topic in topics:
            LOST.labels(group, topic)  # a series begins at 0

    def note(self, loss: Loss) -> None:
        """Take down a loss; what was told of it before counts no second time."""
        place = loss.topic, loss.partition
        first = max(loss.first, self._told.get(place, 0))
        if first >= loss.end:
            return
        self._told[place] = loss.end
        found = Loss(loss.topic, loss.partition, first, loss.end, loss.time, loss.done)
        LOST.labels(self._group, loss.topic).inc(loss.end - first)
        log.error("%s", gap(self._group, found).reason)
        self._waiting.put_nowait(found)

    async def run(self) -> None:
        """For ever, send what was noted."""
        while True:
            loss = await self._waiting.get()
            try:
                await self._send(loss)
            except BaseException:
                self._waiting.put_nowait(loss)  # whoever runs this next tells it
                raise
            if loss.done is not None:
                await loss.done()

    async def _send(self, loss: Loss) -> None:
        while True:
            try:
                return await self._outbox.send([(GAPS, EVERY_SYMBOL, [gap(self._group, loss)])])
            except (KafkaError, OSError) as error:
                log.warning("a loss cannot be told yet: %s", error)
                await asyncio.sleep(AGAIN_S)


@dataclass(frozen=True)
class Jump:
    """A reader that stood at `expected` and got `first` next."""

    at: TopicPartition
    expected: int
    first: int


class Positions:
    """Where a reader stands in each partition: the offset that comes next."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, int], int] = {}

    def stand(self, at: tuple[str, int], offset: int) -> None:
        """Note where a partition is read from."""
        self._next[at[0], at[1]] = offset

    def jumps(self, fetched: Mapping[Any, Sequence[Any]]) -> list[Jump]:
        """Move on by what was fetched; return where it does not follow what was fetched before."""
        found = []
        for at, messages in fetched.items():
            if messages:
                topic, partition = at
                expected = self._next.get((topic, partition))
                if expected is not None and messages[0].offset > expected:
                    found.append(Jump(TopicPartition(topic, partition), expected, messages[0].offset))
                self._next[topic, partition] = messages[-1].offset + 1
        return found


async def lost(consumer: Any, jumps: Sequence[Jump]) -> list[Loss]:
    """Return what of the jumps was deleted. Raises KafkaError where aiokafka's consumer gets no answer."""
    if not jumps:
        return []
    begins = await consumer.beginning_offsets([jump.at for jump in jumps])
    real = [jump for jump in jumps if begins[jump.at] > jump.expected]
    times = await first_times(consumer, [jump.at for jump in real]) if real else {}
    return [
        Loss(jump.at.topic, jump.at.partition, jump.expected, min(jump.first, begins[jump.at]), times[jump.at])
        for jump in real
    ]


async def first_times(consumer: Any, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """Return when the first record of each partition was appended, now where there is none, epoch ms."""
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, 0))
    now = int(time.time() * 1000)
    return {at: found[at].timestamp if found.get(at) is not None else now for at in partitions}
