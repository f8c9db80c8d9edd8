"""Each of persist's sinks by itself: a database that is away stops neither the process nor the cache.

While it is away its slice waits, and with it all later ones, unacknowledged; the partitions stay with the process,
whose heartbeats go on. Meanwhile the cache's values are read from the topics by a consumer of their own.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from settings.broker import Address
from sources import broker
from storage.errors import AwayError
from storage.latest import Latest
from stream.letters import decode_record
from topics.bounds import BOUNDS, Bounds
from topics.catalog import MAX_MESSAGE_BYTES, by_name

log = logging.getLogger("foretick")

AGAIN_S = 2.0
SLOW_S = 10.0
"""A transaction that takes longer is told, and waited for."""
MESSAGES = 100

Positions = Callable[[], Mapping[TopicPartition, int]]
"""Returns the partitions that are to be read, and from where."""


class Sink:
    """How a sink is: `problem` says why it takes nothing, None where it does. Each change is logged once."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.problem: str | None = None
        self.away = asyncio.Event()

    def failed(self, why: str) -> None:
        """Note that it takes nothing."""
        if self.problem is None:
            log.warning("%s: %s; what is to be stored waits in Kafka", self._what, why)
        self.problem = f"{self._what}: {why}"
        self.away.set()

    def well(self) -> None:
        """Note that it has taken something."""
        if self.problem is not None:
            log.info("%s takes records again", self._what)
        self.problem = None
        self.away.clear()


async def until_taken(sink: Sink, what: str, act: Callable[[], Awaitable[None]]) -> None:
    """Do what needs the database, again until it has taken it. Raises StorageError where it refuses the records."""
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
    bootstrap: Address, latest: Latest, database: Sink, positions: Positions, bounds: Bounds = BOUNDS
) -> None:
    """For ever, give the cache what the topics hold, whenever the database is away."""
    while True:
        await database.away.wait()
        try:
            await _read(bootstrap, latest, database, positions, bounds)
        except (KafkaError, OSError) as error:
            log.warning("the newest values, past the database: %s; trying again", error)
        await asyncio.sleep(1.0)  # also where no partition is assigned just now


async def _read(bootstrap: Address, latest: Latest, database: Sink, positions: Positions, bounds: Bounds) -> None:
    """Read until the database is back, or other partitions are assigned."""
    starts = positions()
    if not starts:
        return
    consumer = broker.consumer(
        bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MAX_MESSAGE_BYTES,
    )
    try:
        await consumer.start()
        consumer.assign(list(starts))
        for partition, start in starts.items():
            consumer.seek(partition, start)
        while database.away.is_set() and positions().keys() == starts.keys():
            for partition, messages in (await consumer.getmany(timeout_ms=500, max_records=MESSAGES)).items():
                topic = by_name(partition.topic)
                for message in messages:
                    _, records, _ = decode_record(topic, message, bounds)  # the letters come from storing it
                    await latest.write({topic: records})
    finally:
        await consumer.stop()
