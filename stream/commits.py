"""More repairs of Faust 0.15.3: it commits offsets that are not durable, and those read before a rebalance.

Found by the simulation in tests/simulation, where `defects.py` substitutes Faust's own code; see docs/why.md.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from faust.exceptions import ProducerSendError
from faust.transport.drivers.aiokafka import Consumer
from faust.transport.drivers.aiokafka import Producer as FaustProducer
from faust.types import TP
from faust.types.tuples import FutureMessage

from stream.coalesced import Coalesced, Piece

LOOKED_SECONDS = 1.0
"""How long a flush waits before it checks that the producer still runs."""


class Producer(FaustProducer):
    """A producer whose flush waits for every message sent before it.

    Faust's gives up when for a tenth of a second no message could be passed to Kafka's client, and omits the one that
    is being passed: a state's changes may then arrive after the commit of their offset.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unsure: dict[FutureMessage, None] = {}  # in the order in which they were sent

    def send_soon(self, fut: FutureMessage) -> None:
        """Send a message; it is kept until Kafka has confirmed it."""
        self._unsure[fut] = None
        fut.add_done_callback(self._delivered)
        super().send_soon(fut)

    def _delivered(self, fut: Any) -> None:
        if not fut.cancelled() and fut.exception() is None:
            self._unsure.pop(fut, None)

    async def flush(self) -> None:
        """Wait until Kafka has confirmed all. Raises ProducerSendError if the producer has ended, or Kafka's error."""
        for fut in list(self._unsure):
            while not fut.done():
                if self.buffer.should_stop:
                    raise ProducerSendError("the producer has ended before all was delivered")
                await asyncio.wait([fut], timeout=LOOKED_SECONDS)
            fut.result()
        await super().flush()


class GenerationConsumer(Consumer):
    """A consumer that counts only records read since the last rebalance.

    An agent continues during a rebalance. Meanwhile another worker may have continued from the previous state, or this
    one may have restored its own; uncommitted records are read again.
    """

    _sought: int | None = None
    """The generation of the last seek to the committed offsets."""
    _revoked_in: int | None = None
    """The generation in which partitions were revoked last."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._coalesced: dict[TP, tuple[int, int]] = {}
        """The offsets of the last and the first record of each partition's newest coalesced message."""

    def stop_flow(self) -> None:
        """Stop handing messages over, as when partitions are revoked."""
        self._revoked_in = self.app.consumer_generation_id
        super().stop_flow()

    def _set_active_tps(self, tps: set[TP]) -> set[TP]:
        """Take partitions, and hand nothing over before their states are restored: without partitions before, the flow
        was not stopped.
        """
        if tps:
            super().stop_flow()
        active: set[TP] = super()._set_active_tps(tps)
        return active

    def lasts(self, generation: int) -> bool:
        """Return whether this is the generation, and its partitions are not revoked."""
        return bool(generation == self.app.consumer_generation_id != self._revoked_in)

    def _to_message(self, tp: TP, record: Any) -> Any:
        if isinstance(record.value, Coalesced):
            self._coalesced[tp] = record.offset, record.value.first
        return super()._to_message(tp, record)

    async def perform_seek(self) -> None:
        """Seek every partition to its committed offset; acknowledged and committed offsets are fetched again."""
        generation = self.app.consumer_generation_id
        self._committed_offset.clear()
        await super().perform_seek()
        for known in (self._acked, self._acked_index, self._gap):
            known.clear()
        if generation == self.app.consumer_generation_id:  # two seeks may overlap, one of them of before a rebalance
            self._sought = generation

    def ack(self, message: Any) -> bool:
        """Acknowledge a message, and with the last of coalesced records those before it.

        The last may be acknowledged already: by a message that was read before a rebalance.
        """
        new = not message.acked
        done: bool = super().ack(message)
        if new and isinstance(message.value, Coalesced):
            tp, index = message.tp, self._acked_index[message.tp]
            first = max(message.value.first, self._committed_offset[tp] or 0)
            before = [offset for offset in range(first, message.offset) if offset not in index]
            index.update(before)
            self._acked[tp].extend(before)
        return done

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Record offsets without a message, such as transaction markers, up to but excluding that of the next record.
        Faust includes that message as acknowledged; the second acknowledgement then limits a commit, so that commits
        lag if transactions are more frequent than commits (faust#606).
        """
        last, first = self._coalesced.get(tp, (-1, -1))
        await super()._add_gap(tp, offset_from, (first if last == offset_to else offset_to) - 1)

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:  # noqa: ARG002 - as the method of Faust's that it overrides
        """Commit, once the tables' changes are in Kafka, unless there was a rebalance meanwhile, or the seek after the
        last is still to come: an agent goes on during a rebalance, and what it then acknowledges may be behind what
        another worker has committed. `app.rebalancing` does not tell: a recovery that a rebalance interrupts ends it.

        Faust treats an offset as committed even if the group refused it, and then acknowledges nothing before it.
        """
        generation = self.app.consumer_generation_id
        await self.app.producer.flush()
        held = self.assignment()
        mine = {tp: offset for tp, offset in offsets.items() if tp in held}
        now = self.app.consumer_generation_id
        if not mine or self.app.rebalancing or not generation == self._sought == now:
            return False
        done = await self._commit(mine)
        if done and generation == self.app.consumer_generation_id:
            self._committed_offset.update(mine)
            self.app.monitor.on_tp_commit(mine)
        return done


def current(stream: Any, events: Sequence[Piece]) -> list[Piece]:
    """Return the events that were read since the last rebalance; the others will be read again.

    One event may have been queued for an agent that was busy during a rebalance; the table may have been replaced by an
    older one since.
    """
    generation = stream.app.consumer_generation_id
    return [event for event in events if event.message.generation_id == generation]
