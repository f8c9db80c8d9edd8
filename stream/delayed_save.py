"""States are stored, and the events that are in them acknowledged, together and a little later.

A state that changes with every tick is then written to its changelog once for all ticks of that time. What a crash
repeats is what it would repeat of a larger batch: nothing is acknowledged before the state that has it is stored.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from faust.types import EventT

from stream.coalesced import Piece, acknowledge
from stream.commits import current

S = TypeVar("S")

SAVE_S = 0.1
MOST_BYTES = 524_288
"""Bytes of input that wait to be acknowledged: they are in memory."""


@dataclass(frozen=True, kw_only=True)
class Change(Generic[S]):
    """A state to be stored in the table as `value`, with the last event included in it."""

    event: EventT[Any]
    key: bytes
    state: S
    offsets: dict[int, int]
    value: bytes


class DelayedSave(Generic[S]):
    """Changes whose outputs are delivered, until `store` is called with them. `ahead`: the newest states, by key, of
    those that are not stored yet.
    """

    def __init__(self, store: Callable[[Change[S]], None]) -> None:
        self.ahead: dict[bytes, tuple[dict[int, int], S]] = {}
        self._store = store
        self._changes: dict[bytes, Change[S]] = {}
        self._events: list[Piece] = []
        self._bytes = 0
        self._news = asyncio.Event()
        self._generation: int | None = None

    def begin(self, stream: Any) -> None:
        """Forget what was folded before a rebalance: it is read again, perhaps on another state."""
        if self._generation != stream.app.consumer_generation_id:
            self._generation = stream.app.consumer_generation_id
            self.ahead.clear()
            self._take()

    async def add(self, stream: Any, events: Sequence[Piece], changes: Sequence[Change[S]]) -> None:
        """Take over events of after the last rebalance, whose outputs are delivered, and the states from them."""
        self._changes |= {change.key: change for change in changes}
        self._events += events
        self._bytes += sum(len(event.message.value or b"") for event in events)
        self._news.set()
        if self._bytes >= MOST_BYTES:
            await self.save(stream)

    async def save(self, stream: Any) -> None:
        """Store the states, and acknowledge the events."""
        changes, events = self._take()
        if not current(stream, events):
            return
        for change in changes:
            self._store(change)
            newest = self.ahead.get(change.key)
            if newest is not None and newest[0] is change.offsets:  # the state may be the same, and the offsets newer
                del self.ahead[change.key]
        await acknowledge(stream, events)

    async def run(self, stream: Any) -> None:
        """For ever, save what there is some time after the first of it."""
        while True:
            await self._news.wait()
            await asyncio.sleep(SAVE_S)
            await self.save(stream)

    def _take(self) -> tuple[Sequence[Change[S]], list[Piece]]:
        changes, events = list(self._changes.values()), self._events
        self._changes, self._events, self._bytes = {}, [], 0
        self._news.clear()
        return changes, events
