"""Repairs of Faust 0.15.3, against losses at a start, and reports of records that Kafka deleted.

After a restart with a changelog, source partitions are first sought, then resumed. Faust resumes them while its fetcher
runs already, and seeks to the committed offsets only afterwards; records fetched in between are dropped, or block the
commits for good. If nothing was committed yet, partitions are sought to the beginning, and only active partitions are
fetched: see `SeekingConsumer`. Measured: docs/why.md; tests/stream fails without each.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import faust
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from broker.confirmed_send import KafkaWriter
from broker.data_loss import Jump, Loss, Losses, Positions, first_times, lost
from observability.consumer_lag import position
from observability.work_status import WorkStatus
from settings.broker import Broker
from stream.coalesced import coalesced
from stream.commits import GenerationConsumer, Producer


class Fetch(NamedTuple):
    """What Kafka waits for before it answers a fetch: so many bytes, but no longer than so long."""

    least_bytes: int = 1
    wait_ms: int = 200
    """It answers a connection's requests one after the other: a recovery's requests waited for the fetch before, at
    Faust's fixed 1,500 ms."""


class ConsumerThread(AIOKafkaConsumerThread):
    """Faust's consumer thread, with the app's fetches while records come, and the default ones while none do."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer: Any = super()._create_worker_consumer(transport)
        consumer._fetch_min_bytes, consumer._fetch_max_wait_ms = Fetch()
        return consumer

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's
        """Return what has been fetched, nothing after `timeout` (s)."""
        app: Any = self.app
        records = await super().getmany(active_partitions, timeout)
        fetcher = self._ensure_consumer()._fetcher
        fetcher._fetch_min_bytes, fetcher._fetch_max_wait_ms = app.fetch if records else Fetch()
        return records


class SeekingConsumer(GenerationConsumer):
    """A consumer that also seeks if nothing was committed yet: to the beginning.

    Faust fetches while its flow is paused, drops the records, and seeks back to the committed offset. Without one it
    does not seek, so records on a topic before the first commit would be lost.

    Records that Kafka deleted before they were read are reported to the app's `losses`: found at a seek by the
    partition's beginning or, later, when a fetch does not follow the previous one.
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
        """Look at nothing: `observability.consumer_lag` does.

        Faust's check only logs, and ends the process at a partition whose records were deleted: aiokafka requests its
        beginning, and has no position meanwhile. After a process was stopped for a while both occur together.
        """

    async def remember_committed(self) -> None:
        """Fetch the committed offsets before the states are restored, for the seek afterwards: the states include
        everything before them.

        Offsets fetched only then may have been committed by another worker, if this one stalled for so long that it was
        removed from its group without noticing: with the older state, it would continue with a gap.
        """
        self._remembered = await super().seek_to_committed()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to the offsets committed when a recovery began, or else now."""
        if self._remembered is None:
            return await super().seek_to_committed()
        held = self.assignment()
        values = {tp: offset for tp, offset in self._remembered.items() if tp in held}
        await self.seek_wait({tp: offset for tp, offset in values.items() if offset is not None})
        return values

    async def perform_seek(self) -> None:
        """Seek every partition to its committed offset, or to its beginning."""
        await super().perform_seek()
        flowing = [tp for tp in self.assignment() if not self._is_changelog_tp(tp)]
        new = [tp for tp in flowing if not self._committed_offset[tp]]
        begins = dict(await self.earliest_offsets(*new)) if new else {}
        with suppress(KafkaError, TimeoutError):  # deletions are then seen at the next fetch
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
            self._note(
                Loss(
                    topic=tp.topic,
                    partition=tp.partition,
                    first=behind[tp],
                    end=begins[tp],
                    time=times[tp],
                    done=partial(self._pass, tp),
                )
            )

    async def _pass(self, tp: TP) -> None:
        """Commit past a published loss: else it would be published again if no new records arrive."""
        offset = self._committed_offset.get(tp)
        if offset is not None and tp in self.assignment():
            with suppress(KafkaError):
                await self._ask(lambda consumer, at: consumer.commit(at), {TopicPartition(*tp): offset})

    async def _ask(self, question: Callable[[Any, Any], Awaitable[Any]], *arguments: Any) -> Any:
        """Query Kafka by the consumer, in its thread."""
        return await self._thread.call_thread(question, self._thread._ensure_consumer(), *arguments)

    def _note(self, loss: Loss) -> None:
        losses: Losses | None = self.app.losses  # type: ignore[attr-defined] # of our own app, which Faust takes for any
        if losses is not None:
            losses.note(loss)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's
        """Fetch from the partitions that are active now, on a copy of the set.

        Faust empties its set at a recovery's end, while a fetch of the changelogs still waits; aiokafka takes an empty
        set as all partitions, and 50 messages of a source, fetched just after the seek, were dropped for good.
        """
        asked = None if active_partitions is None else set(active_partitions)
        result = await super()._getmany(asked, timeout)
        fetched = {tp: records for tp, records in result.items() if asked is None or self._in_place(tp, records)}
        self._jumps += self._positions.jumps(
            {tp: rows for tp, rows in fetched.items() if not self._is_changelog_tp(tp)}
        )
        if self._jumps and (self._looking is None or self._looking.done()):
            # Concurrently with fetching: transactions of others cause a jump in every fetch, and Kafka answers after a
            # fetch.
            self._looking = asyncio.ensure_future(self._look_at_jumps())
        return {tp: coalesced(tp, records) if self._coalesces(tp) else records for tp, records in fetched.items()}

    def _coalesces(self, tp: TP) -> bool:
        """Return whether a partition's records need no message of their own: a recovery and a merge look at each."""
        return not self._is_changelog_tp(tp) and tp.topic not in self.app.in_order  # type: ignore[attr-defined] # of our own app, which Faust takes for any

    async def _look_at_jumps(self) -> None:
        jumps, self._jumps = self._jumps, []
        try:
            losses = await self._ask(lost, jumps)
        except (KafkaError, TimeoutError):
            self._jumps = jumps + self._jumps  # retried after the next fetch
            return
        for loss in losses:
            self._note(loss)

    def _in_place(self, tp: TP, records: Sequence[Any]) -> bool:
        """Return whether fetched records are to be passed on; records that Faust would drop are fetched again.

        A fetch may span a rebalance: its records may be from before the seek, or from after it and of a paused
        partition. Faust would treat those that it drops as a gap in the partition.
        """
        position = self._position(tp)  # it may be further, after a gap left by compaction
        if position is None or position <= records[-1].offset:
            return False  # it was sought back meanwhile
        if tp in self._active_partitions or tp in self._buffered_partitions:
            return True
        self._thread.seek(tp, records[0].offset)
        return False

    def _position(self, tp: TP) -> int | None:
        """Return the offset that is fetched next; None if the partition is no longer assigned."""
        assignment = self._thread._ensure_consumer()._subscription.subscription.assignment
        if assignment is None or tp not in assignment.tps:
            return None
        return position(assignment.state_value(tp))


class App(faust.App):
    """A Faust app with that consumer, or a subclass. `problem` returns what prevents it from working, or None."""

    address: Broker
    consumer_class: type[SeekingConsumer] = SeekingConsumer
    fetch: Fetch = Fetch()
    in_order: frozenset[str] = frozenset()
    losses: Losses | None = None
    problem: Callable[[], str | None] = staticmethod(lambda: None)
    standing: WorkStatus
    _kafka_writers: tuple[KafkaWriter, ...] = ()

    def kafka_writer(self) -> KafkaWriter:
        """Return a writer that is stopped once all agents have ended: an agent would reconnect it."""
        made = KafkaWriter(self.address)
        self._kafka_writers = (*self._kafka_writers, made)
        return made

    async def on_shutdown(self) -> None:
        """Called when all agents and tasks have ended."""
        await super().on_shutdown()
        for writer in self._kafka_writers:
            await writer.stop()

    def _new_transport(self) -> Any:
        transport: Any = super()._new_transport()
        transport.Consumer = self.consumer_class
        transport.Producer = Producer
        return transport


class SeekFirstRecovery(Recovery):
    """A recovery that resumes source partitions only from their committed offsets."""

    async def _build_highwaters(self, consumer: Any, tps: set[TP], destination: Any, title: str) -> None:
        if title == "active":
            await consumer.remember_committed()
        await super()._build_highwaters(consumer, tps, destination, title)

    async def _resume_streams(self, generation_id: int = 0) -> None:
        """Do without tables what follows a recovery."""
        await self.on_recovery_completed(generation_id)

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Finish a recovery: tables first, then the seek, then the flow."""
        app: Any = self.app  # Faust's declared interface lacks some attributes that its own code uses
        consumer = app.consumer
        await app.on_rebalance_complete.send()
        self._set_recovery_ended()
        await asyncio.gather(
            *(
                table.on_recovery_completed(self.actives_for_table[table], self.standbys_for_table[table])
                for table in self.tables.values()
            )
        )
        if not consumer.lasts(generation_id):
            return  # another rebalance began meanwhile; its own recovery follows
        assignment = consumer.assignment()
        if assignment:
            await self._wait(consumer.perform_seek(), timeout=app.conf.broker_request_timeout)
        if not consumer.lasts(generation_id):
            return  # likewise: what would be resumed is soon another's, or is not restored yet
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
        """Start the tables without the second that Faust waits for tables created later: all exist."""
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()

    @property
    def recovery(self) -> Recovery:
        """The recovery service."""
        if self._recovery is None:
            self._recovery = SeekFirstRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
