"""What this process wrote, folded by its own next stage once Kafka has confirmed it, before a fetch brings it.

The way through an idle Kafka takes some three milliseconds, and a forecast went it four times. A record is folded early
only if it follows the last one that was folded of its partition, so that none is passed over. Its outputs are sent at
once; its state is stored and its offset acknowledged when it is fetched, as if it was folded only then: a crash repeats
what it would repeat of any record.
"""

import asyncio
from collections import deque
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from aiokafka.structs import RecordMetadata

from broker.interface import Headers
from stream.coalesced import Piece, SourceRecord
from stream.delayed_save import Change

S = TypeVar("S")

MOST_WAITING = 1_000
"""Confirmed records that wait to be folded: the oldest are then left to the fetch."""

NOT_FETCHED: Any = None
"""The Faust event of a record that was not fetched."""

States = Mapping[bytes, tuple[dict[int, int], S]]


class EarlyRecords(Generic[S]):
    """The confirmed records of one stage's source topic, and what is known of those that were folded before their
    fetch.

    `folding` is held while records are folded and their outputs posted, early or fetched: they leave in one order.
    """

    def __init__(self) -> None:
        self.folding = asyncio.Lock()
        self._confirmed: deque[SourceRecord] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()
        self._generation: int | None = None
        self._next: dict[int, int] = {}  # by partition, the offset after the last record that was folded
        self._keys: dict[tuple[int, int], list[bytes]] = {}  # of the records folded early, by partition and offset
        self._changes: dict[bytes, Change[S]] = {}
        self._deliveries: list[asyncio.Task[None]] = []

    def confirmed(self, key: bytes | None, value: bytes, headers: Headers, at: RecordMetadata) -> None:
        """Take note of a record that Kafka has."""
        if at.partition in self._next:
            self._confirmed.append(
                SourceRecord(
                    at.topic, at.partition, at.offset, at.timestamp / 1000, key, value, headers, self._generation
                )
            )
            self._news.set()

    def begin(self, generation: int) -> None:
        """Forget what was folded before a rebalance: it is read again, perhaps on another state."""
        if self._generation != generation:
            self._generation = generation
            for known in (self._confirmed, self._next, self._keys, self._changes, self._deliveries):
                known.clear()

    async def wait(self) -> None:
        """Return once there are confirmed records."""
        await self._news.wait()

    def take(self, generation: int) -> list[Piece]:
        """Return the confirmed records that follow, in their partitions, those that were folded; forget the others."""
        self._news.clear()
        records, next_ = [], dict(self._next)
        while self._confirmed:
            record = self._confirmed.popleft()
            if record.generation_id == generation and record.offset == next_.get(record.partition):
                next_[record.partition] += 1
                records.append(Piece(NOT_FETCHED, record, last=False))
        return records

    def folded(self, events: Iterable[Piece], changes: Sequence[Change[S]], delivery: "asyncio.Task[None]") -> None:
        """Keep what records taken before brought about; their outputs are on their way."""
        self.passed(events)
        for change in changes:
            self._changes[change.key] = change
        for event in events:
            self._keys[event.message.partition, event.message.offset] = [change.key for change in changes]
        self._deliveries = [one for one in self._deliveries if not one.done() or one.exception()] + [delivery]

    def passed(self, events: Iterable[Piece]) -> None:
        """Expect, in each partition, the record after these."""
        for event in events:
            partition, after = event.message.partition, event.message.offset + 1
            self._next[partition] = max(after, self._next.get(partition, 0))

    def unknown(self, events: Iterable[Piece]) -> list[Piece]:
        """Return the fetched records that were not folded early."""
        return [event for event in events if (event.message.partition, event.message.offset) not in self._keys]

    def due(self, events: Iterable[Piece], newer: Container[bytes], ahead: States[S]) -> list[Change[S]]:
        """Return the states from records that were folded early and are fetched now, to be stored with these.

        Not those of keys in `newer`, which are folded further, nor those that are stored, or waiting to be, already.
        """
        results: dict[bytes, Change[S]] = {}
        for event in events:
            for key in self._keys.pop((event.message.partition, event.message.offset), ()):
                change, newest = self._changes.get(key), ahead.get(key)
                if change is None or newest is None or newest[0] is not change.offsets or key in newer:
                    continue
                results[key] = replace(change, event=event.event)
        return list(results.values())

    def deliveries(self) -> list[asyncio.Task[Any]]:
        """Return the deliveries of all that was folded early until now: no state may be stored before they are done."""
        return list(self._deliveries)
