"""A stage folds what its own process posts before it is fetched, and stores it when it is; never out of order."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from msgspec import Struct
from shell_fakes import ARRIVED, Event, Journal, Stream, Sum, Table, event

from broker.confirmed_send import encoded
from stream.in_flight import Notes
from stream.own_records import MOST_WAITING, OWN
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
    later: list[Callable[[], None]] | None = None

    async def post(
        self, frames: Iterable[tuple[Topic, str, Sequence[Struct]]], arrived: int | None = None
    ) -> list[Any]:
        return await self.post_values(
            [(topic, key, value) for topic, key, records in frames for value in encoded(records)], arrived
        )

    async def post_values(self, values: Iterable[tuple[Topic, str, bytes]], arrived: int | None = None) -> list[Any]:  # noqa: ARG002 - the writer's interface
        deliveries = []
        for topic, key, value in values:
            await asyncio.sleep(0)
            self.happened.append(f"send {topic.name}")
            self.sent += [(topic, record) for record in codec.decode(value, topic.record).records]
            delivered = asyncio.get_running_loop().create_future()
            deliveries.append(delivered)
            offset = sum(name == topic.name for name, _, _ in self.log)
            self.log.append((topic.name, key.encode(), value))
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

    def __init__(self, guard: Guard | None = None) -> None:
        self.kafka = Kafka()
        self.table = Table(self.kafka)
        readers: dict[str, Shell[Any, Any]] = {}
        self.totals = Shell(stage=Total(), table=self.table, writer=self.kafka, guard=guard or Guard())
        readers["bars"] = self.totals
        self.bars = Shell(stage=Each(), table=Table(Journal()), writer=self.kafka, readers=readers)
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
            headers=codec.HEADERS,
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


def checked(story: Callable[[Worker], Any], guard: Guard | None = None) -> None:
    """Run a story, and end its worker."""

    async def run() -> None:
        worker = Worker(guard)
        try:
            await story(worker)
        finally:
            await worker.end()

    asyncio.run(run())


def made(close: float, symbol: str = "BTCUSDT") -> Bar:
    """Return a bar."""
    return Bar(symbol, "1m", ARRIVED // 60_000 * 60_000, *[close] * 4, volume=1.0)


def bar(close: float, symbol: str = "BTCUSDT") -> bytes:
    """Return a bar that another program posted."""
    return codec.encode([made(close, symbol)])


def test_a_posted_record_is_folded_before_it_is_fetched_and_once() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        await worker.tick(2.0)
        await worker.tick(4.0)
        assert worker.sums() == [1.0, 3.0, 7.0]
        await worker.fetch(1)
        await worker.fetch(2)
        assert worker.sums() == [1.0, 3.0, 7.0]
        assert await worker.saved() == ({0: 2}, 7.0)

    checked(story)


def test_its_state_and_its_offset_wait_for_the_fetch() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        await worker.saved()
        del worker.kafka.happened[:]
        await worker.tick(2.0)
        assert await worker.saved() == ({0: 0}, 1.0)
        assert worker.kafka.happened == ["send bars", "send features"]
        await worker.fetch(1)
        assert await worker.saved() == ({0: 1}, 3.0)
        assert worker.kafka.happened == ["send bars", "send features", "store", "ack 1"]

    checked(story)


def test_its_state_waits_for_the_delivery_of_its_outputs() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        worker.kafka.later = []
        await worker.tick(2.0)
        assert worker.sums() == [1.0, 3.0]
        await worker.fetch(1)
        assert await worker.saved() == ({0: 0}, 1.0)
        for confirm in worker.kafka.later:
            confirm()
        assert await worker.saved() == ({0: 1}, 3.0)

    checked(story)


def test_nothing_is_folded_early_until_a_record_of_this_process_was_fetched_where_kafka_put_it() -> None:
    async def story(worker: Worker) -> None:
        await worker.tick(1.0)
        await worker.tick(2.0)
        assert worker.sums() == []
        await worker.fetch(0)
        assert worker.sums() == [1.0]
        await worker.tick(4.0)  # the one before it is not folded yet
        assert worker.sums() == [1.0]
        await worker.fetch(1)
        await worker.fetch(2)
        assert worker.sums() == [1.0, 3.0, 7.0]
        await worker.tick(8.0)
        assert worker.sums() == [1.0, 3.0, 7.0, 15.0]

    checked(story)


def test_the_same_value_from_a_former_process_does_not_show_how_far_all_is_read() -> None:
    async def story(worker: Worker) -> None:
        worker.kafka.log += [("bars", b"BTCUSDT", bar(1.0)), ("bars", b"BTCUSDT", bar(2.0))]
        await worker.tick(1.0)  # what a crash repeats: it is at offset 2
        await worker.fetch(0)
        await worker.tick(4.0)
        assert worker.sums() == [1.0]

    checked(story)


def test_where_another_program_s_record_comes_first_all_is_folded_in_the_order_of_the_topic() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        worker.kafka.log.append(("bars", b"BTCUSDT", bar(100.0)))
        await worker.tick(2.0)
        assert worker.sums() == [1.0, 3.0]
        await worker.fetch(1)
        await worker.fetch(2)
        assert worker.sums() == [1.0, 3.0, 101.0, 103.0]
        assert await worker.saved() == ({0: 2}, 103.0)
        await worker.tick(4.0)  # and the symbol waits for its fetches for a while
        assert worker.sums() == [1.0, 3.0, 101.0, 103.0]

    checked(story)


def test_another_program_s_record_of_another_symbol_changes_nothing() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        worker.kafka.log.append(("bars", b"ETHUSDT", bar(100.0, "ETHUSDT")))
        await worker.tick(2.0)
        await worker.fetch(1)
        await worker.fetch(2)
        await worker.tick(4.0)
        assert worker.sums() == [1.0, 3.0, 100.0, 7.0]
        assert await worker.saved() == ({0: 2}, 3.0)

    checked(story)


def test_a_record_on_which_the_stage_fails_is_left_to_its_fetch_where_its_rows_are_isolated() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        await worker.tick(13.0)
        await worker.tick(4.0)
        assert worker.sums() == [1.0]
        await worker.fetch(1)
        assert [topic.name for topic, _ in worker.kafka.sent][-1] == "dead-letters"
        await worker.fetch(2)
        assert worker.sums() == [1.0, 5.0]
        assert await worker.saved() == ({0: 2}, 5.0)

    checked(story)


def test_a_record_with_a_refused_row_is_left_to_its_fetch_and_becomes_one_dead_letter() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        refused = made(2_000.0)
        await worker.bars._post([(BARS, "BTCUSDT", [refused])], ARRIVED)
        assert [topic.name for topic, _ in worker.kafka.sent] == ["bars", "features", "bars"]
        await worker.fetch(1)
        assert [topic.name for topic, _ in worker.kafka.sent] == ["bars", "features", "bars", "dead-letters"]

    checked(story)


def test_what_was_folded_before_a_rebalance_is_folded_again_after_it() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        await worker.saved()
        await worker.tick(2.0)
        worker.fetched.app.consumer_generation_id = 2
        await worker.tick(4.0)
        assert worker.sums() == [1.0, 3.0]
        await worker.fetch(1)
        await worker.fetch(2)
        assert worker.sums() == [1.0, 3.0, 3.0, 7.0]
        assert await worker.saved() == ({0: 2}, 7.0)

    checked(story)


def test_a_symbol_with_many_unread_records_begins_anew() -> None:
    async def story(worker: Worker) -> None:
        await worker.begun()
        for _ in range(MOST_WAITING + 1):
            await worker.bars._post([(BARS, "BTCUSDT", [made(1.0)])], ARRIVED)
        early = len(worker.sums())
        assert early == MOST_WAITING + 1  # the first, which was fetched, and as many as may wait
        await worker.fetch(1)
        assert worker.sums()[-1] == 2.0

    checked(story)


def test_after_a_death_at_such_a_record_the_next_start_fetches_all_first_and_the_one_after_does_not(
    tmp_path: Path,
) -> None:
    def guard() -> Guard:
        return Guard(notes=Notes(tmp_path))

    note = Notes(tmp_path).of(OWN)
    assert note is not None
    note.begin(7, 7)
    found = []

    async def story(worker: Worker) -> None:
        await worker.begun()
        await worker.tick(2.0)
        found.append(worker.sums())

    checked(story, guard())
    checked(story, guard())
    assert found == [[1.0], [1.0, 3.0]]
