"""Faust 0.15.3's tables, its producer and its recovery, in a process of the simulation."""

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import Any

from faust.streams import current_event
from faust.tables.recovery import Recovery as FaustRecovery
from faust.types import TP

from simulation.broker import Broker, Producer, Record
from simulation.consumer import Event, Message, quiet
from stream.commits import Producer as SureProducer
from stream.recovery import SeekFirstRecovery
from stream.state_tables import newest

FLUSH_S = 0.1
"""How long `ProducerBuffer.flush_atmost` waits for the next message before it gives up."""


class Buffer:
    """Faust's buffer before its producer: `ProducerBuffer.put`, `_handle_pending` and `flush_atmost`."""

    should_stop = False

    def __init__(self, producer: Producer, broker: Broker) -> None:
        self._producer, self._broker = producer, broker
        self._pending: deque[Change] = deque()
        self._put, self._sent = asyncio.Event(), asyncio.Event()

    def put(self, change: "Change") -> None:
        """Add a change, to be sent in time."""
        self._pending.append(change)
        self._put.set()

    async def work(self) -> None:
        """Send what was put, one by one; where a batch is full, that waits until it has gone."""
        while True:
            while not self._pending:
                self._put.clear()
                await self._put.wait()
            change = self._pending.popleft()
            if self._broker.random.random() < 0.2:
                await asyncio.sleep(self._broker.delay())
            self._producer.send(change.tp, change.record).add_done_callback(change.sent)
            self._sent.set()

    async def flush(self) -> None:
        """Wait as Faust does for what was put: for each message a tenth of a second."""
        while self._pending:
            self._sent.clear()
            try:
                async with asyncio.timeout(FLUSH_S):
                    await self._sent.wait()
            except TimeoutError:
                break


class Change(asyncio.Future[Any]):
    """A table's change on its way: Faust's `FutureMessage`."""

    def __init__(self, tp: TP, record: Record) -> None:
        super().__init__()
        self.tp, self.record = tp, record

    def sent(self, sent: asyncio.Future[Any]) -> None:
        """Hear that the broker has it."""
        self.set_result(sent.result())


class TableProducer(SureProducer):
    """The product's producer of the tables' changes, without Kafka and without the services around it."""

    def __init__(self, producer: Producer, broker: Broker) -> None:
        self._unsure = {}
        self.buffer: Any = Buffer(producer, broker)
        self._producer: Any = producer
        self._transaction_producers = {}

    def __del__(self) -> None:
        """Nothing to close: nothing was started."""


class Table:
    """A table in memory with its changelog: `Table.on_key_set` and `stores.memory.Store`."""

    newest: Any = staticmethod(newest)

    def __init__(self, name: str, producer: TableProducer) -> None:
        self.topic, self._producer = f"{name}-changelog", producer
        self.data: dict[bytes, bytes] = {}
        self._partition_of: dict[bytes, int] = {}

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key."""
        return self.data.get(key)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        event = current_event()
        assert event is not None, "a table is written for an event"
        self.data[key] = value
        self._producer.send_soon(Change(TP(self.topic, event.message.partition), Record(key=key, value=value)))

    def apply(self, messages: list[Message]) -> None:
        """Take over changes from the changelog."""
        for change in self.newest(self.data, map(Event, messages)).values():
            self.data[change.message.key] = change.message.value
            self._partition_of[change.message.key] = change.message.partition

    async def on_recovery_completed(self, actives: set[TP], _: set[TP]) -> None:
        """Forget the keys of partitions that others hold now."""
        partitions = {tp.partition for tp in actives}
        for key in [key for key, partition in self._partition_of.items() if partition not in partitions]:
            self.data.pop(key, None)
            del self._partition_of[key]


class Tables(dict[str, Table]):
    """The tables of a process, as its recovery sees them."""

    @property
    def changelog_topics(self) -> set[str]:
        """The names of the changelogs."""
        return {table.topic for table in self.values()}

    def on_actives_ready(self) -> None:
        """Nothing waits for it here."""

    def on_standbys_ready(self) -> None:
        """Nothing waits for it here."""


class Changelogs:
    """What both recoveries share: `_restart_recovery` and `_slurp_changelogs`; their end is the product's own code."""

    app: Any
    tables: Tables

    def __init__(self, app: Any, tables: Tables) -> None:
        self.app, self.tables, self.log = app, tables, quiet()
        self.completed = asyncio.Event()
        self.in_recovery = False
        self.offsets: dict[TP, int] = {}
        self._highwaters: dict[TP, int] = {}
        self._buffer: list[Message] = []
        self._ended = asyncio.Event()
        self.actives_for_table: dict[Any, set[TP]] = {}
        self.standbys_for_table: dict[Any, set[TP]] = {}
        for name in ("_active_events_received_at", "_standby_events_received_at", "_processing_times"):
            setattr(self, name, {})

    def __del__(self) -> None:
        """Nothing to close: nothing was started."""

    def _is_changelog_tp(self, tp: TP) -> bool:
        return tp.topic in self.tables.changelog_topics

    def _highwater_logtable(self, _: Any, *, title: str) -> str:
        return title

    async def _wait(self, coro: Any, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 - Faust's
        await coro

    def on_rebalance(self, assigned: set[TP], revoked: set[TP]) -> None:
        """Know whose changes are to be read: `Recovery.on_rebalance`."""
        actives = {tp for tp in assigned if self._is_changelog_tp(tp)}
        for tp in revoked:
            self.offsets.pop(tp, None)
        self.offsets = {tp: offset for tp, offset in self.offsets.items() if tp in actives}
        self.actives_for_table = {
            table: {tp for tp in actives if tp.topic == table.topic} for table in self.tables.values()
        }
        self.standbys_for_table = {table: set() for table in self.tables.values()}

    async def restart(self, generation: int) -> None:
        """Read the changelogs, then let the sources flow."""
        app, consumer = self.app, self.app.consumer
        if not self.tables:
            await self._resume_streams(generation)
            return
        actives = {tp for tps in self.actives_for_table.values() for tp in tps}
        self._set_recovery_started()
        self.flush_buffers()
        await app.producer.flush()
        await self._build_highwaters(consumer, actives, self._highwaters, "active")
        for tp in actives:
            self.offsets.setdefault(tp, -1)
        self._ended.clear()
        await consumer.seek_wait({tp: max(self.offsets[tp], 0) for tp in sorted(actives)})
        if self._remaining():
            consumer.resume_partitions(actives)
            app.flow_control.resume()
            consumer.resume_flow()
            await app._fetcher.maybe_start()
            await self._ended.wait()
            consumer.pause_partitions(actives)
        else:
            app.flow_control.resume()
            consumer.resume_flow()
            self._set_recovery_ended()
        await self.on_recovery_completed(generation)

    def change(self, message: Message) -> None:
        """Take a message of a changelog."""
        seen = self.offsets.get(message.tp)
        if seen is None:
            return
        if message.offset > seen:
            self.offsets[message.tp] = message.offset
            self._buffer.append(message)
        if self.in_recovery and not self._remaining():
            self.flush_buffers()
            self._set_recovery_ended()
            self._ended.set()

    def flush_buffers(self) -> None:
        """Take over what was read."""
        for table in self.tables.values():
            table.apply([message for message in self._buffer if message.topic == table.topic])
        self._buffer.clear()

    def _remaining(self) -> bool:
        return any(end > self.offsets.get(tp, -1) for tp, end in self._highwaters.items())


class Recovery(Changelogs, SeekFirstRecovery):
    """The product's recovery."""


class ResumesFirst(Changelogs, FaustRecovery):
    """Faust's own, which resumes the sources before it seeks them."""


class FlowControl:
    """Faust's flow control of the queues before the agents."""

    def __init__(self) -> None:
        self.queues: list[Any] = []
        self.flowing = asyncio.Event()

    def suspend(self) -> None:
        """Hold back what is put."""
        self.flowing.clear()

    def resume(self) -> None:
        """Let it through, from an empty queue."""
        self.flowing.set()
        self.clear()

    def clear(self) -> None:
        """Empty the queues."""
        for queue in self.queues:
            queue.clear()

    def is_active(self) -> bool:
        """Return whether it flows."""
        return self.flowing.is_set()


def nothing() -> SimpleNamespace:
    """Return an object that takes part in Faust's signals and does nothing."""

    async def send() -> None:
        return None

    return SimpleNamespace(send=send, assigned_standbys=set)
