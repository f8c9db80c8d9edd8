"""A universe's bars on their way to the features: gathered on one partition, and given the market's columns there.

A symbol lives in one partition of `bars`, so no worker that reads some of them sees the market. Where no universe is
set, none of this runs.
"""

import asyncio
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any

from faust.types import EventT
from msgspec import Struct

from features.cross_section import Universe
from features.market import MarketState, initial, step
from stream.guard import Guard
from stream.letters import decode_event, of_whole, told
from stream.outbox import Outbox, encoded
from stream.shell import BATCH_EVENTS, BATCH_SECONDS, slices
from stream.stage import Output, Part
from topics import codec
from topics.catalog import BARS, CROSS_SECTION, DEAD_LETTERS, MARKET_BARS, TICKS, Topic
from topics.records import Bar
from topics.units import is_time

Key = tuple[str, str]
Value = tuple[Topic, str, bytes]
"""A topic, a key, and the encoded frame to send to it."""

IN_ORDER = frozenset({TICKS.name, BARS.name})
"""The topics whose partitions are read in the order of arrival: the market counts messages of one against others'."""
ROWS = 500
"""Rows in one message, at most, where one is cut."""
WHOLE_BYTES = 1_048_576
"""A message up to this size goes on as one, however many rows it has: patience is counted in messages."""


@dataclass(frozen=True)
class Gather:
    """Bars of the universe to the cross-section, those of other symbols straight on. It keeps no state."""

    universe: Container[str]
    outbox: Outbox
    guard: Guard = field(default_factory=Guard)
    name = "gather"
    source = BARS

    async def run(self, stream: Any) -> None:
        """Forward the stream, message by message in its order; acknowledge what was delivered."""
        async for events in stream.noack_take(BATCH_EVENTS, within=BATCH_SECONDS):
            for part in (piece for run in slices(events) for piece in self.guard.pieces(run)):
                kept, passed = self.guard.passed(self.source.name, part)
                self.guard.begin(kept)
                values = [value for event in kept for value in self.forward(event)]
                self.guard.end(part)
                values += [(DEAD_LETTERS, self.source.name, value) for value in encoded(passed)]
                await asyncio.gather(*await self.outbox.post_values(values))
                for event in part:
                    await stream.ack(event)
                self.guard.check()

    def forward(self, event: EventT[Any]) -> list[Value]:
        """Return what to send on for a message; of one on which this fails, a dead letter."""
        try:
            return self._forward(event)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this message's
            self.guard.failed((self.source.name, event.message.partition, event.message.offset), told(error))
            letters = [of_whole(self.source.name, event, told(error))]
            return [(DEAD_LETTERS, self.source.name, value) for value in encoded(letters)]

    def _forward(self, event: EventT[Any]) -> list[Value]:
        _, found, letters = decode_event(self.source, event, self.guard.bounds)
        groups: dict[Key, list[Bar]] = {}
        for bar in found:
            groups.setdefault((bar.symbol, bar.interval), []).append(bar)
        whole = len(event.message.value or b"") <= WHOLE_BYTES
        sent = [
            (self.target(key), key[0], value)
            for key, bars in groups.items()
            for value in ([codec.encode(bars)] if whole else _cut(bars))
        ]
        return sent + [(DEAD_LETTERS, self.source.name, value) for value in encoded(letters)]

    def target(self, key: Key) -> Topic:
        """Return where the bars of that symbol and interval go."""
        symbol, interval = key
        return CROSS_SECTION if symbol in self.universe and is_time(interval) else MARKET_BARS


def _cut(records: Sequence[Struct]) -> list[bytes]:
    return [codec.encode(records[start : start + ROWS]) for start in range(0, len(records), ROWS)]


@dataclass(frozen=True)
class Market:
    """Bars of all symbols of the universe to the same bars with the market's columns; the state is one an interval."""

    universe: Universe
    name = "market"
    source = CROSS_SECTION

    def key(self, record: Bar) -> Key:
        """A bar belongs to its interval's market."""
        return "universe", record.interval

    def check(self, record: Bar) -> str | None:
        """Refuse bars that do not lie side by side."""
        return None if is_time(record.interval) else f"{record.interval} bars are not cut by time: there is no market"

    def load(self, key: Key, state: bytes | None) -> MarketState:  # noqa: ARG002 - the same for every key
        """Return the bars that wait."""
        return initial() if state is None else MarketState.loads(state)

    def dump(self, state: MarketState) -> bytes:
        """Return the bars that wait, as bytes."""
        return state.dumps()

    def newest(self, state: MarketState) -> int:
        """Return the newest time of any symbol."""
        return max([state.done, *(follower.frontier for follower in state.followers.values())])

    def step(self, state: MarketState, parts: Sequence[Part[Bar]]) -> tuple[MarketState, list[Output]]:
        """Let each message's bars in, and those out that have met the others; message by message, as they count."""
        found: dict[str, list[Bar]] = {}
        for part in parts:
            state, out = step(state, part.records, self.universe)
            for bar in out:
                found.setdefault(bar.symbol, []).append(bar)
        return state, [(MARKET_BARS, bars) for bars in found.values()]
