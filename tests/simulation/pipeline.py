"""What runs in a schedule: two stages in a row, persist behind them, and the records that go in."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

from msgspec import Struct, msgpack

from simulation.broker import CLOCK, Record
from simulation.worker import Agent, Heavy, SimulatedWriter, Stream, Worker, partition_of
from stream.bars import Bars
from stream.persist import persist
from stream.poison_records import Guard
from stream.sinks import Sink
from stream.stage import Output, Part
from stream.stages import Outcomes, increasing
from topics import codec
from topics.catalog import BARS, DEAD_LETTERS, OUTCOMES, PREDICTIONS, TICKS, Topic
from topics.records import Bar, Forecast, Prediction, Tick

MINUTE = 60_000
START = CLOCK - 3_600_000
SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")
IDENTITY = {
    BARS.name: ("symbol", "interval", "time"),
    PREDICTIONS.name: ("symbol", "interval", "model", "version", "time"),
    OUTCOMES.name: ("symbol", "interval", "model", "version", "horizon", "time"),
    DEAD_LETTERS.name: ("topic", "partition", "offset", "row"),
}


@dataclass(frozen=True)
class Average:
    """Bars to predictions by a moving average: a cheap stage whose every output depends on all bars before."""

    name = "average"
    source = BARS

    def key(self, record: Bar) -> tuple[str, str]:
        """A bar belongs to its symbol and interval."""
        return record.symbol, record.interval

    def check(self, record: Bar) -> str | None:  # noqa: ARG002 - the shell's interface
        """Return None: every bar can be used."""
        return None

    def load(self, key: tuple[str, str], state: bytes | None) -> tuple[int, int, float]:  # noqa: ARG002 - likewise
        """Return the last bar's time, how many there were, and their average."""
        return (-1, 0, 0.0) if state is None else tuple(msgpack.decode(state))

    def dump(self, state: tuple[int, int, float]) -> bytes:
        """Return the state's bytes."""
        return msgpack.encode(state)

    def newest(self, state: tuple[int, int, float]) -> int:
        """Return the last bar's time."""
        return state[0]

    def step(
        self, state: tuple[int, int, float], parts: Sequence[Part[Bar]]
    ) -> tuple[tuple[int, int, float], list[Output]]:
        """Say for each bar how it moved, and what the average says."""
        last, count, average = state
        made = []
        for bar in increasing(parts, last):
            last, count, average = bar.time, count + 1, average + (bar.close - average) / 4
            forecast = Forecast(horizon=1, mean=average / bar.close - 1, p_up=1 / count)
            made.append(
                Prediction(
                    symbol=bar.symbol,
                    interval=bar.interval,
                    time=bar.time,
                    model="average",
                    version="0" * 12,
                    fingerprint="f",
                    price=bar.close,
                    forecasts=[forecast],
                )
            )
        return (last, count, average), [(PREDICTIONS, made)]


@dataclass(frozen=True)
class Pipeline:
    """Stages in a row, the topics that persist stores, and the frames that go in: topic, key, records or raw JSON."""

    stages: Callable[[], list[Any]]
    stored: tuple[Topic, ...]
    source: Topic
    frames: tuple[tuple[str, bytes], ...]

    def records(self) -> list[tuple[int, Record]]:
        """Return what goes in, each with its partition."""
        return [
            (
                partition_of(self.source, key),
                Record(key=key.encode(), value=Heavy(value), headers=codec.HEADERS, timestamp=CLOCK + number),
            )
            for number, (key, value) in enumerate(self.frames)
        ]


def _tick(symbol: str, time: int, price: float) -> Tick:
    return Tick(symbol, time, price, 1.0)


@cache
def ticks() -> Pipeline:
    """Ticks to bars to predictions; some rows are none, and some come too late."""
    frames = []
    for number in range(5):
        for place, symbol in enumerate(SYMBOLS):
            begin = START + number * MINUTE // 2
            rows: list[Any] = [
                _tick(symbol, begin + 7_000 * row, 100.0 + place + number * 0.5 + row) for row in range(3)
            ]
            if number == 4:
                rows.append(_tick(symbol, START + MINUTE, 100.0))  # late
            value = codec.encode(rows)
            if number == 2:
                value = value[:-1] + b',{"symbol":"%s","time":1,"price":-1,"amount":1}]' % symbol.encode()
            frames.append((symbol, value))
    return Pipeline(lambda: [Bars("1m", 0), Average()], (BARS, DEAD_LETTERS, PREDICTIONS), TICKS, tuple(frames))


@cache
def bars() -> Pipeline:
    """Bars to predictions to outcomes."""
    frames = []
    for number in range(4):
        for place, symbol in enumerate(SYMBOLS[:2]):
            rows = []
            for row in range(2):
                price = 100.0 + place + (number * 7 + row * 3) % 5
                rows.append(Bar(symbol, "1m", START + (2 * number + row) * MINUTE, price, price, price, price, 1.0))
            frames.append((symbol, codec.encode(rows)))
    return Pipeline(lambda: [Average(), Outcomes()], (PREDICTIONS, OUTCOMES), BARS, tuple(frames))


def shell_agent(stage: Any) -> Agent:
    """Return the agent of a stage: the real shell."""

    async def work(worker: Worker, stream: Stream, table: Any, writer: SimulatedWriter) -> None:
        shell = worker.shell(stage=stage, table=table, writer=writer, readers=worker.readers)
        worker.readers[stage.source.name] = shell
        await shell.run(stream)

    return Agent(stage.source, stage.name, work)


class Database:
    """What is stored, by identity."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[Any, Struct]] = {}

    def write(self, records: dict[Topic, list[Struct]]) -> None:
        """Store rows in one transaction, each in its place."""
        for topic, results in records.items():
            rows = self.rows.setdefault(topic.name, {})
            for record in results:
                rows[identity(topic.name, record)] = record


def identity(topic: str, record: Struct) -> tuple[Any, ...]:
    """Return what names a record on its topic."""
    return tuple([getattr(record, field) for field in IDENTITY[topic]])


def store_agent(topic: Topic, database: Database) -> Agent:
    """Return the agent of persist for a topic: the real one, with a database in memory."""

    async def work(worker: Worker, stream: Stream, _: Any, kafka_writer: SimulatedWriter) -> None:
        async def write(records: dict[Topic, list[Struct]], __: Any) -> None:
            await worker.broker.ask(lambda: database.write(records))

        async def cache(_: Any) -> None:
            await asyncio.sleep(worker.broker.delay())

        writer: Any = SimpleNamespace(write=write)
        latest: Any = SimpleNamespace(write=cache)
        await persist(topic, stream, writer, Sink("the database"), latest, kafka_writer, Guard())

    return Agent(topic, None, work)
