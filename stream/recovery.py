"""Repairs of Faust 0.15.3, for what it loses at a start, and what Kafka deleted told.

After a restart with a changelog, seek the source partitions first, then resume them.
Faust resumes them while its fetcher runs already, and seeks to the committed offsets only afterwards; what was fetched
in between is dropped, or stalls the commits for good. And where nothing was committed yet, seek to the beginning, and
fetch only of the partitions that flow: see `SeekingConsumer`. Measured: docs/why.md; tests/stream fails without any.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import faust
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from settings.broker import Broker
from stream.commits import GenerationConsumer, Producer
from stream.lookout import position
from stream.loss import Jump, Loss, Losses, Positions, first_times, lost
from stream.standing import Standing

FETCH_WAIT_MS = 200
"""How long Kafka holds back a fetch that has nothing to bring. It answers a connection's requests one after the other:
what a recovery asks waited out the fetch before, at Faust's fixed 1,500 ms."""


class ConsumerThread(AIOKafkaConsumerThread):
    """Faust's thread of the consumer, whose other questions need not wait long for a fetch."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer: Any = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer


class SeekingConsumer(GenerationConsumer):
    """A consumer that also seeks where nothing was committed yet: to the beginning.

    Faust fetches while its flow stands still, drops what it fetched, and seeks back to what was committed. Where that
    is nothing it does not seek, so what was on a topic before the first commit would be lost.

    What Kafka deleted before it was read is told to the app's `losses`: records behind which a partition begins
    already, at a seek or, later, where what is fetched does not follow what was fetched before.
    """

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._positions = Positions()
        self._jumps: list[Jump] = []
        self._looking: asyncio.Task[None] | None = None
        self._remembered: Mapping[TP, int] | None = None

    async def verify_all_partitions_active(self) -> None:
        """Look at nothing: `stream.lookout` does.

        Faust's look only logs, and ends the process where it meets a partition whose records were deleted: aiokafka
        asks where that begins, and knows no position meanwhile. After a process was stopped for a while both happen at
        once.
        """

    async def remember_committed(self) -> None:
        """Ask what is committed, for the seek after the states were read: they have seen all that is before it.

        What is asked for only then may have been committed by another worker, if this one stood still for so long that
        it is out of its group without knowing it: on the state of before, it would go on with a hole.
        """
        self._remembered = await super().seek_to_committed()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to what was committed when a recovery began, or is now."""
        if self._remembered is None:
            return await super().seek_to_committed()
        held = self.assignment()
        found = {tp: offset for tp, offset in self._remembered.items() if tp in held}
        await self.seek_wait({tp: offset for tp, offset in found.items() if offset is not None})
        return found

    async def perform_seek(self) -> None:
        """Seek every partition to its committed offset, or to its beginning."""
        await super().perform_seek()
        flowing = [tp for tp in self.assignment() if not self._is_changelog_tp(tp)]
        new = [tp for tp in flowing if not self._committed_offset[tp]]
        begins = dict(await self.earliest_offsets(*new)) if new else {}
        with suppress(KafkaError, TimeoutError):  # what was deleted is seen at the next fetch then
            begins |= await self.earliest_offsets(*(set(flowing) - set(new)))
        behind = {tp: self._committed_offset[tp] or begins[tp] for tp in flowing}
        sought = {tp: begins[tp] for tp in flowing if tp in new or behind[tp] < begins.get(tp, 0)}
        if sought:
            await self.seek_wait(sought)
        for tp in flowing:
            self._positions.stand(tp, sought.get(tp, behind[tp]))
        deleted = [tp for tp in sought if behind[tp] < begins[tp]]
        for tp in deleted:
            # Else Faust would wait for the offsets in between before it commits again.
            self._committed_offset[tp] = begins[tp]
        times = await self._ask(first_times, [TopicPartition(*tp) for tp in deleted]) if deleted else {}
        for tp in deleted:
            self._note(Loss(tp.topic, tp.partition, behind[tp], begins[tp], times[tp], partial(self._pass, tp)))

    async def _pass(self, tp: TP) -> None:
        """Commit that what was lost, and told, is over: else it would be told again where nothing new comes."""
        offset = self._committed_offset.get(tp)
        if offset is not None and tp in self.assignment():
            with suppress(KafkaError):
                await self._ask(lambda consumer, at: consumer.commit(at), {TopicPartition(*tp): offset})

    async def _ask(self, question: Callable[[Any, Any], Awaitable[Any]], *arguments: Any) -> Any:
        """Ask Kafka by the consumer, in its thread."""
        return await self._thread.call_thread(question, self._thread._ensure_consumer(), *arguments)

    def _note(self, loss: Loss) -> None:
        losses: Losses | None = self.app.losses  # type: ignore[attr-defined]
        if losses is not None:
            losses.note(loss)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's
        """Fetch of the partitions that are active now, whatever becomes of the set meanwhile.

        Faust empties its set at a recovery's end, while a fetch of the changelogs still waits; aiokafka takes an empty
        set for all partitions, and 50 messages of a source, fetched just after the seek, were dropped for good.
        """
        asked = None if active_partitions is None else set(active_partitions)
        found = await super()._getmany(asked, timeout)
        fetched = {tp: records for tp, records in found.items() if asked is None or self._in_place(tp, records)}
        self._jumps += self._positions.jumps(
            {tp: rows for tp, rows in fetched.items() if not self._is_changelog_tp(tp)}
        )
        if self._jumps and (self._looking is None or self._looking.done()):
            # Beside the fetching: transactions of others make a jump in every fetch, and Kafka answers after a fetch.
            self._looking = asyncio.ensure_future(self._look_at_jumps())
        return fetched

    async def _look_at_jumps(self) -> None:
        jumps, self._jumps = self._jumps, []
        try:
            losses = await self._ask(lost, jumps)
        except (KafkaError, TimeoutError):
            self._jumps = jumps + self._jumps  # asked again after the next fetch
            return
        for loss in losses:
            self._note(loss)

    def _in_place(self, tp: TP, records: Sequence[Any]) -> bool:
        """Return whether what a fetch brought is to be handed over; what Faust would drop is fetched again.

        A fetch may wait through a rebalance: what it brings may be from before the seek, or from after it and of a
        partition that does not flow yet. Faust would take what it drops of these for a gap in the partition.
        """
        position = self._position(tp)  # behind a gap, as compaction leaves, it may be farther
        if position is None or position <= records[-1].offset:
            return False  # it was sought back meanwhile
        if tp in self._active_partitions or tp in self._buffered_partitions:
            return True
        self._thread.seek(tp, records[0].offset)
        return False

    def _position(self, tp: TP) -> int | None:
        """Return the offset that is fetched next; None where the partition is not held any more."""
        assignment = self._thread._ensure_consumer()._subscription.subscription.assignment
        if assignment is None or tp not in assignment.tps:
            return None
        return position(assignment.state_value(tp))


class App(faust.App):
    """A Faust app with that consumer, or one made of it. `problem` returns what keeps it from its work, or None."""

    address: Broker
    consumer_class: type[SeekingConsumer] = SeekingConsumer
    in_order: frozenset[str] = frozenset()
    losses: Losses | None = None
    problem: Callable[[], str | None] = staticmethod(lambda: None)
    standing: Standing

    def _new_transport(self) -> Any:
        transport: Any = super()._new_transport()
        transport.Consumer = self.consumer_class
        transport.Producer = Producer
        return transport


class SeekFirstRecovery(Recovery):
    """Recovery that never lets a source partition flow from a position that is not the committed one."""

    async def _build_highwaters(self, consumer: Any, tps: set[TP], destination: Any, title: str) -> None:
        if title == "active":
            await consumer.remember_committed()
        await super()._build_highwaters(consumer, tps, destination, title)

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Finish a recovery: tables first, then the seek, then the flow."""
        app: Any = self.app  # Faust's own interface does not name all that its own code calls here
        consumer = app.consumer
        await app.on_rebalance_complete.send()
        self._set_recovery_ended()
        await asyncio.gather(
            *(
                table.on_recovery_completed(self.actives_for_table[table], self.standbys_for_table[table])
                for table in self.tables.values()
            )
        )
        if app.consumer_generation_id != generation_id:
            return  # another rebalance began meanwhile; its own recovery follows
        assignment = consumer.assignment()
        if assignment:
            await self._wait(consumer.perform_seek(), timeout=app.conf.broker_request_timeout)
        consumer.resume_partitions({tp for tp in assignment if not self._is_changelog_tp(tp)})
        self.completed.set()
        app.flow_control.resume()
        consumer.resume_flow()
        await app._fetcher.maybe_start()
        self.tables.on_actives_ready()
        if not app.assignor.assigned_standbys():
            self.tables.on_standbys_ready()
        app.on_rebalance_end()
        self.log.info("Worker ready")


class SeekFirstTableManager(TableManager):
    """The table manager whose recovery seeks first; it starts at once."""

    async def on_start(self) -> None:
        """Start the tables without the second that Faust waits for tables made late: all are made."""
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()

    @property
    def recovery(self) -> Recovery:
        """The recovery service."""
        if self._recovery is None:
            self._recovery = SeekFirstRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
