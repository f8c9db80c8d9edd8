"""Two stages in one process, and a Kafka whose records are fetched when a test says so."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct
from shell_fakes import ARRIVED, Event, Journal, Stream, Sum, Table, event

from broker.confirmed_send import encoded
from broker.interface import Headers
from broker.origin import UNKNOWN, Origin
from observability.tracer import OFF, Tracer
from stream.poison_records import Guard
from stream.shell import Shell
from stream.stage import Output, Part
from topics import codec
from topics.catalog import BARS, FEATURES, Topic
from topics.records import Bar, Features, Tick


class Each(Sum):
    """Ticks to bars, one each."""

    def step(self, state: float, parts: Sequence[Part[Tick]]) -> tuple[float, list[Output]]:
        ticks = [tick for part in parts for tick in part.records]
        return state, [(BARS, [made(tick.price, tick.symbol) for tick in ticks])]


class Total:
    """Bars to the sum of all closes so far: an output shows which bars were before it."""

    name = "total"
    source = BARS

    def key(self, record: Bar) -> tuple[str, str]:
        return record.symbol, record.interval

    def check(self, record: Bar) -> str | None:
        return "too dear" if record.close > 1_000 else None

    def load(self, key: tuple[str, str], state: bytes | None) -> float:  # noqa: ARG002 - the shell's interface
        return 0.0 if state is None else float(state)

    def dump(self, state: float) -> bytes:
        return repr(state).encode()

    def newest(self, state: float) -> int:  # noqa: ARG002 - the shell's interface
        return -1

    def step(self, state: float, parts: Sequence[Part[Bar]]) -> tuple[float, list[Output]]:
        rows = []
        for bar in (bar for part in parts for bar in part.records):
            if bar.close == 13.0:
                raise ZeroDivisionError
            state += bar.close
            rows.append(
                Features(
                    symbol=bar.symbol,
                    interval=bar.interval,
                    time=bar.time,
                    close=bar.close,
                    fingerprint="f",
                    values=[state],
                )
            )
        return state, [(FEATURES, rows)]


class Place(NamedTuple):
    """Where Kafka has a record."""

    offset: int
    timestamp: int = ARRIVED


@dataclass
class Kafka(Journal):
    """A writer whose records are confirmed one offset after another, or, if `later`, when that is called."""

    log: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    headers: dict[tuple[str, int], Headers] = field(default_factory=dict)
    later: list[Callable[[], None]] | None = None

    async def post(self, frames: Iterable[tuple[Topic, str, Sequence[Struct]]], origin: Origin = UNKNOWN) -> list[Any]:
        return await self.post_values(
            [(topic, key, value) for topic, key, records in frames for value in encoded(records)], origin
        )

    async def post_values(self, values: Iterable[tuple[Topic, str, bytes]], origin: Origin = UNKNOWN) -> list[Any]:
        deliveries = []
        for topic, key, value in values:
            await asyncio.sleep(0)
            self.happened.append(f"send {topic.name}")
            self.sent += [(topic, record) for record in codec.decode(value, topic.record).records]
            delivered = asyncio.get_running_loop().create_future()
            deliveries.append(delivered)
            offset = sum(name == topic.name for name, _, _ in self.log)
            self.log.append((topic.name, key.encode(), value))
            self.headers[topic.name, offset] = origin.headers()
            confirm = lambda delivered=delivered, offset=offset: delivered.set_result(Place(offset))  # noqa: E731 - one of many
            if self.later is None:
                confirm()
            else:
                self.later.append(confirm)
        return deliveries


@dataclass
class Steps(Stream):
    """A stream to which a test adds its events one by one."""

    news: "asyncio.Queue[Event]" = field(default_factory=asyncio.Queue)

    async def take_arrived(self, _: int) -> AsyncIterator[list[Event]]:
        while True:
            yield [await self.news.get()]


class Worker:
    """Ticks to bars to totals, in one process: what is posted to `bars` is fetched when a test says so."""

    def __init__(self, guard: Guard | None = None, tracer: Tracer = OFF) -> None:
        self.kafka = Kafka()
        self.table = Table(self.kafka)
        readers: dict[str, Shell[Any, Any]] = {}
        self.totals = Shell(stage=Total(), table=self.table, writer=self.kafka, guard=guard or Guard(), tracer=tracer)
        readers["bars"] = self.totals
        self.bars = Shell(stage=Each(), table=Table(Journal()), writer=self.kafka, readers=readers, tracer=tracer)
        self.ticks = Steps(Journal(), [])
        self.fetched = Steps(self.kafka, [])
        self.count = 0
        self._running = [
            asyncio.ensure_future(self.totals.run(self.fetched)),
            asyncio.ensure_future(self.bars.run(self.ticks)),
        ]

    async def tick(self, price: float) -> None:
        """A tick comes, and its bar is posted."""
        await self.ticks.news.put(event(self.count, price))
        self.count += 1
        await turns()

    async def fetch(self, offset: int) -> None:
        """The record of that offset comes."""
        _, key, value = [one for one in self.kafka.log if one[0] == "bars"][offset]
        message = SimpleNamespace(
            partition=0,
            offset=offset,
            generation_id=self.fetched.app.consumer_generation_id,
            timestamp=ARRIVED / 1000,
            key=key,
            headers=self.kafka.headers.get(("bars", offset), codec.HEADERS),
            value=value,
        )
        await self.fetched.news.put(Event(message=message))
        await turns()

    async def saved(self) -> Any:
        """Return what is stored of the symbol, once all that is to be is."""
        await asyncio.sleep(0.12)
        return Shell(stage=Total(), table=self.table, writer=self.kafka)._load(("BTCUSDT", "1m"), b"BTCUSDT|1m")

    def sums(self) -> list[float]:
        """Return the totals that were published, in order."""
        return [record.values[0] for topic, record in self.kafka.sent if topic is FEATURES]

    async def begun(self) -> None:
        """Fold and fetch a first record, so that it is known how far all is read."""
        await self.tick(1.0)
        await self.fetch(0)

    async def end(self) -> None:
        """End."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


async def turns() -> None:
    """Let all that can run do so."""
    for _ in range(40):
        await asyncio.sleep(0)


def made(close: float, symbol: str = "BTCUSDT") -> Bar:
    """Return a bar."""
    return Bar(symbol, "1m", ARRIVED // 60_000 * 60_000, *[close] * 4, volume=1.0)


W = TypeVar("W", bound=Worker)


def run_story(make: Callable[[], W], story: Callable[[W], Any]) -> None:
    """Run a story of a worker that is made within the loop, and end the worker."""

    async def run() -> None:
        worker = make()
        try:
            await story(worker)
        finally:
            await worker.end()

    asyncio.run(run())
