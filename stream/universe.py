"""The stages between a universe's bars and the features: gather on one partition, and add the market's columns there.

A symbol is in one partition of `bars`, so no worker that reads some of them sees the market. Without a universe, none
of this runs.
"""

import asyncio
import time
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from broker.confirmed_send import KafkaWriter, encoded
from broker.dead_letters import error_text
from broker.origin import Origin
from features.cross_section import Universe
from features.market import MarketState, initial, step
from observability.tracer import OFF, Tracer
from stream.app_metrics import arrived
from stream.coalesced import Piece, acknowledge, taken
from stream.dead_letters import decode_event, of_whole
from stream.poison_records import Guard
from stream.shell import BATCH_EVENTS, SLICE_BYTES, messages, slices
from stream.stage import Output, Part
from topics import codec
from topics.catalog import BARS, CROSS_SECTION, DEAD_LETTERS, MARKET_BARS, TICKS, Topic
from topics.records import Bar
from topics.units import is_time

Key = tuple[str, str]
Value = tuple[Topic, str, bytes]
"""A topic, a key, and the encoded frame to send to it."""

IN_ORDER = frozenset({TICKS.name, BARS.name})
"""The topics whose partitions are read in the order of arrival: the market stage compares symbols by their number of
messages."""
ROWS = 500
"""The most rows in one message after a split."""
WHOLE_BYTES = 1_048_576
"""A message up to this size is not split, however many rows it has: allowed lateness is counted in messages."""


@dataclass(frozen=True)
class Gather:
    """Sends bars of the universe to the cross-section, those of other symbols directly to the features. Stateless."""

    universe: Container[str]
    writer: KafkaWriter
    guard: Guard = field(default_factory=Guard)
    tracer: Tracer = OFF
    name = "gather"
    source = BARS

    async def run(self, stream: Any) -> None:
        """Forward the stream, message by message in order; acknowledge delivered messages."""
        async for events in taken(stream, BATCH_EVENTS):
            for part in (piece for run in slices(events, SLICE_BYTES) for piece in self.guard.pieces(run)):
                began = time.time_ns()
                kept, passed = self.guard.passed(self.source.name, part)
                self.guard.begin(kept)
                values = [value for event in kept for value in self.forward(event)]
                self.guard.end(part)
                values += [(DEAD_LETTERS, self.source.name, value) for value in encoded(passed)]
                with self.tracer.span(self.name, self.source.name, messages(kept), began=began, enters=True) as span:
                    origin = Origin(arrived(part), span.traceparent)
                    await asyncio.gather(*await self.writer.post_values(values, origin))
                await acknowledge(stream, part)
                self.guard.check()

    def forward(self, event: Piece) -> list[Value]:
        """Return what to forward for a message; a dead letter if this fails."""
        try:
            return self._forward(event)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this message's
            self.guard.failed((self.source.name, event.message.partition, event.message.offset), error_text(error))
            dead_letters = [of_whole(self.source.name, event, error_text(error))]
            return [(DEAD_LETTERS, self.source.name, value) for value in encoded(dead_letters)]

    def _forward(self, event: Piece) -> list[Value]:
        _, results, dead_letters = decode_event(self.source, event, self.guard.bounds)
        groups: dict[Key, list[Bar]] = {}
        for bar in results:
            groups.setdefault((bar.symbol, bar.interval), []).append(bar)
        whole = len(event.message.value or b"") <= WHOLE_BYTES
        sent = [
            (self.target(key), key[0], value)
            for key, bars in groups.items()
            for value in ([codec.encode(bars)] if whole else _cut(bars))
        ]
        return sent + [(DEAD_LETTERS, self.source.name, value) for value in encoded(dead_letters)]

    def target(self, key: Key) -> Topic:
        """Return the target topic and key of the bars of that symbol and interval."""
        symbol, interval = key
        return CROSS_SECTION if symbol in self.universe and is_time(interval) else MARKET_BARS


def _cut(records: Sequence[Struct]) -> list[bytes]:
    return [codec.encode(records[start : start + ROWS]) for start in range(0, len(records), ROWS)]


@dataclass(frozen=True)
class Market:
    """Adds the market's columns to the bars of all symbols of the universe; there is one state per interval."""

    universe: Universe
    name = "market"
    source = CROSS_SECTION

    def key(self, record: Bar) -> Key:
        """A bar belongs to its interval's market."""
        return "universe", record.interval

    def check(self, record: Bar) -> str | None:
        """Refuse bars that are not cut by time."""
        return None if is_time(record.interval) else f"{record.interval} bars are not cut by time: there is no market"

    def load(self, key: Key, state: bytes | None) -> MarketState:  # noqa: ARG002 - the same for every key
        """Return the waiting bars."""
        return initial() if state is None else MarketState.loads(state)

    def dump(self, state: MarketState) -> bytes:
        """Return the waiting bars as bytes."""
        return state.dumps()

    def newest(self, state: MarketState) -> int:
        """Return the newest time of any symbol."""
        return max([state.done, *(follower.frontier for follower in state.followers.values())])

    def step(self, state: MarketState, parts: Sequence[Part[Bar]]) -> tuple[MarketState, list[Output]]:
        """Add each message's bars, and emit those that are complete; message by message, since messages are counted."""
        values: dict[str, list[Bar]] = {}
        for part in parts:
            state, out = step(state, part.records, self.universe)
            for bar in out:
                values.setdefault(bar.symbol, []).append(bar)
        return state, [(MARKET_BARS, bars) for bars in values.values()]
