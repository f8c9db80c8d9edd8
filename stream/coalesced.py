"""Several small Kafka records of a partition as one Faust event: Faust's cost is per event, a quarter of a millisecond
or more, whatever its size. Each record keeps its own offset, time, key and headers.

`coalesced` joins what a fetch brought, before Faust sees it; `taken` gives an agent the single records again, and
`acknowledge` tells Faust of each event whose last record is done.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from faust.types import TP, EventT

SMALL_BYTES = 4_096
"""A larger record is an event of its own: it costs more than its event."""
MOST_RECORDS = 250
"""The most records of one event."""


class SourceRecord(NamedTuple):
    """A Kafka record as agents read it; `timestamp` in seconds, as in Faust's messages."""

    topic: str
    partition: int
    offset: int
    timestamp: float | None
    key: bytes | None
    value: bytes | None
    headers: Any
    generation_id: int | None


class Piece(NamedTuple):
    """One Kafka record of an event. `last`: once it is done, all of the event is."""

    event: EventT[Any]
    message: Any
    last: bool


class Coalesced(NamedTuple):
    """Consecutive records of a partition in the place of one; its offset is that of the last."""

    records: tuple[Any, ...]

    @property
    def first(self) -> int:
        """The offset of the first record."""
        offset: int = self.records[0].offset
        return offset


class _Joined(NamedTuple):
    """What Faust takes for a fetched record."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: None
    value: Coalesced
    checksum: None
    serialized_key_size: int
    serialized_value_size: int
    headers: tuple[()]


def coalesced(tp: TP, records: Sequence[Any]) -> list[Any]:
    """Return fetched records of one partition with each run of small ones, whose offsets are consecutive, as one."""
    results: list[Any] = []
    run: list[Any] = []
    for record in records:
        small = record.value is not None and len(record.value) <= SMALL_BYTES
        if run and (not small or record.offset != run[-1].offset + 1 or len(run) == MOST_RECORDS):
            results.append(_joined(tp, run))
            run = []
        if small:
            run.append(record)
        else:
            results.append(record)
    if run:
        results.append(_joined(tp, run))
    return results


def _joined(tp: TP, run: Sequence[Any]) -> Any:
    if len(run) == 1:
        return run[0]
    last = run[-1]
    return _Joined(
        topic=tp.topic,
        partition=tp.partition,
        offset=last.offset,
        timestamp=last.timestamp,
        timestamp_type=last.timestamp_type,
        key=None,
        value=Coalesced(tuple(run)),
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=sum(len(record.value) for record in run),
        headers=(),
    )


def pieces(events: Iterable[EventT[Any]]) -> list[Piece]:
    """Return the Kafka records of events, in order."""
    return [piece for event in events for piece in _pieces(event)]


def _pieces(event: EventT[Any]) -> Iterator[Piece]:
    message = event.message
    value: Any = message.value
    if not isinstance(value, Coalesced):
        yield Piece(event, message, last=True)
        return
    topic, partition, generation, end = message.topic, message.partition, message.generation_id, message.offset
    for one in value.records:
        record = SourceRecord(
            topic, partition, one.offset, one.timestamp / 1000, one.key, one.value, one.headers, generation
        )
        yield Piece(event, record, last=one.offset == end)


async def taken(stream: Any, most: int) -> AsyncIterator[list[Piece]]:
    """Yield the records of up to so many events that have come; each is to be acknowledged."""
    async for events in stream.take_arrived(most):
        yield pieces(events)


async def acknowledge(stream: Any, done: Iterable[Piece]) -> None:
    """Acknowledge the events whose last record is among those that are done."""
    for piece in done:
        if piece.last:
            await stream.ack(piece.event)
