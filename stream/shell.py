"""The shell around a pure fold: reads frames, sends outputs, keeps a state a symbol in a Faust table, acknowledges.

In that order: outputs are delivered before the state is written, and the state before the offset is committed. A crash
in between repeats outputs, which have deterministic identities, and what the state has seen already is skipped: nothing
is lost, nothing counts twice.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from weakref import ref

import msgspec
from faust.streams import _current_event
from faust.types import EventT
from msgspec import Struct

from stream.commits import current
from stream.metrics import Meter, arrived
from stream.outbox import Delivery, Outbox
from stream.tables import Entry, entries
from topics import codec
from topics.catalog import DEAD_LETTERS, Topic
from topics.records import DeadLetter

S = TypeVar("S")
R = TypeVar("R", bound=Struct)

BATCH_EVENTS = 64
BATCH_SECONDS = 0.02
SLICE_BYTES = 524_288
"""Bytes of input between two acknowledgements: bounds memory, and how long the event loop waits for a fold."""

Output = tuple[Topic, Sequence[Struct]]
"""A topic, and records of one key."""
Sending = tuple[Topic, str, Sequence[Struct]]
"""A topic, a key, and the records to send to it."""


@dataclass(frozen=True)
class Part(Generic[R]):
    """The records of one symbol and interval in one Kafka record, their places (rows) in it, and where it lies."""

    partition: int
    offset: int
    timestamp: int
    rows: list[int] = field(default_factory=list)
    records: list[R] = field(default_factory=list)


class Stage(Protocol[R, S]):
    """A pure step dressed for the shell."""

    name: str

    @property
    def source(self) -> Topic:
        """The topic that it reads."""
        ...

    def key(self, record: R) -> tuple[str, str]:
        """Return the symbol and interval whose state the record belongs to."""
        ...

    def check(self, record: R) -> str | None:
        """Return why the record cannot be used here, or None."""
        ...

    def load(self, key: tuple[str, str], state: bytes | None) -> S:
        """Return the state from its bytes, or the initial one."""
        ...

    def dump(self, state: S) -> bytes:
        """Return the state's bytes, exactly."""
        ...

    def step(self, state: S, parts: Sequence[Part[R]]) -> tuple[S, list[Output]]:
        """Fold the parts, in order, into the state; return what to publish."""
        ...


@dataclass(frozen=True)
class Change(Generic[S]):
    """A state that is to be stored in the table, for the last event that went into it."""

    event: EventT[Any]
    key: bytes
    state: S
    offsets: dict[int, int]


def dead_letter(topic: str, event: EventT[Any], row: int, value: bytes, reason: str) -> DeadLetter:
    """Return the dead letter of a part of an event's value."""
    message = event.message
    time = int(message.timestamp * 1000) if message.timestamp and message.timestamp > 0 else 0
    return DeadLetter(topic, message.partition, message.offset, reason, value, time, message.key or None, row)


def decode_event(topic: Topic, event: EventT[Any]) -> tuple[Sequence[int], list[Any], list[DeadLetter]]:
    """Return the records of an event, the row of each, and the dead letters of what is none."""
    message = event.message
    headers: Any = message.headers or ()
    pairs = headers.items() if isinstance(headers, dict) else headers
    frame = codec.decode(message.value, topic.record, pairs)
    letters = [dead_letter(topic.name, event, part.row, part.value, part.reason) for part in frame.rejected]
    rows: Sequence[int] = range(len(frame.records) + len(letters))
    if letters:
        unread = {part.row for part in frame.rejected}
        rows = [row for row in rows if row not in unread]
    return rows, frame.records, letters


def slices(events: Sequence[EventT[Any]], most: int = SLICE_BYTES) -> Iterator[list[EventT[Any]]]:
    """Cut events into runs of about `most` bytes."""
    run: list[EventT[Any]] = []
    size = 0
    for event in events:
        run.append(event)
        size += len(event.message.value or b"")
        if size >= most:
            yield run
            run, size = [], 0
    if run:
        yield run


@dataclass
class Shell(Generic[R, S]):
    """One stage in the stream. `cache` holds decoded states beside the bytes that they came from."""

    stage: Stage[R, S]
    table: Any
    outbox: Outbox
    cache: dict[bytes, tuple[bytes, S, dict[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._meter = Meter(self.stage.name, self.stage.source)

    async def run(self, stream: Any) -> None:
        """Work the stream off, a slice of events at a time; while one slice is delivered the next is folded already."""
        async for events in stream.noack_take(BATCH_EVENTS, within=BATCH_SECONDS):
            ahead: dict[bytes, tuple[dict[int, int], S]] = {}
            finishing: asyncio.Task[None] | None = None
            for part in slices(current(stream, events)):
                if not current(stream, part):
                    break
                frames, changes = self._fold(part, ahead)
                # In order onto the topics, before the next slice is: who reads them skips what is not newer.
                since = arrived(part)
                posted = await self.outbox.post(frames, since)
                if finishing is not None:
                    await finishing
                finishing = asyncio.create_task(self._finish(stream, part, posted, changes, since))
            if finishing is not None:
                await finishing

    async def _finish(
        self,
        stream: Any,
        events: Sequence[EventT[Any]],
        posted: Sequence[Delivery],
        changes: Sequence[Change[S]],
        since: int | None,
    ) -> None:
        delivered = await asyncio.gather(*posted)
        self._meter.delivered(since, (one.timestamp for one in delivered))
        if not current(stream, events):
            return
        for change in changes:
            self._store(change)
        for event in events:
            await stream.ack(event)

    def _fold(
        self, events: Sequence[EventT[Any]], ahead: dict[bytes, tuple[dict[int, int], S]]
    ) -> tuple[list[Sending], list[Change[S]]]:
        """Return what to send, and the states to store afterwards; `ahead` holds states that are not stored yet."""
        begun, records = time.perf_counter(), 0
        frames: list[Sending] = []
        groups: dict[tuple[str, str], list[Part[R]]] = {}
        last_event: dict[tuple[str, str], EventT[Any]] = {}
        for event in events:
            letters = self._group(event, groups, last_event)
            if letters:
                frames.append((DEAD_LETTERS, self.stage.source.name, letters))
        changes: list[Change[S]] = []
        for key, parts in groups.items():
            table_key = "|".join(key).encode()
            offsets, state = ahead.get(table_key) or self._load(key, table_key)
            fresh = [part for part in parts if part.offset > offsets.get(part.partition, -1)]
            if not fresh:
                continue
            records += sum(len(part.records) for part in fresh)
            state, outputs = self.stage.step(state, fresh)
            frames += [(topic, getattr(records[0], topic.key), records) for topic, records in outputs if records]
            offsets = offsets | {part.partition: part.offset for part in fresh}
            ahead[table_key] = offsets, state
            changes.append(Change(last_event[key], table_key, state, offsets))
        self._meter.folded(time.perf_counter() - begun, records, frames)
        return frames, changes

    def _group(
        self,
        event: EventT[Any],
        groups: dict[tuple[str, str], list[Part[R]]],
        last_event: dict[tuple[str, str], EventT[Any]],
    ) -> list[DeadLetter]:
        message = event.message
        rows, records, letters = decode_event(self.stage.source, event)
        parts: dict[tuple[str, str], Part[R]] = {}
        part, part_key = None, None
        for row, record in zip(rows, records, strict=True):
            reason = self.stage.check(record)
            if reason is not None:
                letters.append(dead_letter(self.stage.source.name, event, row, codec.encode_one(record), reason))
                continue
            key = self.stage.key(record)
            if part is None or key != part_key:  # nearly all records of an event have one key
                if key not in parts:
                    parts[key] = Part(message.partition, message.offset, int((message.timestamp or 0) * 1000))
                    groups.setdefault(key, []).append(parts[key])
                    last_event[key] = event
                part, part_key = parts[key], key
            part.rows.append(row)
            part.records.append(record)
        return letters

    def _load(self, key: tuple[str, str], table_key: bytes) -> tuple[dict[int, int], S]:
        value = self.table.get(table_key)
        cached = self.cache.get(table_key)
        if cached is not None and cached[0] is value:
            return cached[2], cached[1]
        if value is None:
            return {}, self.stage.load(key, None)
        entry = entries.decode(value)
        return entry.offsets, self.stage.load(key, entry.state)

    def _store(self, change: Change[S]) -> None:
        value = msgspec.msgpack.encode(Entry(change.offsets, self.stage.dump(change.state)))
        # A table takes the changelog's partition, and its place in it, from the current event.
        _current_event.set(ref(change.event))
        self.table[change.key] = value
        self.cache[change.key] = (value, change.state, change.offsets)
