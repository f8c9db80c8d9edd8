"""Defects that are planted, to see that they are found; those of Faust 0.15.3 are its own code."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from faust.tables.recovery import Recovery as FaustRecovery
from faust.transport.consumer import Consumer as FaustConsumer
from faust.transport.drivers.aiokafka import Producer as FaustProducer
from faust.types import TP

from broker.origin import UNKNOWN, Origin
from simulation.broker import Record
from simulation.consumer import Consumer
from simulation.tables import Changelogs, Recovery, Table, TableProducer
from simulation.worker import Worker
from stream.coalesced import acknowledge
from stream.own_records import OwnRecords
from stream.shell import Shell


class AcknowledgesFirst(Shell[Any, Any]):
    """The offset is committed before the state."""

    async def _finish(self, stream: Any, events: Any, *rest: Any) -> None:
        await acknowledge(stream, events)
        await asyncio.sleep(0.2)
        await super()._finish(stream, events, *rest)


class StoresFirst(Shell[Any, Any]):
    """The state is written before the outputs are delivered."""

    async def _finish(self, stream: Any, events: Any, posted: Any, changes: Sequence[Any], *rest: Any) -> None:
        for change in changes:
            self._store(change)
        await super()._finish(stream, events, posted, changes, *rest)


class Eager:
    """A writer that returns before a slice's outputs are handed over, so that the next slice's may overtake them."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    async def post(self, frames: Any, origin: Origin = UNKNOWN) -> list[Any]:
        """Hand frames over some time."""
        return self._aside(self._writer.post(frames, origin))

    async def post_values(self, values: Any, origin: Origin = UNKNOWN) -> list[Any]:
        """Hand encoded frames over some time."""
        return self._aside(self._writer.post_values(list(values), origin))

    def _aside(self, posting: Any) -> list[Any]:
        async def hand_over() -> Any:
            delivered = await asyncio.gather(*await posting)
            return max(delivered, key=lambda one: one.timestamp) if delivered else Record(key=b"", value=b"")

        return [asyncio.ensure_future(hand_over())]


class PostsAside(Shell[Any, Any]):
    """The outputs of the next slice may be posted before those of the one before."""

    def __init__(self, stage: Any, table: Any, writer: Any, readers: Any) -> None:
        super().__init__(stage=stage, table=table, writer=Eager(writer), readers=readers)


class NeverBehind(OwnRecords[Any]):
    """A record is folded before its fetch although others, that were not folded, may be before it."""

    def open(self, symbol: str, size: int, now: float) -> bool:  # noqa: ARG002 - the interface
        """Return True."""
        return True


class OwesNothing(OwnRecords[Any]):
    """The state from a record that was folded before its fetch is stored before its outputs are delivered."""

    def owed(self) -> list[Any]:
        """Return nothing."""
        super().owed()
        return []


class ForgetsStates(OwnRecords[Any]):
    """The states from a record that was folded before its fetch are not stored when it is fetched."""

    def runs(self, events: Any) -> Any:
        """Yield no states."""
        return ((run, states and []) for run, states in super().runs(events))


def _own(records: type[OwnRecords[Any]]) -> type[Shell[Any, Any]]:
    class Own(Shell[Any, Any]):
        """A shell with a defect in what it folds before its fetch."""

        def __post_init__(self) -> None:
            super().__post_init__()
            self._own = records()

    return Own


class Forgetful(dict[int, int]):
    """Offsets of which none was seen."""

    def get(self, _: int, default: Any = None) -> Any:
        """Return the default."""
        return default

    def __or__(self, other: Any) -> "Forgetful":
        return Forgetful({**self, **other})


class FoldsTwice(Shell[Any, Any]):
    """Rows that come again are folded again."""

    def _load(self, *key: Any) -> Any:
        offsets, state = super()._load(*key)
        return Forgetful(offsets), state


class StaleEvents(Shell[Any, Any]):
    """Events from before a rebalance are folded after it."""

    async def run(self, stream: Any) -> None:
        await super().run(_Timeless(stream))


class _Timeless:
    """A stream whose every event is taken for one of now."""

    class app:  # noqa: N801 - Faust's name
        """An app in whose generation everything was read."""

        class consumer_generation_id:  # noqa: N801 - likewise
            """Equal to all."""

    def __init__(self, stream: Any) -> None:
        self.take_arrived, self.ack = stream.take_arrived, stream.ack
        self.app = type("Always", (), {"consumer_generation_id": _Any()})()


class _Any:
    """Equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class NoChangelog(Table):
    """The table is written without its changelog."""

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.data[key] = value


class LastWritten(Table):
    """Faust's: a recovery takes the change that was written last."""

    @staticmethod
    def newest(_: Any, changes: Any) -> dict[bytes, Any]:
        """Return the last change of each key."""
        return {change.message.key: change for change in changes}


class GivesUp(TableProducer):
    """Faust's: a flush does not wait for all."""

    async def flush(self) -> None:
        await FaustProducer.flush(self)


class KeepsAcknowledged(Consumer):
    """Faust's: what was acknowledged before a rebalance is committed after it."""

    async def perform_seek(self) -> None:
        """Seek, and forget nothing."""
        kept = [dict(known) for known in (self._acked, self._acked_index, self._gap)]
        await super().perform_seek()
        for known, before in zip((self._acked, self._acked_index, self._gap), kept, strict=True):
            known.update(before)


class TakesRefusedForCommitted(Consumer):
    """Faust's: offsets that the group refused count as committed."""

    async def _commit_offsets(self, offsets: Mapping[TP, int], start_new_transaction: bool = True) -> bool:  # noqa: ARG002 - as the method of Faust's that it overrides
        await self.app.producer.flush()
        mine = {tp: offset for tp, offset in offsets.items() if tp in self.assignment()}
        done = await self._commit(mine)
        self._committed_offset.update(mine)
        return done

    async def perform_seek(self) -> None:
        await FaustConsumer.perform_seek(self)


class DropsFetched(Consumer):
    """Faust's: what a fetch brings that waited through a rebalance is dropped, and taken for a gap."""

    def _in_place(self, *_: Any) -> bool:
        return True


class ResumesForAnother(Consumer):
    """Faust's: a recovery that a rebalance interrupted lets the sources flow."""

    def lasts(self, generation: int) -> bool:
        """Return whether this is the generation."""
        return bool(generation == self.app.consumer_generation_id)


class FlowsAtOnce(Consumer):
    """Faust's: new partitions flow where there were none before, until they are paused."""

    def _set_active_tps(self, tps: set[TP]) -> set[TP]:
        return FaustConsumer._set_active_tps(self, tps)


class ResumesFirst(Changelogs, FaustRecovery):
    """Faust's: the sources flow before they are sought."""


class AsksLate(Recovery):
    """Faust's: where to go on is asked after the states were read."""

    async def _build_highwaters(self, *rest: Any) -> None:
        await FaustRecovery._build_highwaters(self, *rest)


def _with(**parts: Any) -> type[Worker]:
    return type("Defective", (Worker,), parts)


DEFECTS: dict[str, tuple[type[Worker], int]] = {
    "offset committed before the state": (_with(shell=AcknowledgesFirst), 0),
    "state written before the outputs are delivered": (_with(shell=StoresFirst), 80),
    "outputs of a slice posted before the former's": (_with(shell=PostsAside), 4),
    "rows that come again folded twice": (_with(shell=FoldsTwice), 0),
    "events from before a rebalance folded after it": (_with(shell=StaleEvents), 4168),
    "unread records passed over": (_with(shell=_own(NeverBehind)), 0),
    "state of a record folded before its fetch written before its outputs": (_with(shell=_own(OwesNothing)), 0),
    "state of a record folded before its fetch not written": (_with(shell=_own(ForgetsStates)), 0),
    "table written without its changelog": (_with(table_class=NoChangelog), 0),
    "flush that gives up": (_with(producer_class=GivesUp), 1),
    "refused offsets taken for committed": (_with(consumer_class=TakesRefusedForCommitted), 108),
    "sources resumed before the seek": (_with(recovery_class=ResumesFirst), 9),
}
"""What is planted, and a seed from which on to look for it: where few schedules find it, one that does."""

SELDOM: dict[str, type[Worker]] = {
    "state written last taken for the newest": _with(table_class=LastWritten),
    "acknowledgements kept through a rebalance": _with(consumer_class=KeepsAcknowledged),
    "fetched records dropped": _with(consumer_class=DropsFetched),
    "sources resumed by a recovery that a rebalance interrupted": _with(consumer_class=ResumesForAnother),
    "sources not stopped at an assignment": _with(consumer_class=FlowsAtOnce),
    "committed offsets asked after the states were read": _with(recovery_class=AsksLate),
}
"""What is met in so few schedules that no test plants it; `python -m tests.simulation 0 10000 --defect` does."""
