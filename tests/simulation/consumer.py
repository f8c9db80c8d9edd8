"""Faust 0.15.3's consumer in a process of the simulation: what is fetched, acknowledged and committed, and when.

The bookkeeping is Faust's own code and that of `stream.recovery`: `ack`, `_new_offset`, `perform_seek`, the sets of
active and paused partitions. What is modelled here, for its speed, follows the method that each docstring names.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from faust.types import TP
from intervaltree import IntervalTree

from broker.data_loss import Positions
from simulation.broker import Broker, Group, Record
from stream.coalesced import Coalesced
from stream.recovery import SeekingConsumer

FETCHED = 5
"""Messages that one fetch brings, at most."""


@dataclass(eq=False, kw_only=True)
class Message:
    """A message as far as Faust's bookkeeping and the shell look at one."""

    tp: TP
    offset: int
    timestamp: float
    key: bytes
    value: bytes
    headers: Any
    generation_id: int
    acked: bool = False

    @property
    def topic(self) -> str:
        """The topic's name."""
        return self.tp.topic

    @property
    def partition(self) -> int:
        """The number of the partition."""
        return self.tp.partition


@dataclass(eq=False)
class Event:
    """A message in a stream."""

    message: Message


def quiet() -> SimpleNamespace:
    """Return a logger that keeps silent."""
    nothing: Callable[..., None] = lambda *_, **__: None  # noqa: E731 - its type is said beside it
    return SimpleNamespace(info=nothing, dev=nothing, warning=nothing)


@dataclass(kw_only=True)
class Thread:
    """What Faust's consumer asks aiokafka's for: it knows the positions."""

    broker: Broker
    group: Group
    assigned: set[TP] = field(default_factory=set)
    positions: dict[TP, int] = field(default_factory=dict)
    flow_active: Callable[[], bool] = lambda: True

    async def getmany(self, active: set[TP], timeout: float) -> dict[TP, list[Record]]:  # noqa: ASYNC109 - Faust's
        """Fetch of these partitions; an empty set means all, as aiokafka has it."""
        if not self.flow_active():
            return {}
        values = self._take(active)
        if not values:
            news = self.broker.loop.create_future()
            self.broker.news.append((news, active or self.assigned))
            self.broker.later(timeout, lambda: None if news.done() else news.set_result(None))
            await news
            await asyncio.sleep(self.broker.delay())
            values = self._take(active)
        return values

    def _take(self, active: set[TP]) -> dict[TP, list[Record]]:
        values: dict[TP, list[Record]] = {}
        for tp in sorted(self.assigned if not active else active & self.assigned):
            position = self.positions.get(tp)
            if position is not None and len(self.broker.logs[tp]) > position:
                end = position + 1 + int(self.broker.random.random() * FETCHED)
                values[tp] = self.broker.logs[tp][position:end]
                self.positions[tp] = position + len(values[tp])
        return values

    def seek(self, tp: TP, offset: int) -> None:
        """Fetch from there next."""
        self.positions[tp] = offset

    async def seek_to_committed(self) -> dict[TP, int]:
        """Seek to what is committed, and return it: None if nothing is."""
        tps = sorted(self.assigned)
        result = await self.broker.ask(lambda: {tp: self.broker.committed.get((self.group.name, tp)) for tp in tps})
        for tp, offset in result.items():
            if offset is not None:
                self.positions[tp] = offset
        await asyncio.sleep(0)  # the answer comes from aiokafka's thread
        return {tp: offset for tp, offset in result.items() if tp in self.assigned}

    def assignment(self) -> set[TP]:
        """Return the partitions that this process believes to hold."""
        return self.assigned


class Consumer(SeekingConsumer):
    """The product's consumer, without Kafka and without the services around it."""

    def __init__(self, app: Any, thread: Thread) -> None:
        self.app, self._thread, self.log = app, thread, quiet()
        thread.flow_active = lambda: self.flow_active
        self._acked: Any = defaultdict(list)
        self._acked_index: Any = defaultdict(set)
        self._gap: Any = defaultdict(IntervalTree)
        self._read_offset: Any = defaultdict(lambda: None)
        self._committed_offset: Any = defaultdict(lambda: None)
        self._active_partitions, self._paused_partitions, self._buffered_partitions = set(), set(), set()
        self._unacked_messages: Any = set()
        self._n_acked = 0
        self._remembered, self._coalesced = None, {}
        self._positions, self._jumps, self._looking = Positions(), [], None
        self.flow_active = True
        self.can_resume_flow, self.suspend_flow = asyncio.Event(), asyncio.Event()

    def __del__(self) -> None:
        """Nothing to close: nothing was started."""

    async def _ask(self, *_: Any) -> list[Any]:
        return []  # nothing is deleted here

    def _position(self, tp: TP) -> int | None:
        return self._thread.positions.get(tp)

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Seek, as the driver's `_seek_wait`."""
        for tp, offset in partitions.items():
            self._thread.positions[tp] = offset
            if offset > 0:
                self._read_offset[tp] = offset
            else:
                self._read_offset.pop(tp, None)
        await self._thread.broker.ask(lambda: None)

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """Return where the partitions end."""
        logs = self._thread.broker.logs
        return dict(await self._thread.broker.ask(lambda: {tp: len(logs[tp]) for tp in partitions}))

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Return where the partitions begin."""
        return dict(await self._thread.broker.ask(lambda: dict.fromkeys(partitions, 0)))

    async def drain(self, deliver: Callable[[Message], Awaitable[None]]) -> None:
        """Fetch and hand over for ever: `_drain_messages` with `getmany` and `_wait_next_records`."""
        while True:
            await asyncio.sleep(0)
            if not self.flow_active:
                await self.can_resume_flow.wait()
            active = self._get_active_partitions()
            if not active:
                await asyncio.sleep(0.3)
                continue
            records = await self._getmany(active, timeout=1.0)
            if not self.flow_active:
                await self.perform_seek()
                continue
            generation = self.app.consumer_generation_id
            for tp, record in _in_turns(records):
                if not self.flow_active or generation != self.app.consumer_generation_id:
                    break
                if tp in active or tp in self._buffered_partitions:
                    await self._hand_over(tp, record, deliver)

    async def _hand_over(self, tp: TP, record: Record, deliver: Callable[[Message], Awaitable[None]]) -> None:
        read = self._read_offset[tp]
        if read is not None and record.offset < read:
            return
        if isinstance(record.value, Coalesced):
            self._coalesced[tp] = record.offset, record.value.first
        if read and record.offset - read > 1:
            await self._add_gap(tp, read + 1, record.offset)
        message = Message(
            tp=tp,
            offset=record.offset,
            timestamp=record.timestamp / 1000,
            key=record.key,
            value=record.value,
            headers=record.headers,
            generation_id=self.app.consumer_generation_id,
        )
        await deliver(message)
        self._read_offset[tp] = record.offset

    async def commit_now(self) -> None:
        """Commit what is acknowledged: `_commit_tps`."""
        offsets = self._filter_committable_offsets(list(self._filter_tps_with_pending_acks()))
        if offsets:
            await self._commit_offsets(offsets)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        return await self._thread.group.commit(self.app.consumer_generation_id, dict(offsets))

    def revoke(self, revoked: Iterable[TP]) -> None:
        """Forget partitions: the beginning of `on_partitions_revoked`."""
        self._active_partitions.difference_update(revoked)
        self._paused_partitions.difference_update(revoked)
        for tp in revoked:
            for known in (self._gap, self._acked, self._acked_index, self._read_offset, self._committed_offset):
                known.pop(tp, None)


def _in_turns(records: dict[TP, list[Record]]) -> list[tuple[TP, Record]]:
    """Return the records of all partitions by turns."""
    return [
        (tp, results[number])
        for number in range(max(map(len, records.values()), default=0))
        for tp, results in records.items()
        if number < len(results)
    ]
