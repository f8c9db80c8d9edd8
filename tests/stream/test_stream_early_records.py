"""What a process wrote is folded once Kafka has confirmed it, and stored when it is fetched; never out of turn."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from shell_fakes import ARRIVED, Event, Journal, Stream, Sum, Table, event

from stream.shell import Shell
from topics import codec


@dataclass
class Steps(Stream):
    """A stream whose batches come between confirmations: an event is fetched, a callable is called."""

    steps: list[Any] = field(default_factory=list)

    async def take_arrived(self, _: int) -> AsyncIterator[list[Event]]:
        for step in self.steps:
            if isinstance(step, Event):
                yield [step]
            else:
                step()
            for _ in range(20):  # turns of the loop, in which what was confirmed is folded
                await asyncio.sleep(0)


def run(*steps: Any) -> tuple[Journal, Table]:
    """Run a shell over the steps: an event is fetched, a tuple (offset, price) is confirmed."""
    journal = Journal()
    table = Table(journal)
    shell = Shell(stage=Sum(), table=table, writer=journal)
    stream = Steps(journal, [], steps=[step if isinstance(step, Event) else confirming(shell, *step) for step in steps])
    asyncio.run(shell.run(stream))
    return journal, table


def confirming(shell: Shell[Any, Any], offset: int, price: float, symbol: str = "BTCUSDT") -> Any:
    """Return what tells the shell that Kafka has a record."""
    value = json.dumps({"symbol": symbol, "time": ARRIVED, "price": price, "amount": 1.0}).encode()
    place = SimpleNamespace(topic="ticks", partition=0, offset=offset, timestamp=ARRIVED)
    return lambda: shell.confirmed(symbol.encode(), value, codec.HEADERS, place)


def prices(journal: Journal) -> list[float]:
    return [record.close for _, record in journal.sent]


def state(table: Table) -> Any:
    return Shell(stage=Sum(), table=table, writer=Journal())._load(("BTCUSDT", "1m"), b"BTCUSDT|1m")


def test_a_confirmed_record_is_folded_before_it_is_fetched_and_once() -> None:
    journal, table = run(event(0, 1.0), (1, 2.0), event(1, 2.0), event(2, 4.0))
    assert prices(journal) == [1.0, 2.0, 4.0]
    assert state(table) == ({0: 2}, 7.0)


def test_its_state_and_its_offset_wait_for_the_fetch() -> None:
    journal, table = run(event(0, 1.0), (1, 2.0))
    assert prices(journal) == [1.0, 2.0]
    assert journal.happened == ["send", "send", "store", "ack 0"]
    assert state(table) == ({0: 0}, 1.0)


def test_states_from_several_are_stored_with_the_first_that_is_fetched() -> None:
    journal, table = run(event(0, 1.0), (1, 2.0), (2, 4.0), event(1, 2.0), event(2, 4.0))
    assert prices(journal) == [1.0, 2.0, 4.0]
    assert state(table) == ({0: 2}, 7.0)
    assert journal.happened[-3:] == ["ack 0", "ack 1", "ack 2"]


def test_a_record_is_left_to_the_fetch_if_another_is_before_it() -> None:
    journal, table = run(event(0, 1.0), (2, 4.0), event(1, 2.0), event(2, 4.0))
    assert prices(journal) == [1.0, 2.0, 4.0]
    assert state(table) == ({0: 2}, 7.0)


def test_a_record_is_left_to_the_fetch_if_none_of_its_partition_was_fetched() -> None:
    journal, _ = run((0, 1.0), event(0, 1.0))
    assert prices(journal) == [1.0]
    assert journal.happened == ["send", "store", "ack 0"]


def test_a_record_on_which_the_stage_fails_is_left_to_the_fetch_where_its_rows_are_isolated() -> None:
    class Fails(Sum):
        def step(self, state: float, parts: Any) -> Any:
            if any(tick.price == 2.0 for part in parts for tick in part.records):
                raise ZeroDivisionError
            return super().step(state, parts)

    journal = Journal()
    table = Table(journal)
    shell = Shell(stage=Fails(), table=table, writer=journal)
    steps = [event(0, 1.0), confirming(shell, 1, 2.0), confirming(shell, 2, 4.0), event(1, 2.0), event(2, 4.0)]
    asyncio.run(shell.run(Steps(journal, [], steps=steps)))
    assert [topic.name for topic, _ in journal.sent] == ["bars", "dead-letters", "bars"]
    assert state(table) == ({0: 2}, 5.0)


def test_what_was_confirmed_before_a_rebalance_is_not_folded_after_it() -> None:
    journal = Journal()
    table = Table(journal)
    shell = Shell(stage=Sum(), table=table, writer=journal)

    def rebalance() -> None:
        stream.app.consumer_generation_id = 2

    again = [event(0, 1.0), event(1, 2.0)]
    for one in again:
        one.message.generation_id = 2
    stream = Steps(journal, [], steps=[event(0, 1.0), rebalance, confirming(shell, 1, 2.0), *again])
    asyncio.run(shell.run(stream))
    assert prices(journal) == [1.0, 1.0, 2.0]
    assert state(table) == ({0: 1}, 3.0)
