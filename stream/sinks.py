"""Separates persist's sinks: a database that is away stops neither the process nor the cache.

While it is away its slice and all later ones wait, unacknowledged; the partitions stay assigned to the process, whose
heartbeats continue. Meanwhile the cache's values are read from the topics by a separate consumer.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from broker.dead_letters import decode_record
from broker.reader import reader
from settings.broker import Address
from storage.errors import AwayError
from storage.latest import LatestCache
from topics.catalog import MAX_MESSAGE_BYTES, by_name
from topics.value_size import BOUNDS, Bounds

log = logging.getLogger("foretick")

AGAIN_S = 2.0
SLOW_S = 10.0
"""A transaction that takes longer is reported, and still awaited."""
MESSAGES = 100

Positions = Callable[[], Mapping[TopicPartition, int]]
"""Returns the partitions to be read, with their start offsets."""


class Sink:
    """The state of a sink: `problem` is why it accepts nothing, None if it does. Each change is logged once."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.problem: str | None = None
        self.away = asyncio.Event()

    def failed(self, why: str) -> None:
        """Record that it accepts nothing."""
        if self.problem is None:
            log.warning("%s: %s; the records wait in Kafka", self._what, why)
        self.problem = f"{self._what}: {why}"
        self.away.set()

    def well(self) -> None:
        """Record that it has accepted something."""
        if self.problem is not None:
            log.info("%s accepts records again", self._what)
        self.problem = None
        self.away.clear()


async def until_taken(sink: Sink, what: str, act: Callable[[], Awaitable[None]]) -> None:
    """Run a database operation, retrying until it succeeds. Raises StorageError if the records are refused."""
    slow = asyncio.get_running_loop().call_later(SLOW_S, sink.failed, f"{what}: no end after {SLOW_S:g} s")
    try:
        while True:
            try:
                await act()
            except AwayError as error:
                sink.failed(str(error))
                await asyncio.sleep(AGAIN_S)
            else:
                return sink.well()
    finally:
        slow.cancel()


async def fill_cache(
    bootstrap: Address, latest: LatestCache, database: Sink, positions: Positions, bounds: Bounds = BOUNDS
) -> None:
    """For ever, fill the cache from the topics whenever the database is away."""
    while True:
        await database.away.wait()
        try:
            await _read(bootstrap, latest, database, positions, bounds)
        except (KafkaError, OSError) as error:
            log.warning("the newest values, past the database: %s; trying again", error)
        await asyncio.sleep(1.0)  # also if no partition is assigned at present


async def _read(bootstrap: Address, latest: LatestCache, database: Sink, positions: Positions, bounds: Bounds) -> None:
    """Read until the database is back, or other partitions are assigned."""
    starts = positions()
    if not starts:
        return
    async with reader(bootstrap, auto_offset_reset="earliest", max_partition_fetch_bytes=MAX_MESSAGE_BYTES) as consumer:
        consumer.assign(list(starts))
        for partition, start in starts.items():
            consumer.seek(partition, start)
        while database.away.is_set() and positions().keys() == starts.keys():
            for partition, messages in (await consumer.getmany(timeout_ms=500, max_records=MESSAGES)).items():
                topic = by_name(partition.topic)
                for message in messages:
                    _, records, _ = decode_record(topic, message, bounds)  # dead letters are made when it is stored
                    await latest.write({topic: records})
