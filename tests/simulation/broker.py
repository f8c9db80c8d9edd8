"""Kafka in memory: partitions, committed offsets, and one group whose partitions are shared out anew at any time.

What a process sends arrives after a delay, and its answer after another; when the process dies between, what was sent
may arrive or not, and nobody hears the answer.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from random import Random
from typing import Any

from faust.types import TP

from simulation.loop import Loop, Process, owner

SESSION_S = 1.0
"""Without a sign of life for this long a member is out of its group; a rebalance waits as long for it."""


class NotDeliveredError(Exception):
    """What a producer raises when the broker did not take a record."""


CLOCK = 1_748_048_400_000
"""Kafka's clock when a schedule begins, epoch ms: behind all times of records."""


@dataclass(slots=True, kw_only=True)
class Record:
    """A record in a partition. `made` is what it holds, before it was encoded."""

    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()
    made: Any = None
    by: Process | None = None
    offset: int = -1
    timestamp: int = 0
    timestamp_type: int = 0


@dataclass(kw_only=True)
class Broker:
    """The partitions, and what the groups have committed. `appended` and `committing` are told before it counts."""

    loop: Loop
    random: Random
    slow: float
    appended: Callable[[TP, Record], None]
    committing: Callable[[Process, str, dict[TP, int]], None]
    logs: defaultdict[TP, list[Record]] = field(default_factory=lambda: defaultdict(list))
    committed: dict[tuple[str, TP], int] = field(default_factory=dict)
    news: list[tuple[asyncio.Future[None], set[TP]]] = field(default_factory=list)

    def delay(self) -> float:
        """Return how long a message travels: mostly some milliseconds, at times a second."""
        draw = self.random.random
        return draw() * 0.7 if draw() < self.slow else draw() * 0.008

    def append(self, tp: TP, record: Record) -> None:
        """Put a record at a partition's end."""
        record.offset = len(self.logs[tp])
        record.timestamp = record.timestamp or CLOCK + int(self.loop.time() * 1000)
        self.logs[tp].append(record)
        self.appended(tp, record)
        for waiting, tps in self.news:
            if tp in tps and not waiting.done():
                waiting.set_result(None)
        self.news = [one for one in self.news if not one[0].done()]

    def later(self, delay: float, work: Callable[[], None]) -> None:
        """Do the broker's work after a delay, whatever becomes of who asked for it."""
        self.loop.call_later(delay, work, context=Context())

    async def ask(self, work: Callable[[], Any]) -> Any:
        """Send a request of the process that runs now, and return the answer."""
        process, answer = owner.get(), self.loop.create_future()

        def arrive() -> None:
            if process is not None and not process.alive and self.random.random() < 0.5:
                return  # it was never sent
            try:
                result, error = work(), None
            except NotDeliveredError as refused:
                result, error = None, refused
            self.later(self.delay(), lambda: _answer(answer, result, error))

        self.later(self.delay(), arrive)
        return await answer


def _answer(waiting: asyncio.Future[Any], result: Any, error: Exception | None = None) -> None:
    if waiting.done():
        return
    if error is None:
        waiting.set_result(result)
    else:
        waiting.set_exception(error)


class Producer:
    """One process' producer: what it sends to a partition arrives in order, of a dead process the first part at most.

    `twice` is how often a batch is appended twice, as after a retry.
    """

    def __init__(self, broker: Broker, process: Process, twice: float, refused: float = 0.0) -> None:
        self._broker, self._process, self._twice, self._refused = broker, process, twice, refused
        self._queues: defaultdict[TP, list[tuple[Record, asyncio.Future[Any]]]] = defaultdict(list)
        self._busy: set[TP] = set()

    def send(self, tp: TP, record: Record) -> asyncio.Future[Any]:
        """Hand a record over; the future is done when the broker has it and has said so."""
        record.by = self._process
        future: asyncio.Future[Any] = self._broker.loop.create_future()
        self._queues[tp].append((record, future))
        if tp not in self._busy:
            self._busy.add(tp)
            self._broker.later(self._broker.delay(), lambda: self._arrive(tp))
        return future

    async def flush(self) -> None:
        """Wait for all that was handed over."""
        while waiting := [future for queue in self._queues.values() for _, future in queue if not future.done()]:
            await asyncio.wait(waiting)

    def _arrive(self, tp: TP) -> None:
        queue, random = self._queues[tp], self._broker.random
        if not self._process.alive and random.random() < 0.5:
            queue.clear()
            return
        batch = queue[: 1 + int(random.random() * len(queue))]
        if self._process.alive and random.random() < self._refused:
            self._broker.later(self._broker.delay(), lambda: self._done(tp, batch, NotDeliveredError()))
            return
        for _ in range(2 if random.random() < self._twice else 1):
            for record, _ in batch:
                copy = Record(
                    key=record.key, value=record.value, headers=record.headers, made=record.made, by=record.by
                )
                self._broker.append(tp, copy)
                record.timestamp, record.offset = copy.timestamp, copy.offset
        self._broker.later(self._broker.delay(), lambda: self._done(tp, batch))

    def _done(self, tp: TP, batch: list[tuple[Record, asyncio.Future[Any]]], error: Exception | None = None) -> None:
        del self._queues[tp][: len(batch)]
        for record, future in batch:
            _answer(future, record, error)
        if self._queues[tp]:
            self._broker.later(self._broker.delay(), lambda: self._arrive(tp))
        else:
            self._busy.discard(tp)


class Group:
    """A consumer group that hands out all partitions anew at each rebalance; `units` go together."""

    def __init__(self, broker: Broker, name: str, units: Sequence[frozenset[TP]]) -> None:
        self.broker, self.name, self.units = broker, name, units
        self.generation = 0
        self.members: dict[Process, Callable[[], None]] = {}
        self.held: dict[Process, set[TP]] = {}
        self._joined: dict[Process, asyncio.Future[Any]] = {}
        self._preparing = False

    def rebalance(self) -> None:
        """Ask all members to join again; who does not in time is out."""
        if not self._preparing:
            self._preparing = True
            generation = self.generation
            self.broker.later(SESSION_S, lambda: self._complete() if generation == self.generation else None)
        for process, on_message in self.members.items():
            if process not in self._joined:
                on_message()

    async def join(self, on_message: Callable[[], None]) -> tuple[int, set[TP]]:
        """Join with the process that runs now; return the generation and its partitions."""
        process = owner.get()
        assert process is not None
        answer: asyncio.Future[Any] = self.broker.loop.create_future()

        def arrive() -> None:
            if not process.alive or answer.done():  # it has asked again meanwhile
                return
            self.members[process] = on_message
            self._joined[process] = answer
            if not self._preparing:
                self.rebalance()
            if set(self.members) <= set(self._joined):
                self._complete()

        self.broker.later(self.broker.delay(), arrive)
        generation, assigned = await answer
        return generation, assigned

    def lost(self, process: Process) -> None:
        """Note that a member gave no sign of life for too long."""
        if self.members.pop(process, None) is not None:
            self._joined.pop(process, None)
            self.held.pop(process, None)
            if self._preparing and self.members and set(self.members) <= set(self._joined):
                self._complete()
            else:
                self.rebalance()

    async def commit(self, generation: int, offsets: dict[TP, int]) -> bool:
        """Commit offsets of the process that runs now; return whether the group took them."""
        process = owner.get()
        assert process is not None

        def arrive() -> bool:
            if process not in self.members or generation != self.generation:
                return False
            self.broker.committing(process, self.name, offsets)
            for tp, offset in offsets.items():
                self.broker.committed[self.name, tp] = offset
            return True

        return bool(await self.broker.ask(arrive))

    def _complete(self) -> None:
        self._preparing = False
        self.members = {process: on_message for process, on_message in self.members.items() if process in self._joined}
        joined, self._joined = self._joined, {}
        self.generation += 1
        self.held = {process: set() for process in joined}
        if not joined:
            return
        processes = list(joined)
        self.broker.random.shuffle(processes)
        for number, unit in enumerate(self.units):
            chosen = processes[number % len(processes)]
            if self.broker.random.random() < 0.3:
                chosen = self.broker.random.choice(processes)
            self.held[chosen] |= unit
        for process, answer in joined.items():
            result = self.generation, set(self.held[process])
            self.broker.later(self.broker.delay(), lambda answer=answer, result=result: _answer(answer, result))
