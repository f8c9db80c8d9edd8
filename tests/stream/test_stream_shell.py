"""The shell folds each record once, in order, and lets go of nothing before it is safe."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from msgspec import Struct
from prometheus_client import REGISTRY

from stream.metrics import arrived
from stream.shell import Output, Part, Shell
from topics import codec
from topics.catalog import BARS, DEAD_LETTERS, TICKS, Topic
from topics.records import Bar, DeadLetter, Tick


class Sum:
    """A stage that counts what it saw and publishes a bar a tick."""

    name = "sum"
    source = TICKS

    def key(self, record: Tick) -> tuple[str, str]:
        return record.symbol, "1m"

    def check(self, record: Tick) -> str | None:
        return "too dear" if record.price > 1_000 else None

    def load(self, key: tuple[str, str], state: bytes | None) -> float:  # noqa: ARG002 - the shell's interface
        return 0.0 if state is None else float(state)

    def dump(self, state: float) -> bytes:
        return repr(state).encode()

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
        self, frames: list[tuple[Topic, str, Sequence[Struct]]], arrived: int | None = None
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
        delivered.set_result(Delivered((arrived or 0) + 250))
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

    async def noack_take(self, _: int, within: float) -> AsyncIterator[list[Event]]:  # noqa: ARG002 - Faust's interface
        for batch in self.batches:
            yield batch

    async def ack(self, event: Event) -> None:
        self.journal.happened.append(f"ack {event.message.offset}")


def event(offset: int, *values: Any, partition: int = 0) -> Event:
    rows = [{"symbol": "BTCUSDT", "time": 1, "price": value, "amount": 1.0} for value in values]
    message = SimpleNamespace(
        partition=partition,
        offset=offset,
        generation_id=1,
        timestamp=1.5,
        key=b"BTCUSDT",
        headers=codec.HEADERS,
        value=json.dumps(rows).encode(),
    )
    return Event(message=message)


def run(journal: Journal, table: Table, *batches: list[Event]) -> None:
    asyncio.run(Shell(Sum(), table, journal).run(Stream(journal, list(batches))))  # type: ignore[arg-type]


def total(table: Table) -> float:
    shell: Shell[Tick, float] = Shell(Sum(), table, Journal())  # type: ignore[arg-type]
    return shell._load(("BTCUSDT", "1m"), b"BTCUSDT|1m")[1]


def test_outputs_are_delivered_then_the_state_is_stored_then_the_events_are_acknowledged() -> None:
    journal = Journal()
    run(journal, Table(journal), [event(0, 1.0), event(1, 2.0)])
    assert journal.happened == ["send", "store", "ack 0", "ack 1"]


def test_an_event_that_comes_again_changes_nothing_and_is_acknowledged() -> None:
    journal = Journal()
    table = Table(journal)
    run(journal, table, [event(0, 1.0), event(1, 2.0)])
    run(journal, table, [event(1, 2.0), event(2, 4.0)])
    assert total(table) == 7.0
    assert [record.close for topic, record in journal.sent if topic is BARS] == [1.0, 2.0, 4.0]  # type: ignore[attr-defined]
    assert journal.happened[-2:] == ["ack 1", "ack 2"]


def test_offsets_are_told_apart_by_partition() -> None:
    journal = Journal()
    table = Table(journal)
    run(journal, table, [event(5, 1.0, partition=0), event(0, 2.0, partition=1)])
    assert total(table) == 3.0


def test_nothing_is_stored_or_acknowledged_when_the_outputs_are_not_delivered() -> None:
    journal = Journal(broken=True)
    table = Table(journal)
    with pytest.raises(ConnectionError):
        run(journal, table, [event(0, 1.0)])
    assert journal.happened == []
    assert not table


def test_bad_rows_become_dead_letters_with_their_place_and_hold_nothing_back() -> None:
    journal = Journal()
    table = Table(journal)
    run(journal, table, [event(7, 1.0, -1, 5_000.0, 2.0, "x")])
    letters = [record for topic, record in journal.sent if topic is DEAD_LETTERS]
    assert total(table) == 3.0
    assert sorted(
        (letter.row, letter.reason.split(" - ")[0]) for letter in letters if isinstance(letter, DeadLetter)
    ) == [
        (1, "price -1.0 is not a positive number"),
        (2, "too dear"),
        (4, "Expected `float`, got `str`"),
    ]
    assert {(letter.topic, letter.offset, letter.time) for letter in letters if isinstance(letter, DeadLetter)} == {
        ("ticks", 7, 1500)
    }


def test_the_cut_into_batches_does_not_matter() -> None:
    values = [float(value) for value in range(1, 40)]
    results = []
    for size in (1, 3, 39):
        journal = Journal()
        table = Table(journal)
        events = [event(offset, value) for offset, value in enumerate(values)]
        run(journal, table, *[events[start : start + size] for start in range(0, len(events), size)])
        results.append((total(table), [record for _, record in journal.sent]))
    assert results[0] == results[1] == results[2]


def test_slices_that_are_delivered_side_by_side_stay_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.shell.SLICE_BYTES", 1)
    journal = Journal()
    prices = [[float(10 * number + row) for row in range(5)] for number in range(1, 7)]
    run(journal, Table(journal), [event(offset, *row) for offset, row in enumerate(prices)])
    assert [record.close for _, record in journal.sent] == [price for row in prices for price in row]  # type: ignore[attr-defined]
    assert [step for step in journal.happened if step.startswith("ack")] == [f"ack {offset}" for offset in range(6)]


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"foretick_{name}", labels) or 0.0


def test_what_was_folded_is_counted_once_and_timed_from_its_arrival() -> None:
    before = [counted("records_in_total", topic="ticks"), counted("records_out_total", topic="bars")]
    dead = counted("dead_letters_total", topic="ticks")
    timed = counted("latency_seconds_count", stage="sum"), counted("latency_seconds_sum", stage="sum")
    journal = Journal()
    table = Table(journal)
    run(journal, table, [event(0, 1.0, 2.0, "no price"), event(1, 3.0)])
    run(journal, table, [event(1, 3.0)])  # comes again: nothing is made of it
    assert counted("records_in_total", topic="ticks") == before[0] + 3
    assert counted("records_out_total", topic="bars") == before[1] + 3
    assert counted("dead_letters_total", topic="ticks") == dead + 1
    assert counted("latency_seconds_count", stage="sum") == timed[0] + 2
    assert counted("latency_seconds_sum", stage="sum") == pytest.approx(timed[1] + 2 * 0.25)


def test_latency_counts_from_the_first_topic_on_the_way() -> None:
    first, second = event(0, 1.0), event(1, 1.0)
    first.message.headers = [*codec.HEADERS, (codec.ARRIVED_HEADER, b"1200")]
    second.message.headers = [*codec.HEADERS, (codec.ARRIVED_HEADER, b"nonsense")]
    assert arrived([first, second]) == 1_200
    assert arrived([second]) == 1_500
    assert arrived([]) is None
