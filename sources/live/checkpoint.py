"""The progress of each symbol of a venue on `ticks`, kept across crashes.

A file has the trades confirmed by Kafka, and the offsets from which the topic may have more; these are read at a start.
So a killed process continues after the last trade that it sent, and repeats none.
"""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from broker.reader import between, reader
from settings.broker import Address
from sources.errors import SourceError
from sources.live.sequencer import Cursor
from sources.replay.sender import Cluster
from topics import codec
from topics.catalog import TICKS
from topics.records import Tick
from topics.value_size import BOUNDS

LOOK_BACK = 5_000
"""The number of messages read of each partition if there is no file with offsets."""


class FeedCheckpoint(Struct):
    """`places` by our symbol, `watched` by ccxt's; `offsets` is the first offset of each partition of `ticks` that may
    hold what `places` does not know.
    """

    cluster: str = ""
    places: dict[str, Cursor] = {}
    watched: list[str] = []
    offsets: dict[int, int] = {}

    @classmethod
    def load(cls, path: Path) -> "FeedCheckpoint":
        """Return the saved checkpoint, or an empty one. Raises SourceError if it cannot be read."""
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

    def record(self, tick: Tick, *, counted: bool) -> None:
        """Record a tick on the topic, in its order."""
        last = self.places.get(tick.symbol)
        if counted:
            if tick.trade_id is not None and tick.trade_id.isdecimal():
                time = tick.time if last is None else max(tick.time, last.time)
                self.places[tick.symbol] = Cursor(time, int(tick.trade_id))
        elif last is None or tick.time >= last.time:
            keys = last.keys if last is not None and last.time == tick.time else []
            own = [] if tick.trade_id is None or tick.trade_id in keys else [tick.trade_id]
            self.places[tick.symbol] = Cursor(tick.time, None, [*keys, *own])


async def restore(
    bootstrap: Address, cluster: Cluster, checkpoint: FeedCheckpoint, venue: str, *, counted: bool
) -> None:
    """Add the venue's later trades on `ticks` to the checkpoint; one of another cluster is emptied first."""
    partitions = [at for at in cluster.partitions if at.topic == TICKS.name]
    async with reader(bootstrap) as consumer:
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        if checkpoint.cluster != cluster.id or any(
            checkpoint.offsets.get(at.partition, 0) > ends[at] for at in partitions
        ):
            checkpoint.cluster, checkpoint.places = cluster.id, {}
            checkpoint.offsets = {at.partition: max(begins[at], ends[at] - LOOK_BACK) for at in partitions}
        starts = {at: max(checkpoint.offsets.get(at.partition, 0), begins[at]) for at in partitions}
        async for message in between(consumer, starts, ends):
            latest = BOUNDS.latest(message.timestamp)
            for tick in codec.decode(message.value, Tick, message.headers, latest=latest).records:
                if tick.venue == venue:
                    checkpoint.record(tick, counted=counted)
        checkpoint.offsets = {at.partition: ends[at] for at in partitions}
