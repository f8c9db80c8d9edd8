"""How far each symbol of a venue has come on `ticks`, remembered over a crash.

A file holds what Kafka has confirmed, and from where on the topic may hold more; at a start that is read. So a process
that was killed goes on after the last trade that it had sent, and sends none again.
"""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from settings.broker import Address
from sources import broker
from sources.errors import SourceError
from sources.kafka import Cluster, between
from sources.live.line import Place
from topics import codec
from topics.bounds import BOUNDS
from topics.catalog import TICKS
from topics.records import Tick

LOOK_BACK = 5_000
"""Messages of each partition that are read where no file tells from where on."""


class Memory(Struct):
    """`places` by our symbol, `watched` by ccxt's; `offsets` is the first offset of each partition of `ticks` that may
    hold what `places` does not know.
    """

    cluster: str = ""
    places: dict[str, Place] = {}
    watched: list[str] = []
    offsets: dict[int, int] = {}

    @classmethod
    def load(cls, path: Path) -> "Memory":
        """Return what was written down, or an empty memory. Raises SourceError where it cannot be read."""
        if not path.exists():
            return cls()
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except msgspec.DecodeError as error:
            raise SourceError(f"{path}: what was sent before cannot be read ({error}): remove the file") from error

    def save(self, path: Path) -> None:
        """Write it down, all or nothing."""
        new = path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(msgspec.json.encode(self))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)

    def note(self, tick: Tick, *, counted: bool) -> None:
        """Note a tick that lies on the topic, in its order."""
        last = self.places.get(tick.symbol)
        if counted:
            if tick.trade_id is not None and tick.trade_id.isdecimal():
                time = tick.time if last is None else max(tick.time, last.time)
                self.places[tick.symbol] = Place(time, int(tick.trade_id))
        elif last is None or tick.time >= last.time:
            keys = last.keys if last is not None and last.time == tick.time else []
            own = [] if tick.trade_id is None or tick.trade_id in keys else [tick.trade_id]
            self.places[tick.symbol] = Place(tick.time, None, [*keys, *own])


async def recall(bootstrap: Address, cluster: Cluster, memory: Memory, venue: str, *, counted: bool) -> None:
    """Add to the memory what `ticks` holds of the venue beyond it; one of another cluster is emptied first."""
    partitions = [at for at in cluster.partitions if at.topic == TICKS.name]
    consumer = broker.consumer(bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        if memory.cluster != cluster.id or any(memory.offsets.get(at.partition, 0) > ends[at] for at in partitions):
            memory.cluster, memory.places = cluster.id, {}
            memory.offsets = {at.partition: max(begins[at], ends[at] - LOOK_BACK) for at in partitions}
        starts = {at: max(memory.offsets.get(at.partition, 0), begins[at]) for at in partitions}
        async for message in between(consumer, starts, ends):
            latest = BOUNDS.latest(message.timestamp)
            for tick in codec.decode(message.value, Tick, message.headers, latest=latest).records:
                if tick.venue == venue:
                    memory.note(tick, counted=counted)
        memory.offsets = {at.partition: ends[at] for at in partitions}
    finally:
        await consumer.stop()
