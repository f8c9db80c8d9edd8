"""The shell around a pure fold: reads frames, sends outputs, keeps a state per symbol in a Faust table, acknowledges.

Outputs are delivered before the state is written, and the state is written before the offset is committed. A crash in
between repeats outputs, which have deterministic identities, and input that the state includes already is skipped:
nothing is lost or counted twice. Rows on which a stage fails are isolated and become dead letters
(stream/poison_rows.py). What the process itself posts is folded before it is fetched (stream/own_records.py).
"""

import asyncio
import logging
import time
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar
from weakref import ref

from faust.streams import _current_event
from msgspec import Struct

from broker.confirmed_send import KafkaWriter, encoded, headers_from
from broker.dead_letters import Decoded, bounded, error_text
from broker.interface import Delivery
from observability.metrics import Meter
from stream.app_metrics import arrived
from stream.coalesced import Piece, taken
from stream.commits import current
from stream.dead_letters import decode_event, decode_events, of_event
from stream.delayed_save import MOST_BYTES, Change, DelayedSave
from stream.own_records import OWN, OwnRecords
from stream.poison_records import DefectError, Guard
from stream.poison_rows import Rescue, StateSizeError, turned_away
from stream.stage import Output, Part, Stage
from stream.state_tables import encoded_entry, entries
from topics import codec
from topics.catalog import DEAD_LETTERS, Topic
from topics.records import DeadLetter

log = logging.getLogger("foretick")

S = TypeVar("S")
R = TypeVar("R", bound=Struct)

BATCH_EVENTS = 64
SLICE_BYTES = MOST_BYTES
"""Bytes of input that are folded at once: how long a fold blocks the event loop."""
COMMITTED_SECONDS = 2.0
"""The time within which Faust commits acknowledged offsets (`broker_commit_interval`), and sends the states."""

Key = tuple[str, str]
Sending = tuple[Topic, str, Sequence[Struct]]
"""A topic, a key, and the records to send to it."""
States = Mapping[bytes, tuple[dict[int, int], S]]
"""The newest offsets and state by table key."""


def _end_with(working: "asyncio.Task[Any] | None", saving: "asyncio.Task[None]") -> None:
    """End an agent whose saving has failed."""
    if working is not None and not saving.cancelled():
        working.cancel()


def slices(events: Sequence[Piece], most: int) -> Iterator[list[Piece]]:
    """Split events into runs of about `most` bytes."""
    run: list[Piece] = []
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
class Groups(Generic[R]):
    """The records of a slice by key, in order, with the last event of each key."""

    parts: dict[Key, list[Part[R]]] = field(default_factory=dict)
    last: dict[Key, Piece] = field(default_factory=dict)


@dataclass(kw_only=True)
class Shell(Generic[R, S]):
    """One stage in the stream. `cache` holds decoded states beside the bytes that they came from.

    `readers`: by topic, the shells of this process that fold what is posted there before they fetch it.
    """

    stage: Stage[R, S]
    table: Any
    writer: KafkaWriter
    guard: Guard = field(default_factory=Guard)
    readers: Mapping[str, "Shell[Any, Any]"] = field(default_factory=dict)
    cache: dict[bytes, tuple[bytes, S, dict[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._meter = Meter(self.stage.name, self.stage.source)
        self._saves = DelayedSave(self._store)
        self._begun: set[bytes] = set()  # keys that are not in the table yet
        self._own = OwnRecords[S]()
        self._turn = asyncio.Lock()  # outputs leave in the order in which their inputs were folded
        self._stream: Any = None

    async def run(self, stream: Any) -> None:
        """Process the stream; what is folded and delivered is stored beside that, also when it ends.

        Raises DefectError if too many records fail, once those that failed are handled.
        """
        if self.guard.whole(OWN):
            self._stream = stream
        else:
            log.warning(
                "%s: the process died while it folded a record before its fetch: this start fetches all first",
                self.stage.name,
            )
        saving = asyncio.create_task(self._saves.run(stream))
        saving.add_done_callback(partial(_end_with, asyncio.current_task()))
        try:
            await self._run(stream)
        except asyncio.CancelledError:
            if saving.done():
                saving.result()  # raises its failure
            saving.cancel()
            await self._saves.save(stream)
            raise
        except Exception:
            saving.cancel()
            raise
        saving.cancel()
        await self._saves.save(stream)

    async def _run(self, stream: Any) -> None:
        """Fold a slice of events at a time; while one slice is delivered the next is folded."""
        async for events in taken(stream, BATCH_EVENTS):
            finishing: asyncio.Task[None] | None = None
            for part in (
                piece for run in slices(current(stream, events), SLICE_BYTES) for piece in self.guard.pieces(run)
            ):
                since = arrived(part)
                async with self._turn:
                    if not current(stream, part):
                        break
                    self._begin(stream)
                    frames, changes = self._work(part, self._saves.ahead)
                    # In order, before the next slice: readers skip rows that are not newer.
                    posted = [*await self._post(frames, since), *self._own.owed()]
                if finishing is not None:
                    await finishing
                finishing = asyncio.create_task(self._finish(stream, part, posted, changes, since))
                await self._or_end(stream, finishing)
            if finishing is not None:
                await finishing

    def _begin(self, stream: Any) -> None:
        self._saves.begin(stream)
        self._own.begin(stream.app.consumer_generation_id)

    async def _post(self, frames: Sequence[Sending], since: int | None) -> list[Delivery]:
        """Post the frames in order; a shell of this process that reads a topic folds them at once if it can."""
        posted: list[Delivery] = []
        for topic, key, records in frames:
            reader = self.readers.get(topic.name)
            if reader is None or reader._stream is None:
                posted += await self.writer.post([(topic, key, records)], since)
            else:
                posted += await reader._post_own(self.writer, key, records, since)
        return posted

    async def _post_own(
        self, writer: KafkaWriter, key: str, records: Sequence[Struct], since: int | None
    ) -> list[Delivery]:
        """Post records to this stage's topic, and fold each that nothing unread can be before."""
        posted: list[Delivery] = []
        async with self._turn:  # nor can one be fetched before it is expected
            for value in encoded(records):
                delivery, *_ = await writer.post_values([(self.stage.source, key, value)], since)
                posted.append(delivery)
                self._begin(self._stream)  # from here on nothing else runs until the record is expected
                folded = None
                if self._own.open(key, len(value), time.monotonic()):
                    folded = self._fold_own(key, value, since)
                frames, changes = folded or ([], None)
                deliveries: list[Delivery] = []
                self._own.expect(key, value, delivery, changes, deliveries)
                deliveries += await self._post(frames, since)
        await asyncio.sleep(0)  # lets them leave before the next symbol's are made
        return posted

    def _fold_own(self, key: str, value: bytes, since: int | None) -> tuple[list[Sending], list[Change[S]]] | None:
        """Fold a posted record; return what to send and the states. None, with nothing changed, where that fails or
        refuses a part: it is met again, and handled, when the record is fetched.
        """
        begun = time.perf_counter()
        event = self._own.record(self.stage.source.name, key.encode(), value, headers_from(since), time.time())
        self.guard.begin([event])
        try:
            groups, frames = self._grouped([event])
            ahead = ChainMap(self._own.states, self._saves.ahead)
            frames, changes, count = self._step(
                [event], groups, ahead, frames, self._load, self.stage.step, self._sized
            )
        except Exception:  # noqa: BLE001 - whatever it is, the fetched record brings it about again
            return None
        finally:
            self.guard.end([event])
        if any(topic is DEAD_LETTERS for topic, _, _ in frames):
            return None
        self._meter.folded(time.perf_counter() - begun, count, frames)
        return frames, changes

    async def _or_end(self, stream: Any, finishing: asyncio.Task[None]) -> None:
        try:
            self.guard.check()
        except DefectError:
            # Each start must get past its failed records, or one slice of bad records would block for ever.
            await finishing
            await self._saves.save(stream)
            await asyncio.sleep(COMMITTED_SECONDS)
            raise

    async def _finish(
        self,
        stream: Any,
        events: Sequence[Piece],
        posted: Sequence[Delivery],
        changes: Sequence[Change[S]],
        since: int | None,
    ) -> None:
        delivered = await asyncio.gather(*posted)
        self._meter.delivered(since, (one.timestamp for one in delivered))
        if current(stream, events):
            await self._saves.add(stream, events, changes)

    def _work(
        self, events: Sequence[Piece], ahead: dict[bytes, tuple[dict[int, int], S]]
    ) -> tuple[list[Sending], list[Change[S]]]:
        """Return what to send, and the states to store afterwards; `ahead` has states that are not stored yet."""
        begun, topic = time.perf_counter(), self.stage.source.name
        kept, passed = self.guard.passed(topic, events)
        self.guard.begin(kept)
        try:
            frames, changes, records = self._fold(kept, ahead)
        except OSError:  # no space, no descriptor: caused by no record, however often the process ends because of it
            self.guard.end(kept)
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the records that bring it about are looked for
            frames, changes, records = self._rescue(kept, ahead)
        self.guard.end(events)
        if passed:
            frames.append((DEAD_LETTERS, topic, passed))
        ahead.update((change.key, (change.offsets, change.state)) for change in changes)
        self._meter.folded(time.perf_counter() - begun, records, frames)
        return frames, changes

    def _fold(
        self, events: Sequence[Piece], ahead: dict[bytes, tuple[dict[int, int], S]]
    ) -> tuple[list[Sending], list[Change[S]], int]:
        """Return what to send, the states to store, and how many records were folded; raises the stage's exceptions."""
        frames: list[Sending] = []
        changes: list[Change[S]] = []
        count = 0
        newest = ChainMap({}, ahead)
        for run, known in self._own.runs(events):
            sent, states, folded = self._fold_fetched(run, newest) if known is None else ([], known, 0)
            frames += sent
            changes += states
            count += folded
            newest.update((change.key, (change.offsets, change.state)) for change in states)
        return frames, changes, count

    def _fold_fetched(self, events: Sequence[Piece], ahead: States[S]) -> tuple[list[Sending], list[Change[S]], int]:
        """Do that with records of which none was folded before; what later ones of their symbols led to is void."""
        groups, frames = self._grouped(events)
        for symbol, _ in groups.parts:
            self._own.drop(symbol, time.monotonic())
        return self._step(events, groups, ahead, frames, self._load, self.stage.step, self._sized)

    def _grouped(self, events: Sequence[Piece]) -> tuple[Groups[R], list[Sending]]:
        """Return the records of events, and the dead letters of those that cannot be used."""
        groups = Groups[R]()
        frames: list[Sending] = []
        for event, decoded in decode_events(self.stage.source, events, self.guard.bounds):
            frames += self._group(event, decoded, groups, self.stage.check)
        return groups, frames

    def _rescue(
        self, events: Sequence[Piece], ahead: dict[bytes, tuple[dict[int, int], S]]
    ) -> tuple[list[Sending], list[Change[S]], int]:
        """Do the same after the stage has failed; raises none of the stage's exceptions."""
        self._own.drop_all()
        places = {(event.message.partition, event.message.offset): event for event in events}
        rescue = Rescue(stage=self.stage, guard=self.guard, sized=self._sized, events=places)
        groups = Groups[R]()
        frames: list[Sending] = []
        for event in events:
            decoded = decode_event(self.stage.source, event, self.guard.bounds)
            frames += self._group(event, decoded, groups, rescue.checking(event))
        results = self._step(events, groups, ahead, frames, self._load_or_begin, rescue.fold, self.stage.dump)
        if rescue.dead_letters:
            frames.append((DEAD_LETTERS, self.stage.source.name, rescue.dead_letters))
        return results

    def _step(
        self,
        events: Sequence[Piece],
        groups: Groups[R],
        ahead: States[S],
        frames: list[Sending],
        load: Callable[[Key, bytes], tuple[dict[int, int], S] | None],
        fold: Callable[[S, Sequence[Part[R]]], tuple[S, list[Output]]],
        dump: Callable[[S], bytes],
    ) -> tuple[list[Sending], list[Change[S]], int]:
        changes: list[Change[S]] = []
        count = 0
        for key, parts in groups.parts.items():
            table_key = "|".join(key).encode()
            loaded = ahead.get(table_key) or load(key, table_key)
            if loaded is None:
                frames.append(
                    (DEAD_LETTERS, self.stage.source.name, turned_away(self.stage, self.guard, events, parts))
                )
                continue
            offsets, state = loaded
            fresh = [part for part in parts if part.offset > offsets.get(part.partition, -1)]
            if not fresh:
                continue
            state, outputs = fold(self._believed(key, state, fresh), fresh)
            offsets = offsets | {part.partition: part.offset for part in fresh}
            value = encoded_entry(offsets, dump(state))
            count += sum(len(part.records) for part in fresh)
            frames += [(topic, getattr(records[0], topic.key), records) for topic, records in outputs if records]
            changes.append(
                Change(event=groups.last[key].event, key=table_key, state=state, offsets=offsets, value=value)
            )
        return frames, changes, count

    def _believed(self, key: Key, state: S, parts: Sequence[Part[R]]) -> S:
        """Return the state, or the initial one if it contains a time in the future.

        Before times were limited, one row with a future time made all following ones of its symbol old, for good.
        """
        clock, newest = max(part.timestamp for part in parts), self.stage.newest(state)
        if clock <= 0 or newest <= clock + self.guard.bounds.ahead_ms:
            return state
        text = "%s: the state of %s contains the time %d, which is in the future: it is reset"
        log.warning(text, self.stage.name, key, newest, extra={"symbol": key[0]})
        return self.stage.load(key, None)

    def _group(
        self, event: Piece, decoded: Decoded, groups: Groups[R], check: Callable[[R], str | None]
    ) -> list[Sending]:
        """Add an event's records to the groups, all or none; return the dead letters of unused records."""
        message = event.message
        rows, records, dead_letters = decoded
        refused: list[DeadLetter] = []
        parts: dict[Key, Part[R]] = {}
        part, part_key = None, None
        for row, record in zip(rows, records, strict=True):
            reason = check(record)
            if reason is not None:
                refused.append(of_event(self.stage.source.name, event, row, codec.encode_one(record), reason))
                continue
            key = self.stage.key(record)
            if part is None or key != part_key:  # nearly all records of an event have one key
                if key not in parts:
                    parts[key] = Part(
                        partition=message.partition,
                        offset=message.offset,
                        timestamp=int((message.timestamp or 0) * 1000),
                    )
                part, part_key = parts[key], key
            part.rows.append(row)
            part.records.append(record)
        for key, part in parts.items():
            groups.parts.setdefault(key, []).append(part)
            groups.last[key] = event
        if not dead_letters and not refused:
            return []
        return [(DEAD_LETTERS, self.stage.source.name, dead_letters + bounded(refused))]

    def _load(self, key: Key, table_key: bytes) -> tuple[dict[int, int], S] | None:
        """Return the offsets and the state of a key, None beyond the maximum number of states."""
        value = self.table.get(table_key)
        cached = self.cache.get(table_key)
        if cached is not None and cached[0] is value:
            return cached[2], cached[1]
        if value is None:
            if table_key not in self._begun:
                if len(self.table) + len(self._begun) >= self.guard.max_symbols:
                    return None
                self._begun.add(table_key)
            return {}, self.stage.load(key, None)
        entry = entries.decode(value)
        return entry.offsets, self.stage.load(key, entry.state)

    def _load_or_begin(self, key: Key, table_key: bytes) -> tuple[dict[int, int], S] | None:
        """Do the same; an unreadable state is reset."""
        try:
            return self._load(key, table_key)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is of no use
            text = "%s: the state of %s cannot be read (%s): it is reset"
            log.error(text, self.stage.name, key, error_text(error), extra={"symbol": key[0]})
            return {}, self.stage.load(key, None)

    def _sized(self, state: S) -> bytes:
        """Return the state's bytes. Raises StateSizeError if they exceed the limit."""
        value = self.stage.dump(state)
        if len(value) > self.guard.max_state_bytes:
            limit = self.guard.max_state_bytes >> 10
            raise StateSizeError(
                f"{self.stage.name}: with it the state has {len(value) >> 10} KiB, more than "
                f"FORETICK_MAX_STATE_KB={limit} allow"
            )
        return value

    def _store(self, change: Change[S]) -> None:
        # A table takes the changelog's partition and offset from the current event.
        _current_event.set(ref(change.event))
        self.table[change.key] = change.value
        self._begun.discard(change.key)
        self.cache[change.key] = (change.value, change.state, change.offsets)
