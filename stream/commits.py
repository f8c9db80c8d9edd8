"""More repairs of Faust 0.15.3: it commits what is not durable, and what was read before a rebalance.

Found by the simulation in tests/simulation, where `defects.py` has Faust's own code in their place; see docs/why.md.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from faust.exceptions import ProducerSendError
from faust.transport.drivers.aiokafka import Consumer
from faust.transport.drivers.aiokafka import Producer as FaustProducer
from faust.types import TP, EventT
from faust.types.tuples import FutureMessage

LOOKED_SECONDS = 1.0
"""How long a flush waits before it looks whether the producer still runs."""


class Producer(FaustProducer):
    """A producer whose flush waits for every message that was handed over before it.

    Faust's gives up once for a tenth of a second no message could be handed to Kafka's client, and leaves out the one
    that is being handed over: a state's changes may then come after the commit of the offset that they belong to.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unsure: dict[FutureMessage, None] = {}  # in the order in which they were handed over

    def send_soon(self, fut: FutureMessage) -> None:
        """Hand a message over; it is remembered until Kafka has it."""
        self._unsure[fut] = None
        fut.add_done_callback(self._delivered)
        super().send_soon(fut)

    def _delivered(self, fut: Any) -> None:
        if not fut.cancelled() and fut.exception() is None:
            self._unsure.pop(fut, None)

    async def flush(self) -> None:
        """Wait until Kafka has all. Raises ProducerSendError where the producer has ended, or what Kafka refused."""
        for fut in list(self._unsure):
            while not fut.done():
                if self.buffer.should_stop:
                    raise ProducerSendError("the producer has ended before all was delivered")
                await asyncio.wait([fut], timeout=LOOKED_SECONDS)
            fut.result()
        await super().flush()


class GenerationConsumer(Consumer):
    """A consumer for which only counts what was read since the partitions were last shared out.

    An agent works on through a rebalance. Meanwhile another worker may have gone on from the state before, or this one
    may have read its own state anew; what is not committed is read again.
    """

    async def perform_seek(self) -> None:
        """Seek every partition to its committed offset; what was acknowledged or committed before is asked anew."""
        self._committed_offset.clear()
        await super().perform_seek()
        for known in (self._acked, self._acked_index, self._gap):
            known.clear()

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Note offsets that no message has, such as transactions' marks: up to that of the next message, left out.

        Faust counts that message in, as acknowledged; the second acknowledgement then ends what one commit may cover,
        so that commits fall behind where transactions come faster than commits (faust#606).
        """
        await super()._add_gap(tp, offset_from, offset_to - 1)

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:  # noqa: ARG002
        """Commit, once the tables' changes are in Kafka, and unless the partitions were shared out meanwhile.

        Faust takes an offset for committed also where the group refused it, and then acknowledges nothing before it.
        """
        generation = self.app.consumer_generation_id
        await self.app.producer.flush()
        held = self.assignment()
        mine = {tp: offset for tp, offset in offsets.items() if tp in held}
        if not mine or self.app.rebalancing or generation != self.app.consumer_generation_id:
            return False
        done = await self._commit(mine)
        if done and generation == self.app.consumer_generation_id:
            self._committed_offset.update(mine)
            self.app.monitor.on_tp_commit(mine)
        return done


def current(stream: Any, events: Sequence[EventT[Any]]) -> list[EventT[Any]]:
    """Return the events that were read since the partitions were last shared out; the others will be read again.

    One event may have waited before an agent that was busy through a rebalance; the table may be an older one by then.
    """
    generation = stream.app.consumer_generation_id
    return [event for event in events if event.message.generation_id == generation]
