"""A stage, a stream, a table and a writer as far as the shell looks at them; each notes what happened."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple

from msgspec import Struct

from broker.origin import UNKNOWN, Origin
from stream.stage import Output, Part
from topics import codec
from topics.catalog import BARS, TICKS, Topic
from topics.records import Bar, Tick

ARRIVED = 1_700_000_000_500


class Sum:
    """A stage that counts what it saw and publishes a bar a tick."""

    name = "sum"
    source = TICKS
    known = -1

    def key(self, record: Tick) -> tuple[str, str]:
        return record.symbol, "1m"

    def check(self, record: Tick) -> str | None:
        return "too dear" if record.price > 1_000 else None

    def load(self, key: tuple[str, str], state: bytes | None) -> float:  # noqa: ARG002 - the shell's interface
        return 0.0 if state is None else float(state)

    def dump(self, state: float) -> bytes:
        return repr(state).encode()

    def newest(self, state: float) -> int:  # noqa: ARG002 - the shell's interface
        return self.known

    def step(self, state: float, parts: Sequence[Part[Tick]]) -> tuple[float, list[Output]]:
        ticks = [tick for part in parts for tick in part.records]
        bars = [Bar(tick.symbol, "1m", 0, *[tick.price] * 4, volume=tick.amount) for tick in ticks]
        return state + sum(tick.price for tick in ticks), [(BARS, bars)]


class Delivered(NamedTuple):
    """What Kafka says of a record that it has taken."""

    timestamp: int


@dataclass
class Journal:
    """What happened, in order; fails to send when told to."""

    happened: list[str] = field(default_factory=list)
    sent: list[tuple[Topic, Struct]] = field(default_factory=list)
    broken: bool = False

    async def post(
        self, frames: list[tuple[Topic, str, Sequence[Struct]]], origin: Origin = UNKNOWN
    ) -> list[asyncio.Future[Delivered]]:
        delivered = asyncio.get_running_loop().create_future()
        if self.broken:
            delivered.set_exception(ConnectionError("no broker"))
            return [delivered]
        self.happened.append("send")
        for topic, _, records in frames:
            for record in records:
                await asyncio.sleep(0)  # as with a real broker, others may run between two frames
                self.sent.append((topic, record))
        delivered.set_result(Delivered((origin.arrived or 0) + 250))
        return [delivered]


class Table(dict[bytes, bytes]):
    """A table that notes each write."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self.journal = journal

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self.journal.happened.append("store")
        super().__setitem__(key, value)


class Event(SimpleNamespace):
    """A Faust event, as far as the shell looks at one."""


@dataclass
class Stream:
    """A stream of batches that notes each acknowledgement."""

    journal: Journal
    batches: list[list[Event]]
    app: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(consumer_generation_id=1))

    async def take_arrived(self, _: int) -> AsyncIterator[list[Event]]:
        for batch in self.batches:
            yield batch

    async def ack(self, event: Event) -> None:
        self.journal.happened.append(f"ack {event.message.offset}")


def event(offset: int, *values: Any, partition: int = 0) -> Event:
    rows = [{"symbol": "BTCUSDT", "time": ARRIVED, "price": value, "amount": 1.0} for value in values]
    message = SimpleNamespace(
        partition=partition,
        offset=offset,
        generation_id=1,
        timestamp=ARRIVED / 1000,
        key=b"BTCUSDT",
        headers=codec.HEADERS,
        value=json.dumps(rows).encode(),
    )
    return Event(message=message)
